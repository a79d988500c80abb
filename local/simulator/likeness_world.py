"""
The simulated Azure of one source file, as the replay drives it: calls, clock and what exists.

Everything here goes through the one door of the simulated Azure. Resources of services that are not simulated (the
targets of many recorded private endpoints, identities, public addresses) are placed into its world as bare stand-ins.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local.simulator import likeness_foreign
from local.simulator.azure import SimulatedAzure
from local.simulator.likeness_targets import group_id
from local.simulator.operations import Operation
from local.simulator.providers import network_interfaces
from local.simulator.wire import Request, Response
from local.simulator.world import EPOCH, Resource

_PATIENCE = timedelta(days=1)
_MOMENT = timedelta(milliseconds=1)
_STEPS = 10_000
_A_WHILE = 20.0


class Crashed(RuntimeError):
    """The simulated Azure raised instead of answering: a fault of the simulator, never of the recording."""


class Driver:
    """One simulated Azure with the calls that the replay makes."""

    def __init__(self, subscriptions: Sequence[str], start: datetime | None, groups: Sequence[str] = ()) -> None:
        self.azure = SimulatedAzure(start=start or EPOCH, subscriptions=subscriptions or ["0" * 8])
        self._groups = tuple(groups)
        self.notes: list[str] = []
        """What went wrong while something was arranged, since the last `taken_notes`."""

    @property
    def now(self) -> datetime:
        return self.azure.world.now

    def taken_notes(self) -> tuple[str, ...]:
        notes, self.notes = tuple(self.notes), []
        return notes

    # -- calls -------------------------------------------------------------------------------------------------------

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        anonymous: bool = False,
    ) -> Response:
        """
        One call, now, with the owner's token unless it is to be *anonymous*.

        Raises:
            Crashed: The simulated Azure raised.
        """
        address = url if "://" in url else self.azure.endpoint + url
        content = b"" if body is None else json.dumps(body).encode()
        token = {} if anonymous else self.azure.headers()
        request = Request(method, address, {**(headers or {}), **token}, content)
        try:
            return self.azure.handle(request, self.now)
        except Exception as problem:
            raise Crashed(f"{type(problem).__name__}: {problem}") from problem

    def arrange(
        self,
        method: str,
        resource_id: str,
        api_version: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response | None:
        """A call that prepares the world. A refusal is noted, not raised; 501 is left to the caller."""
        try:
            answer = self.send(method, f"{resource_id}?api-version={api_version}", headers=headers, body=body)
        except Crashed as problem:
            self.notes.append(f"{method} {resource_id} crashed: {problem}")
            return None
        if answer.status >= 300 and answer.status != 501:
            told = answer.body.decode("utf-8", "replace")[:300]
            self.notes.append(f"{method} {resource_id} was refused while arranging: {answer.status} {told}")
        return answer

    # -- clock -------------------------------------------------------------------------------------------------------

    def reach(self, moment: datetime | None, limit: datetime | None = None) -> None:
        """Let time pass until *moment*, but not to *limit*."""
        if moment is None:
            return
        target = moment if limit is None else min(moment, limit - _MOMENT)
        if target > self.now:
            self._advance(target)

    def settle(self) -> None:
        """Let time pass until nothing is under way any more."""
        end = self.now + _PATIENCE
        for _ in range(_STEPS):
            due = self.azure.next_due()
            if due is None or due > end:
                return
            self._advance(max(due, self.now))

    def _advance(self, moment: datetime) -> None:
        try:
            self.azure.advance(moment)
        except Exception as problem:
            raise Crashed(f"{type(problem).__name__}: {problem}") from problem

    def set_options(self, **changes: Any) -> None:
        """Switch on or off what the simulated Azure has as an option because the real one does it only at times."""
        self.azure.options = replace(self.azure.options, **changes)

    def operation(self, url: str) -> Operation | None:
        """The long operation behind a simulated operation URL."""
        path = urlsplit(url).path.lower()
        known = self.azure.operations.all.values()
        return next((each for each in known if path in _paths(each)), None)

    # -- what exists -------------------------------------------------------------------------------------------------

    def exists(self, resource_id: str) -> bool:
        return self.azure.world.get(resource_id) is not None

    def location_of(self, resource_id: str) -> str:
        """The region of a resource or of its group, a common one when neither is known."""
        for each in (resource_id, group_id(resource_id)):
            found = self.azure.world.get(each) if each else None
            if found is not None and found.location not in ("", "global"):
                return found.location
        return "westus2"

    def stand_in(self, resource_id: str) -> None:
        """Put a bare resource of a service that is not simulated into the world."""
        likeness_foreign.place(self.azure, resource_id, self.location_of(resource_id), self._groups)

    def disturb(self, stand_in: Resource) -> None:
        """A stand-in is in the middle of a change for a moment."""
        stand_in.properties["provisioningState"] = "Updating"
        self.azure.world.later(_A_WHILE, lambda _at: stand_in.properties.update(provisioningState="Succeeded"))

    def attach(self, interface_id: str, body: Any) -> None:
        """A stand-in virtual machine takes the interface that the recording shows in one's hands."""
        properties = body.get("properties") if isinstance(body, dict) else None
        machine = properties.get("virtualMachine") if isinstance(properties, dict) else None
        interface = self.azure.world.get(interface_id)
        if isinstance(machine, dict) and interface is not None and "virtualMachine" not in interface.properties:
            network_interfaces.attach(self.azure, interface, str(machine.get("id", "")))

    def decide(self, endpoint_id: str, target_id: str, status: str, description: str) -> None:
        """The owner of a stand-in approves or rejects a private endpoint."""
        target = self.azure.world.get(target_id)
        if target is not None and likeness_foreign.is_stand_in(target):
            self.azure.links.state_changed(target_id, endpoint_id, status, description)


def _paths(operation: Operation) -> set[str]:
    return {urlsplit(url).path.lower() for url in (operation.status_url, operation.result_url) if url}
