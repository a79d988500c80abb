"""
Replay one source file: arrange what each exchange presumes, send its request, lay the two answers side by side.

Time passes as recorded, with two corrections: an operation that the recording still shows under way is not allowed to
end, and one that it shows as ended is waited for. How long operations take is therefore not compared; what they say is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.simulator import arm_ids
from local.simulator.likeness_arrange import Arranger
from local.simulator.likeness_changes import UnseenChanges
from local.simulator.likeness_compare import Difference, body_of, compare
from local.simulator.likeness_connections import before_decision, connections_in, decisions_in
from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_foreign import groups_in
from local.simulator.likeness_names import Names
from local.simulator.likeness_operations import OperationUrls, is_pending
from local.simulator.likeness_presume import Presumption, presumption_of
from local.simulator.likeness_targets import (
    Target,
    TargetKind,
    group_id,
    subscriptions_asked,
    subscriptions_in,
    target_of,
)
from local.simulator.likeness_versions import versions_used
from local.simulator.likeness_world import Crashed, Driver
from local.simulator.likeness_writable import WRITABLE
from local.simulator.wire import Response

_CONDITIONS = ("if-match", "if-none-match")
_SETTLED = frozenset({"succeeded", "failed", "canceled", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One replayed exchange. `unsupported` means that the simulated Azure says it has no rule for the call."""

    exchange: Exchange
    differences: tuple[Difference, ...]
    unsupported: bool
    notes: tuple[str, ...]


def replay(exchanges: Sequence[Exchange]) -> list[Outcome]:
    """Replay the exchanges of one source file against a simulated Azure of their own."""
    player = _Player(exchanges)
    return [player.play(position) for position in range(len(exchanges))]


class _Player:
    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        texts = (f"{each.path} {each.request_body} {each.body}" for each in exchanges)
        named = {found for text in texts for found in subscriptions_in(text)}
        subscriptions = sorted(named.union(*(subscriptions_asked(each.request_body) for each in exchanges)))
        moments = [each.at for each in exchanges if each.at is not None]
        self._exchanges = exchanges
        groups = groups_in(body for each in exchanges for body in (each.request_body, each.body))
        self._driver = Driver(subscriptions, _start(moments), groups)
        self._names = Names()
        self._arranger = Arranger(self._driver, self._names, exchanges)
        self._urls = OperationUrls(self._driver, self._names, self._arranger, exchanges)
        self._changes = UnseenChanges(self._driver, self._names, self._arranger, exchanges)
        self._versions = versions_used(exchanges)
        self._body: Any = None
        self._anonymous = False

    def play(self, position: int) -> Outcome:
        exchange = self._exchanges[position]
        target = target_of(exchange.plain_path)
        try:
            self._body, self._anonymous = exchange.request_body, False
            answer = self._send(exchange, self._prepared(exchange, target, position))
        except Crashed as problem:
            crash = Difference(
                aspect="status", what="status", recorded=str(exchange.status), simulated=f"crash {problem}"
            )
            return Outcome(exchange=exchange, differences=(crash,), unsupported=False, notes=self._driver.taken_notes())
        self._names.learn(exchange.body, body_of(answer))
        self._urls.learn(exchange.headers, answer)
        return Outcome(
            exchange=exchange,
            differences=compare(exchange, answer),
            unsupported=answer.status == 501,
            notes=self._driver.taken_notes(),
        )

    def _prepared(self, exchange: Exchange, target: Target, position: int) -> str:
        """Prepare; a recording too odd to be understood is sent as it is, and the reason noted."""
        try:
            return self._prepare(exchange, target, position)
        except (Crashed, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
            self._driver.notes.append(f"arranging failed: {type(problem).__name__}: {problem}")
            return self._rewritten(exchange)

    # -- preparing ---------------------------------------------------------------------------------------------------

    def _prepare(self, exchange: Exchange, target: Target, position: int) -> str:
        """Arrange what the exchange presumes and move the clock; the path or URL to call."""
        if target.kind is TargetKind.OPERATION:
            return self._prepare_poll(exchange, position)
        presumed = presumption_of(exchange, target, fails_later=self._urls.fails(exchange))
        self._anonymous = presumed.anonymous
        under_way = _under_way(exchange)
        if not under_way:
            self._driver.reach(exchange.at)
            self._driver.settle()
        if target.kind is TargetKind.LIST and exchange.status < 300:
            self._arranger.ensure_listed(exchange, target, position)
        self._surroundings(exchange, target, presumed, position)
        self._presence(exchange, target, presumed, position)
        if exchange.status < 300 and not under_way:
            self._changes.before(exchange, position)
        if presumed.busy:
            self._make_busy(presumed.busy)
            return self._rewritten(exchange)
        self._driver.set_options(network_contention=False)
        if under_way:
            self._hold(exchange, position)
        else:
            self._driver.settle()
        return self._rewritten(exchange)

    def _hold(self, exchange: Exchange, position: int) -> None:
        """Let the resource be in the middle of a change."""
        found = self._driver.azure.world.get(self._names.text(exchange.plain_path))
        state = str(found.properties.get("provisioningState", "")).lower() if found is not None else ""
        if state in _SETTLED:
            self._arranger.put_anew(exchange.plain_path, exchange, position)
        self._driver.reach(exchange.at, self._driver.azure.next_due())

    def _prepare_poll(self, exchange: Exchange, position: int) -> str:
        url = self._urls.of(exchange, position)
        operation = self._driver.operation(url) if url else None
        if operation is None:
            self._driver.reach(exchange.at)
        elif is_pending(exchange):
            self._driver.reach(exchange.at, operation.due)
        else:
            self._driver.reach(exchange.at)
            self._driver.settle()
        return url or self._rewritten(exchange)

    def _surroundings(self, exchange: Exchange, target: Target, presumed: Presumption, position: int) -> None:
        """The group, the parent and whatever the request names."""
        group = group_id(exchange.plain_path)
        if group and target.kind is not TargetKind.GROUP:
            if presumed.group_missing:
                self._arranger.remove(group, "")
                return
            self._arranger.ensure(group, near=position)
        if target.kind is TargetKind.LIST and exchange.status < 400 and target.id.count("/") > 5:
            self._arranger.ensure(target.id, near=position)
        parent = arm_ids.parse(exchange.plain_path).parent if target.kind is TargetKind.ITEM else ""
        if parent.count("/") > 5:
            cased = exchange.plain_path[: len(parent)]
            if presumed.parent_missing:
                self._arranger.remove(cased, "")
                return
            self._arranger.ensure(cased, near=position)
        self._body = self._asked(exchange, target, presumed, position)
        if self._body is not None:
            missing = str(exchange.body) if presumed.reference_missing else ""
            self._arranger.ensure_references(self._body, exchange.plain_path, near=position, but=missing)

    def _asked(self, exchange: Exchange, target: Target, presumed: Presumption, position: int) -> Any:
        """The request's body; where the recorder did not keep it, what must have been asked for."""
        writes = exchange.method in ("PUT", "PATCH") and target.type in WRITABLE
        if not writes or isinstance(exchange.request_body, dict):
            return exchange.request_body
        wanted = self._names.text(exchange.plain_path)
        behind = self._body_behind(exchange, position)
        return self._arranger.request_body(wanted, target.type, behind, presumed.busy)

    def _presence(self, exchange: Exchange, target: Target, presumed: Presumption, position: int) -> None:
        """The addressed resource itself."""
        if target.kind not in (TargetKind.ITEM, TargetKind.GROUP):
            return
        if target.kind is TargetKind.ITEM and (presumed.group_missing or presumed.parent_missing):
            return
        path = exchange.plain_path
        if presumed.not_seen_yet:
            self._driver.set_options(registry_missing_once=True)
            self._arranger.remove(path, exchange.api_version)
            self._arranger.ensure(path, near=position)
            self._driver.set_options(registry_missing_once=False)
        elif presumed.exists is False:
            self._arranger.remove(path, exchange.api_version)
        elif presumed.exists:
            self._be_there(exchange, presumed, position)
        if target.type.endswith("virtualnetworks/subnets") and exchange.method == "PUT" and exchange.status < 300:
            self._arranger.make_room(self._names.text(path), exchange.request_body)

    def _be_there(self, exchange: Exchange, presumed: Presumption, position: int) -> None:
        """Have the resource as the recording shows it, with what hangs on it."""
        path = exchange.plain_path
        shown = exchange.body if exchange.status < 300 and isinstance(exchange.body, dict) else {}
        usable = shown if "properties" in shown or "location" in shown else None
        before = before_decision(usable) if _decides_at_once(exchange) else usable
        self._arranger.ensure(path, near=position, body=before, version=exchange.api_version)
        self._driver.attach(self._names.text(path), usable)
        for decision in decisions_in(usable):
            self._driver.decide(self._names.text(path), *decision)
            self._arranger.connections.decided(path, *decision)
        for connection in connections_in(usable):
            self._arranger.ensure(str(connection["id"]), near=position, body=connection)
        if exchange.method == "DELETE" and exchange.status < 300:
            self._arranger.unblock(path)
        if presumed.replicated:
            self._arranger.replicate(path, exchange.api_version)
        for locked in presumed.locked:
            self._arranger.lock(locked, position)
        for nested in presumed.nested:
            self._arranger.ensure(f"{group_id(path)}/providers/{nested}", near=position)

    def _make_busy(self, resource_id: str) -> None:
        """Leave an operation on the resource under way."""
        self._driver.settle()
        self._arranger.keep_busy(resource_id)
        self._driver.set_options(network_contention=True)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _rewritten(self, exchange: Exchange) -> str:
        path, _, query = exchange.path.partition("?")
        used = self._versions.get((target_of(exchange.plain_path).type, exchange.api_version))
        if used:
            query = query.replace(exchange.api_version, used)
        return self._names.text(path) + (f"?{query}" if query else "")

    def _send(self, exchange: Exchange, url: str) -> Response:
        headers = {name: self._condition(exchange, name) for name in _CONDITIONS if name in exchange.request_headers}
        body = self._names.body(self._body)
        return self._driver.send(exchange.method, url, headers=headers, body=body, anonymous=self._anonymous)

    def _body_behind(self, exchange: Exchange, position: int) -> Any:
        """What a request must have asked for when its body was not recorded."""
        if isinstance(exchange.body, dict) and exchange.status < 300 and "properties" in exchange.body:
            return exchange.body
        return self._arranger.shown(exchange.plain_path, position)[0]

    def _condition(self, exchange: Exchange, name: str) -> str:
        """An If-Match that held in the recording holds here, too: it names the resource's etag of the moment."""
        value = exchange.request_headers[name]
        if name == "if-match" and value != "*" and exchange.status < 300 and not self._urls.fails(exchange):
            found = self._driver.azure.world.get(self._names.text(exchange.plain_path))
            return str(found.body.get("etag", value)) if found is not None else value
        return value


def _start(moments: Sequence[datetime]) -> datetime | None:
    return min(moments) if moments else None


def _decides_at_once(exchange: Exchange) -> bool:
    """Whether the answer shows a connection after the decision that the request made: Microsoft.Storage does so."""
    kind = target_of(exchange.plain_path).type
    return exchange.method == "PUT" and kind == "microsoft.storage/storageaccounts/privateendpointconnections"


def _under_way(exchange: Exchange) -> bool:
    """Whether a recorded read shows the resource in the middle of a change."""
    if exchange.method != "GET" or not isinstance(exchange.body, dict):
        return False
    properties = exchange.body.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else ""
    return str(state or "").lower() not in _SETTLED
