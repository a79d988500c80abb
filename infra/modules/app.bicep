// The Functions app: Flex Consumption, Python 3.13, one identity, no key anywhere.
param name string
param planName string
param location string
param tags object

@description('Resource id, client id and object id of the app\'s identity.')
param identityId string
param clientId string
param principalId string

@description('Services of the app\'s own storage account; told one by one because names differ between clouds.')
param blobUri string
param queueUri string
param tableUri string

@description('URL of the blob container that holds the deployed package.')
param packageContainer string

param insightsName string
param outcomeTopic string
param sweepSchedule string
param keyNames string
param findingsPage string
param easyAuth bool
param readRole string
param actRole string
param actingKeys string
param maximumInstances int

@description('Subnet for outgoing connections; empty: none.')
param subnetId string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Not ftpsState, linuxFxVersion, alwaysOn and their like: this plan answers 51021 to them.
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainer
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: { instanceMemoryMB: 2048, maximumInstanceCount: maximumInstances }
    }
  }
}

// A deployment replaces all settings, so whatever somebody may want to set is a parameter.
resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__blobServiceUri: blobUri
    AzureWebJobsStorage__queueServiceUri: queueUri
    AzureWebJobsStorage__tableServiceUri: tableUri
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    // Says where telemetry goes; the key in it opens nothing, because local authentication is off there.
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
    // The exporter would otherwise report on itself to addresses that are nobody's business here.
    APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
    APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
    APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
    // Alerts hang on single log lines, so none is sampled away; requests and dependencies are.
    AzureFunctionsJobHost__logging__applicationInsights__samplingSettings__excludedTypes: 'Trace;Exception'
    AZURE_CLOUD: environment().name
    ISOLATION_ACT_ROLE: actRole
    ISOLATION_ACTING_KEYS: actingKeys
    ISOLATION_CLIENT_ID: clientId
    ISOLATION_PRINCIPAL_ID: principalId
    ISOLATION_EASY_AUTH: easyAuth ? 'true' : 'false'
    ISOLATION_FINDINGS_PAGE: findingsPage
    ISOLATION_KEY_NAMES: keyNames
    ISOLATION_OUTCOME_SOURCE: app.id
    ISOLATION_OUTCOME_TOPIC: outcomeTopic
    ISOLATION_POLICY_PATH: 'policy.yaml'
    ISOLATION_READ_ROLE: readRole
    ISOLATION_SWEEP_SCHEDULE: sweepSchedule
    ISOLATION_WORK_QUEUE: 'registry-work'
  }
}

resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = [
  for kind in ['ftp', 'scm']: {
    parent: app
    name: kind
    properties: { allow: false }
  }
]

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
