// What somebody should be woken for and what somebody may look at, both from the app's own log lines.
param location string
param tags object
param logsId string
param email string

@description('Window of the rules about missing sweeps, which depends on their schedule.')
param sweepSilence string

var rules = loadJsonContent('../alerts.json')

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-registry-isolation'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'registries'
    enabled: true
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'registry-isolation-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: '${rule.description} What to do: docs/runbook.md#${rule.name}'
      severity: rule.severity
      enabled: true
      autoMitigate: true
      // The tables of a new workspace appear with their first row, and a rule is refused until then.
      skipQueryValidation: true
      evaluationFrequency: rule.every
      windowSize: rule.name == 'sweep-missing' || rule.name == 'silent' ? sweepSilence : rule.window
      scopes: [logsId]
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'registry-isolation')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Registry Isolation'
    category: 'workbook'
    sourceId: logsId
    serializedData: string(union(loadJsonContent('../workbook.json'), { fallbackResourceIds: [logsId] }))
  }
}

output groupId string = empty(email) ? '' : people.id
