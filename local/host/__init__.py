"""
A local Azure Functions host around Microsoft's own Python worker.

`azure-functions-runtime` is the library that indexes `function_app.py` and runs its functions in Azure. This package
plays the host's part around it, in one process and with no gRPC in between: it reads host.json and the app settings,
serves the HTTP routes, the Event Grid webhook and the admin API, polls the storage queues and fires the timers.
Storage is whatever `AzureWebJobsStorage` names: Azurite, as a rule.

Known differences from the host in Azure:

* One process: a function that ends the process ends the host, and a synchronous function that runs past
  `functionTimeout` is reported as failed but its thread cannot be stopped (Azure restarts the worker).
* A message in work is leased for 15 seconds at a time, not for ten minutes, so that a killed host's messages come
  back soon.
* Timers are remembered and locked in the data folder, not in blobs: hosts that share it fire a timer once.
* Bindings other than HTTP, storage queues, Event Grid triggers and timers are refused when the host starts.

Nothing here is deployed.
"""
