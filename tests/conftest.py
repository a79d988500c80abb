"""Plugins of the whole suite: virtual time, the search for secrets, Azurite, the order; one profile for properties."""

from hypothesis import settings

pytest_plugins = ["tests.virtual_time", "tests.emitted", "tests.fixtures.azurite", "tests.order"]

# A budget is measured by the bench, never by a test: a busy machine must not fail one. The same examples everywhere, so
# that a red run on one machine is red on the next.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
