"""Somebody else in the subscription uses up what Azure lets everybody ask for."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from local.house import APP
from local.simulator.errors import ArmError
from local.simulator.throttling import Throttle

_METHODS = ("GET", "PUT", "DELETE")
_SCARCE = (
    ("Microsoft.Network/privateDnsZones", False),
    ("Microsoft.Storage/storageAccounts", True),
    ("Microsoft.Storage/storageAccounts", False),
)
"""Resource types, and whether a list is asked for: limits of providers that are small enough to be used up."""
_MOST = 1000
"""More than the largest of those buckets holds."""


def drain(throttle: Throttle, subscriptions: Iterable[str], now: datetime) -> None:
    """Leave nothing in the app's buckets, nor in those of the scarce providers."""
    for subscription in subscriptions:
        for method in _METHODS:
            _empty(partial(throttle.take, subscription, APP, method, now))
        for kind, many in _SCARCE:
            _empty(partial(throttle.take_of_provider, subscription, kind, "GET", now, collection=many))


def _empty(take: Callable[[], None]) -> None:
    for _ in range(_MOST):
        try:
            take()
        except ArmError:
            return
