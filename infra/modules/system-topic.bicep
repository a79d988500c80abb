// What happens in this subscription, as Event Grid tells it, and a cry when it could not be told.
param name string

@description('False: the topic is there already and only its identity is needed.')
param create bool

@description('Action group that hears of events that could not be delivered; empty: nobody.')
param alertGroupId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (create) {
  name: name
  location: 'global'
  identity: { type: 'SystemAssigned' }
  properties: { source: subscription().id, topicType: 'Microsoft.Resources.Subscriptions' }
}

resource present 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!create) {
  name: name
}

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'registry-isolation-undelivered'
  location: 'global'
  properties: {
    description: 'Events of this subscription could not be delivered to the app for a day and went to its dead-letter container. What to do: docs/runbook.md#undelivered'
    severity: 2
    enabled: true
    scopes: [resourceId('Microsoft.EventGrid/systemTopics', name)]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'undelivered'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: empty(alertGroupId) ? [] : [{ actionGroupId: alertGroupId }]
  }
  dependsOn: [topic]
}

output principalId string = create ? topic!.identity.principalId : present!.identity.principalId
