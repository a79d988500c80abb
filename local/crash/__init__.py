"""
The crash campaign: a real Functions host is killed with SIGKILL at every step of the path, and has to finish all the same.

A step is a request of the host's process: to Azure, or a write to the storage account that holds its queue, its ledger
and its leases. All of them pass two gates in this process, which knows when to kill: before the step took effect, or
after it did and before the host learned of it.
"""
