#!/bin/sh
# After azd has deployed the code: rights and events of each subscription with registries. An event subscription names a
# function, which exists only once the code is there.
set -eu

subscriptions=$(echo "${AZURE_REGISTRY_SUBSCRIPTIONS:-$AZURE_SUBSCRIPTION_ID}" | tr ',' ' ')
deletion='["deletion"]'

for subscription in $subscriptions; do
  echo "Subscription $subscription: roles and events"
  az deployment sub create \
    --subscription "$subscription" \
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
done
