// Exactly the operations that the function understands, and nothing of the subscription's other noise.
param topicName string
param functionAppId string
param deadLetterStorageId string
param deadLetterContainer string

var wanted = loadJsonContent('../event-filter.json')

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = { name: topicName }

resource delivery 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'registry-isolation-${uniqueString(functionAppId)}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      // One event a delivery: an event that fails is then delivered again alone.
      properties: { resourceId: '${functionAppId}/functions/registry_events', maxEventsPerBatch: 1 }
    }
    filter: {
      includedEventTypes: wanted.includedEventTypes
      advancedFilters: [
        { operatorType: 'StringIn', key: 'data.operationName', values: wanted.operationNames }
      ]
      enableAdvancedFilteringOnArrays: true
    }
    retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: deadLetterStorageId, blobContainerName: deadLetterContainer }
      }
    }
  }
}
