#!/bin/sh
# Before azd creates anything: there is a policy, and it changes nothing in Azure unless that was asked for.
set -eu

nobody=00000000-0000-0000-0000-000000000000
allowed="${AZURE_ISOLATION_MODE:-audit}"

stop() {
  echo "$1" >&2
  exit 1
}

case "$allowed" in
  audit | enforce) ;;
  *) stop "AZURE_ISOLATION_MODE is '$allowed'; audit or enforce is needed." ;;
esac

if [ ! -f policy.yaml ]; then
  subnet="${AZURE_ENDPOINT_SUBNET:-}"
  case "$subnet" in
    /subscriptions/*/providers/Microsoft.Network/virtualNetworks/*/subnets/*) ;;
    *) stop "There is no policy.yaml. Copy policy.example.yaml and put your ids in, or say where endpoints shall go and one that only audits is written: azd env set AZURE_ENDPOINT_SUBNET <resource id of a subnet>" ;;
  esac
  subscriptions=$(echo "${AZURE_REGISTRY_SUBSCRIPTIONS:-$AZURE_SUBSCRIPTION_ID}" | tr ',' ' ')
  {
    sed -e "s|SUBNET$|$subnet|" -e "s|ZONES_GROUP|${AZURE_ZONES_RESOURCE_GROUP:-${subnet%%/providers/*}}|" infra/policy.start.yaml
    for subscription in $subscriptions; do echo "    - $subscription"; done
  } > policy.yaml
  echo "Wrote policy.yaml: it audits the registries of $subscriptions and changes nothing."
fi

if grep -q "$nobody" policy.yaml; then
  stop "policy.yaml still names the subscription $nobody: put your own ids in."
fi

# Only the plain spelling counts, so that no clever one is taken for an audit.
mode=$(sed -nE 's/^mode: (audit|enforce) *(#.*)?$/\1/p' policy.yaml)
case "$mode" in
  audit) ;;
  enforce)
    [ "$allowed" = enforce ] || stop "policy.yaml says mode: enforce. Deploy it with mode: audit first and read what it finds; then run: azd env set AZURE_ISOLATION_MODE enforce"
    ;;
  *) stop "policy.yaml needs exactly one line that says 'mode: audit' or 'mode: enforce'." ;;
esac
echo "policy.yaml: mode: $mode"
