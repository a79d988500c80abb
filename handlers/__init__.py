"""Doors: translate between Azure Functions and our values, decide nothing."""
