// One subscription with registries, or with networks and zones that they use: what the app may do there, and its events.
// Deploy it once for each such subscription; the hook after `azd deploy` does so for those with registries.
targetScope = 'subscription'

@description('Object id of the app\'s identity (output APP_PRINCIPAL_ID).')
param principalId string

@description('Resource id of the app (output APP_ID); empty: no events from this subscription, for one that only holds networks.')
param functionAppId string = ''

@description('Resource id of the app\'s storage account, where undeliverable events are kept (output APP_STORAGE_ID).')
param deadLetterStorageId string = ''

@description('Resource id of the action group that hears of undeliverable events (output APP_ALERT_GROUP_ID); empty: nobody.')
param alertGroupId string = ''

@description('Names of the resource groups that the roles are limited to; empty: the whole subscription, which registries need.')
param resourceGroups array = []

@description('What the policy says: audit gets one role, which reads; enforce gets the basic one and the optional ones.')
@allowed(['audit', 'enforce'])
param mode string = 'audit'

@description('Roles beyond the basic one that the policy needs: deletion (deletion.endpoints, its default), sharing, egress.')
@allowed(['deletion', 'sharing', 'egress'])
param optionalRoles array = ['deletion']

@description('Region of the resource group of the system topic.')
param location string = deployment().location

@description('Create the system topic. Azure allows one for each subscription: false where there is one already.')
param createTopic bool = true

@description('Name of the subscription\'s system topic; one that is there needs a system-assigned identity for dead letters.')
param topicName string = 'registry-isolation'

@description('Resource group of the system topic; created with the topic.')
param eventsResourceGroup string = 'rg-registry-isolation-events'

var catalogue = {
  audit: loadJsonContent('role-audit.json')
  base: loadJsonContent('role.json')
  deletion: loadJsonContent('role-deletion.json')
  sharing: loadJsonContent('role-sharing.json')
  egress: loadJsonContent('role-egress.json')
}
var wanted = mode == 'audit' ? ['audit'] : union(['base'], optionalRoles)
var roleNames = [for role in wanted: guid(subscription().id, catalogue[role].Name)]
var limited = !empty(resourceGroups)

// Resource Manager looks at a module's scope even where its condition is false, so there must always be one.
var noStorage = '${subscription().id}/resourceGroups/none/providers/none/none/none'
var storage = split(empty(deadLetterStorageId) ? noStorage : deadLetterStorageId, '/')

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for (role, at) in wanted: {
    name: roleNames[at]
    properties: {
      // Names of custom roles are unique in a tenant, and each subscription has definitions of its own.
      roleName: '${catalogue[role].Name} (${subscription().subscriptionId})'
      description: catalogue[role].Description
      type: 'CustomRole'
      permissions: [
        {
          actions: catalogue[role].Actions
          notActions: catalogue[role].NotActions
          dataActions: catalogue[role].DataActions
          notDataActions: catalogue[role].NotDataActions
        }
      ]
      assignableScopes: [subscription().id]
    }
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (role, at) in wanted: if (!limited) {
    name: guid(subscription().id, principalId, role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: definitions[at].id
    }
  }
]

module limitedAssignments 'modules/role-assignments.bicep' = [
  for group in resourceGroups: {
    scope: resourceGroup(group)
    params: {
      principalId: principalId
      roles: roleNames
    }
    dependsOn: [definitions]
  }
]

resource events 'Microsoft.Resources/resourceGroups@2024-03-01' = if (!empty(functionAppId) && createTopic) {
  name: eventsResourceGroup
  location: location
}

module topic 'modules/system-topic.bicep' = if (!empty(functionAppId)) {
  scope: resourceGroup(eventsResourceGroup)
  params: { name: topicName, create: createTopic, alertGroupId: alertGroupId }
  dependsOn: [events]
}

// The topic delivers with its own identity, so it needs a right on the dead-letter container before it may name it.
module deadLetters 'modules/dead-letters.bicep' = if (!empty(functionAppId)) {
  scope: resourceGroup(storage[2], storage[4])
  params: { storageName: last(storage), principalId: topic!.outputs.principalId }
}

module eventSubscription 'modules/event-subscription.bicep' = if (!empty(functionAppId)) {
  scope: resourceGroup(eventsResourceGroup)
  params: {
    topicName: topicName
    functionAppId: functionAppId
    deadLetterStorageId: deadLetterStorageId
    deadLetterContainer: deadLetters!.outputs.container
  }
}
