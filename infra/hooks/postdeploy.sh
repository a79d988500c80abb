#!/bin/sh
# After azd has deployed the code: rights and events of each subscription with registries. An event subscription names a
# function, which exists only once the code is there.
set -eu

subscriptions=$(echo "${AZURE_REGISTRY_SUBSCRIPTIONS:-$AZURE_SUBSCRIPTION_ID}" | tr ',' ' ')
deletion='["deletion"]'
tries=5
pause="${AZURE_RETRY_SECONDS:-30}"

deploy() {
  az deployment sub create \
    --subscription "$1" \
    --location "$AZURE_LOCATION" \
    --name "registry-isolation-$AZURE_ENV_NAME" \
    --template-file infra/subscription.bicep \
    --parameters \
      principalId="$APP_PRINCIPAL_ID" \
      functionAppId="$APP_ID" \
      deadLetterStorageId="$APP_STORAGE_ID" \
      alertGroupId="${APP_ALERT_GROUP_ID:-}" \
      mode="${AZURE_ISOLATION_MODE:-audit}" \
      optionalRoles="${AZURE_OPTIONAL_ROLES:-$deletion}" \
    --output none
}

# Event Grid looks whether the function is there and whether the dead letters may be written, and neither of a function
# nor of a role that is seconds old does all of Azure know at once. Deploying again is harmless.
for subscription in $subscriptions; do
  echo "Subscription $subscription: roles and events"
  try=1
  until deploy "$subscription"; do
    if [ "$try" -ge "$tries" ]; then
      echo "Subscription $subscription could not be deployed to; the last error above says why. Then run: azd hooks run postdeploy" >&2
      exit 1
    fi
    try=$((try + 1))
    echo "Not yet: what was just created may not be known everywhere. Again in $pause s ($try of $tries)." >&2
    sleep "$pause"
  done
done
