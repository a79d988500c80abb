"""Plugins of the whole suite: virtual time, and Azurite for those who ask for it."""

pytest_plugins = ["tests.virtual_time", "tests.fixtures.azurite"]
