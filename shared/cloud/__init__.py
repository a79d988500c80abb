"""The engine's ports on real Azure services; the only place that imports the Azure SDKs. One module per service."""
