"""Fixtures of the local run's tests."""

from tests.fixtures.azurite import azurite

__all__ = ["azurite"]
