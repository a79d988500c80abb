// The app and everything that belongs to it alone, in one resource group of its own.
// What it may do in subscriptions with registries, and their events, is in subscription.bicep.
targetScope = 'subscription'

@minLength(1)
@maxLength(20)
@description('Name of the environment; part of every name.')
param environmentName string

@description('Region of the app. Registries may be anywhere.')
param location string

@description('Put the app into a virtual network of its own and its storage behind private endpoints.')
param privateStorage bool = false

@description('Redundancy of the app\'s storage; not every region has zones.')
@allowed(['Standard_ZRS', 'Standard_GZRS', 'Standard_GRS', 'Standard_LRS'])
param storageSku string = 'Standard_ZRS'

@description('Address space of that network; must not overlap networks it shall be peered with.')
param networkPrefix string = '10.90.0.0/24'

@description('Subnet of the app in that network, a /27 or larger.')
param appSubnetPrefix string = '10.90.0.0/26'

@description('Subnet of the private endpoints in that network.')
param endpointSubnetPrefix string = '10.90.0.64/26'

@description('Who is told of alerts; empty: alerts fire and tell nobody.')
param alertEmail string = ''

@description('Most instances that the app may grow to; the plan takes no less than 40 (documentation of Flex Consumption).')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('When the sweep runs, as an NCRONTAB expression of six fields, UTC.')
param sweepSchedule string = '0 7 * * * *'

@description('After how long without a finished sweep somebody is told; at least two intervals of the schedule.')
@allowed(['PT3H', 'PT6H', 'P1D', 'P2D'])
param sweepSilence string = 'PT3H'

@description('Names of the holders of function keys for the history, as 1a2b3c4d=alice-laptop,...: fingerprints, not keys.')
param keyNames string = ''

@description('Address at which docs/findings.md is published, for the links of findings; empty: the app explains them itself.')
param findingsPage string = ''

@description('App Service authentication is on and lets nobody in whom it does not know.')
param easyAuth bool = false

@description('App role that lets a signed-in person read the dashboard, with easyAuth.')
param readRole string = 'Registry.Read'

@description('App role that lets a signed-in person act on the dashboard as well, with easyAuth.')
param actRole string = 'Registry.Act'

@description('Holders of function keys, by the names in keyNames, who may act on the dashboard: * for all of them, - for nobody.')
param actingKeys string = '*'

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-registry-isolation-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-registry-isolation-${token}', location: location, tags: tags }
}

module state 'modules/state.bicep' = {
  scope: group
  params: {
    name: 'stri${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    public: !privateStorage
    sku: storageSku
  }
}

module network 'modules/network.bicep' = if (privateStorage) {
  scope: group
  params: {
    name: 'vnet-registry-isolation-${token}'
    location: location
    tags: tags
    networkPrefix: networkPrefix
    appSubnetPrefix: appSubnetPrefix
    endpointSubnetPrefix: endpointSubnetPrefix
    storageId: state.outputs.id
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    logsName: 'log-registry-isolation-${token}'
    insightsName: 'appi-registry-isolation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module outcomes 'modules/outcomes.bicep' = {
  scope: group
  params: {
    name: 'evgt-registry-isolation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    name: 'func-registry-isolation-${token}'
    planName: 'plan-registry-isolation-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    principalId: identity.outputs.principalId
    blobUri: state.outputs.blobUri
    queueUri: state.outputs.queueUri
    tableUri: state.outputs.tableUri
    packageContainer: state.outputs.packageContainer
    insightsName: monitoring.outputs.insightsName
    outcomeTopic: outcomes.outputs.endpoint
    sweepSchedule: sweepSchedule
    keyNames: keyNames
    findingsPage: findingsPage
    easyAuth: easyAuth
    readRole: readRole
    actRole: actRole
    actingKeys: actingKeys
    maximumInstances: maximumInstances
    subnetId: privateStorage ? network!.outputs.appSubnetId : ''
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    logsId: monitoring.outputs.logsId
    email: alertEmail
    sweepSilence: sweepSilence
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output APP_ID string = app.outputs.id
output APP_NAME string = app.outputs.name
output APP_URL string = app.outputs.url
output APP_PRINCIPAL_ID string = identity.outputs.principalId
output APP_STORAGE_ID string = state.outputs.id
output APP_ALERT_GROUP_ID string = alerts.outputs.groupId
output OUTCOME_TOPIC_ID string = outcomes.outputs.id
