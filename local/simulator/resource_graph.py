"""
The simulated Azure's Resource Graph: a lagging index that is asked in the Kusto query language.

What tests and demos do with it, as `azure.graph`:

    azure.graph.lag = timedelta(minutes=5)      how long changes take to show
    azure.graph.refresh()                       show the world as it is now
    azure.graph.weather.frozen = True           show nothing new from now on
    azure.graph.weather.hidden.add(sub)         leave out a subscription, as if the caller could not read it
    azure.graph.weather.lost_share = 0.1        leave out a tenth of all rows, always the same ones
    azure.graph.weather.announced = True        admit it: resultTruncated is "true"

Throttling and outages are faults of the door like those of any other call (`azure.faults`). Calls are answered by
providers.resource_graph, the language is in resource_graph_query and what it imports.
"""

import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from local.simulator import arm_ids
from local.simulator.kernel import Kernel
from local.simulator.rbac import Principal
from local.simulator.resource_graph_index import LaggingIndex
from local.simulator.resource_graph_quota import Quota
from local.simulator.resource_graph_rows import (
    COLUMNS,
    CONTAINERS,
    EMPTY_TABLES,
    GROUP_TYPE,
    SUBSCRIPTION_TYPE,
    TABLES,
    row_of,
    subscription_row,
)
from local.simulator.resource_graph_values import Kind, Row
from local.simulator.world import Resource

_ACTIONS = {GROUP_TYPE: "Microsoft.Resources/subscriptions/resourceGroups/read"}
_SCALE = 1_000_000
_MEMBERS = frozenset(("frozen", "hidden", "lostShare", "announced", "lagSeconds", "refresh"))


@dataclass(slots=True, kw_only=True)
class GraphWeather:
    """What is wrong with the index at the moment; settable at any time."""

    frozen: bool = False
    hidden: set[str] = field(default_factory=set)
    """Lower-cased subscriptions whose rows are missing."""
    lost_share: float = 0.0
    """Share of the rows that are missing, from 0 to 1; which ones depends on their ids alone."""
    announced: bool = False
    """The answer says resultTruncated while something is missing; otherwise nobody is told."""

    @property
    def partial(self) -> bool:
        return bool(self.hidden) or self.lost_share > 0


class ResourceGraph:
    """Resource Graph of one simulated Azure."""

    def __init__(self, azure: Kernel, *, lag: timedelta, seed: int = 0) -> None:
        self._azure = azure
        self._random = random.Random(seed)
        self.quota = Quota()
        self.weather = GraphWeather()
        self.index = LaggingIndex(self._picture, lag=lag, frozen=lambda: self.weather.frozen)
        azure.world.on_change(self.index.mark)
        azure.world.on_removal(self._mark_network)
        azure.world.on_moment_end(lambda: self.index.photograph(azure.world.now))

    @property
    def lag(self) -> timedelta:
        """From a change to the moment at which it shows; holds for changes from now on."""
        return self.index.lag

    @lag.setter
    def lag(self, value: timedelta) -> None:
        self.index.photograph(self._azure.world.now)
        self.index.lag = value

    def refresh(self) -> None:
        """Show the world as it is now, without lag."""
        self.index.show_everything(self._azure.world.now)

    def configure(self, given: Any) -> None:
        """
        Change the weather and the lag: {frozen, hidden, lostShare, announced, lagSeconds, refresh}, each of them optional.

        Raises:
            ValueError: A member that is unknown or has no sense.
            TypeError: *given* is no object.
        """
        if not isinstance(given, dict):
            raise TypeError("the weather of Resource Graph is an object")
        unknown = set(given) - _MEMBERS
        if unknown:
            raise ValueError(f"Resource Graph has no {', '.join(sorted(unknown))}")
        share, lag = float(given.get("lostShare", self.weather.lost_share)), float(given.get("lagSeconds", 0))
        if not 0 <= share <= 1 or lag < 0:
            raise ValueError("lostShare lies between 0 and 1, and lagSeconds is not negative")
        self.weather.lost_share = share
        self.weather.frozen = bool(given.get("frozen", self.weather.frozen))
        self.weather.announced = bool(given.get("announced", self.weather.announced))
        self.weather.hidden = {str(each).lower() for each in given.get("hidden", self.weather.hidden)}
        if "lagSeconds" in given:
            self.lag = timedelta(seconds=lag)
        if given.get("refresh"):
            self.refresh()

    def tables(self, principal: Principal, subscriptions: Sequence[str]) -> "VisibleTables":
        """What that caller may ask now, in these subscriptions."""
        self.index.photograph(self._azure.world.now)
        return VisibleTables(self._azure, self.index, self.weather, self._random, principal, subscriptions)

    def _picture(self, key: str) -> Row | None:
        found = self._azure.world.get(key)
        if found is None:
            return None
        self._mark_network(found)
        return row_of(self._azure, found)

    def _mark_network(self, resource: Resource) -> None:
        """A network shows the interfaces in its subnets, so it changes with them."""
        subnet = resource.private.get("subnet")
        if subnet and resource.type.lower() == "microsoft.network/networkinterfaces":
            self.index.mark(str(subnet).lower())


class VisibleTables:
    """The tables as one caller sees them: other people's subscriptions are left out without a word."""

    def __init__(
        self,
        azure: Kernel,
        index: LaggingIndex,
        weather: GraphWeather,
        source: random.Random,
        principal: Principal,
        subscriptions: Sequence[str],
    ) -> None:
        self._azure = azure
        self._index = index
        self._weather = weather
        self._random = source
        self._principal = principal
        self._subscriptions = frozenset(each.lower() for each in subscriptions) - weather.hidden

    def columns(self, table: str) -> dict[str, Kind] | None:
        return dict(COLUMNS) if table.lower() in (*TABLES, *EMPTY_TABLES) else None

    def rows(self, table: str, types: frozenset[str] | None) -> list[Row]:
        """The table's rows in a new order each time: without a sort the real one promises none."""
        found: list[Row] = []
        for kind, rows in self._index.rows(table.lower(), types):
            found += self._readable(kind, rows)
        if table.lower() == CONTAINERS and (types is None or SUBSCRIPTION_TYPE in types):
            found += self._subscription_rows()
        if self._weather.lost_share:
            found = [row for row in found if not self._lost(row)]
        self._random.shuffle(found)
        return found

    def _readable(self, kind: str, rows: Iterable[Row]) -> list[Row]:
        """The rows that the caller may read; a right at a subscription or above is looked up once for all of it."""
        rbac, principal = self._azure.rbac, self._principal
        action = _ACTIONS.get(kind, f"{kind}/read")
        whole = {
            each: rbac.allows(principal, action, f"/subscriptions/{each}")
            for each in self._subscriptions
        }  # fmt: skip
        narrow = any(arm_ids.parse(each.scope).resource_group for each in principal.assignments if each.scope != "/")
        found: list[Row] = []
        for row in rows:
            allowed = whole.get(row["subscriptionId"].lower())
            if allowed or (allowed is False and narrow and rbac.allows(principal, action, row["id"])):
                found.append(row)
        return found

    def _subscription_rows(self) -> list[Row]:
        action = "Microsoft.Resources/subscriptions/read"
        return [
            subscription_row(self._azure, name)
            for key, name in self._azure.subscriptions.items()
            if key in self._subscriptions and self._azure.rbac.allows(self._principal, action, f"/subscriptions/{key}")
        ]

    def _lost(self, row: Row) -> bool:
        return zlib.crc32(row["id"].lower().encode()) % _SCALE < self._weather.lost_share * _SCALE
