"""
Look around before the work: is everything there that the policy needs, and if not, which command makes it so?

Reads only, all at once, each with a limit of its own. What cannot be read is a diagnosis as well, never an error: whoever
asks wants to know about everything else too. Asked by HTTP (`health?deep=1`) and by `make doctor`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from shared.core.arm import ResourceId
from shared.core.diagnosis import (
    Diagnosis,
    Verdict,
    of_denials,
    of_need,
    of_provider,
    of_routes,
    of_subnet,
    of_zone,
    providers_of,
    unasked,
    zone_names,
)
from shared.core.errors import AccessDenied, MissingPermission, RegistryIsolationError
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Network
from shared.core.rights import Need, needs, storage_need
from shared.engine.deadline import within
from shared.engine.doctor_ports import Surroundings
from shared.engine.ports import ControlPlane, Ledger, ZoneQuery

PATIENCE = timedelta(seconds=10)
"""Longest that one look may take."""
AT_ONCE = 16
"""Looks at the same time, so that a policy of many networks does not throttle the app."""
SAMPLE = 5
"""Registries whose deny assignments are looked at: the setting is made in the same way for all of a team's."""

type Look = Coroutine[Any, Any, Sequence[Diagnosis]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """
    Whom the doctor examines.

    Attributes:
        principal: Object id of the app's identity; "" if it is not configured.
        app: Resource id of the function app; "" if it is not known.
        topic: Endpoint of the outcome topic; "" for none.
    """

    policy: IsolationPolicy
    zone_table: Mapping[str, tuple[str, ...]]
    principal: str = ""
    app: str = ""
    topic: str = ""


class Doctor:
    """Examines one installation."""

    def __init__(self, patient: Patient, surroundings: Surroundings, plane: ControlPlane, ledger: Ledger) -> None:
        self._patient = patient
        self._policy = patient.policy
        self._around = surroundings
        self._plane = plane
        self._ledger = ledger

    async def examine(self) -> tuple[Diagnosis, ...]:
        """Look at everything; in an order that does not change."""
        gate = asyncio.Semaphore(AT_ONCE)
        policy = f"The policy is valid: mode {self._policy.mode}, {len(self._policy.networks)} networks."
        found = [Diagnosis(check="policy", verdict=Verdict.OK, sentence=policy)]
        token = await self._look(gate, "token", "", self._token)
        looks = [*self._state_looks(gate)]
        if token[0].verdict is Verdict.OK:
            looks += self._azure_looks(gate)
        for answers in await asyncio.gather(*looks):
            found.extend(answers)
        return (*found[:1], *token, *found[1:])

    def _state_looks(self, gate: asyncio.Semaphore) -> list[Look]:
        looks = [
            self._look(gate, f"state-{each}", each, partial(self._state, each)) for each in ("table", "queue", "blob")
        ]
        return [*looks, self._look(gate, "outcomes", self._patient.topic, self._outcomes)]

    def _azure_looks(self, gate: asyncio.Semaphore) -> list[Look]:
        policy = self._policy
        by_scope: dict[str, list[Need]] = {}
        for need in needs(policy):
            by_scope.setdefault(need.scope, []).append(need)
        looks = [
            self._look(gate, "permission", scope, partial(self._permissions, wanted))
            for scope, wanted in by_scope.items()
        ]
        looks += [
            self._look(
                gate, "provider", f"/subscriptions/{place}/providers/{name}", partial(self._provider, place, name)
            )
            for place, name in providers_of(policy)
        ]
        looks += [
            self._look(gate, "events", f"/subscriptions/{subscription}", partial(self._events, subscription))
            for subscription in policy.scope.subscriptions
        ]
        for network in policy.networks:
            looks.append(self._look(gate, "subnet", network.subnet.text, partial(self._subnet, network)))
            looks.append(self._look(gate, "zone", network.name, partial(self._zones, network)))
        for sharing in policy.sharing:
            looks += [
                self._look(gate, "permission", workspace.text, partial(self._workspace, workspace))
                for workspace in sharing.workspaces
            ]
        return [*looks, self._look(gate, "deny-assignment", "", self._denials)]

    async def _look(
        self, gate: asyncio.Semaphore, check: str, subject: str, look: Callable[[], Awaitable[Sequence[Diagnosis]]]
    ) -> Sequence[Diagnosis]:
        """Look; what cannot be told is said."""
        try:
            async with gate:
                return await within(PATIENCE, look(), what=subject or check)
        except RegistryIsolationError as error:
            return (Diagnosis(check=check, verdict=Verdict.UNKNOWN, sentence=error.sentence, subject=subject),)

    # --- looks --------------------------------------------------------------------------------------------------------

    async def _token(self) -> Sequence[Diagnosis]:
        await self._around.token()
        return (Diagnosis(check="token", verdict=Verdict.OK, sentence="The app's identity gets access tokens."),)

    async def _state(self, service: str) -> Sequence[Diagnosis]:
        if service == "table":
            await self._ledger.list_rows(limit=1)
        else:
            await self._around.touch(service)
        sentence = f"The {service} service of the app's own storage account answers."
        return (Diagnosis(check=f"state-{service}", verdict=Verdict.OK, sentence=sentence, subject=service),)

    async def _permissions(self, wanted: Sequence[Need]) -> Sequence[Diagnosis]:
        try:
            held = await self._around.permissions(wanted[0].scope)
        except (AccessDenied, MissingPermission) as error:
            return unasked(wanted, error.sentence, self._patient.principal)
        return tuple(of_need(need, held, self._patient.principal) for need in wanted)

    async def _workspace(self, workspace: ResourceId) -> Sequence[Diagnosis]:
        """Rights on the storage account that a workspace names."""
        found = await self._plane.read_workspace(workspace)
        if found is None or found.storage_account is None:
            sentence = f"Workspace {workspace.name} of the policy's sharing section does not exist or names no storage."
            return (
                Diagnosis(
                    check="workspace",
                    verdict=Verdict.FAIL,
                    sentence=sentence,
                    subject=workspace.text,
                    fix="Correct the id in the policy.",
                ),
            )
        return await self._permissions([storage_need(self._policy, found.storage_account.text)])

    async def _provider(self, subscription: str, namespace: str) -> Sequence[Diagnosis]:
        return (of_provider(subscription, namespace, await self._around.provider(subscription, namespace)),)

    async def _events(self, subscription: str) -> Sequence[Diagnosis]:
        return (of_routes(subscription, await self._around.event_routes(subscription), self._patient.app),)

    async def _subnet(self, network: Network) -> Sequence[Diagnosis]:
        return (of_subnet(network, await self._plane.read_subnet(network.subnet)),)

    async def _zones(self, network: Network) -> Sequence[Diagnosis]:
        targets = self._policy.targets
        groups = [
            *(["amlregistry"] if targets.registry.endpoint else []),
            *(targets.storage.subresources if targets.storage.endpoint else ()),
            *(["registry"] if targets.acr.endpoint else []),
        ]
        wanted = zone_names(network, groups, self._patient.zone_table)
        if not wanted:
            return ()
        zones = await self._plane.read_zones([ZoneQuery(zone=zone, links=True) for zone in wanted])
        audit = self._policy.mode == "audit"
        return tuple(of_zone(network, zones[zone], audit=audit) for zone in wanted)

    async def _denials(self) -> Sequence[Diagnosis]:
        found: list[Diagnosis] = []
        for registry in await self._some_registries():
            document = await self._plane.read_registry(registry)
            if document is not None and document.managed_group is not None:
                group = document.managed_group
                denials = await self._plane.read_denials(group)
                found.append(of_denials(registry, group, denials, self._patient.principal))
        return found

    async def _some_registries(self) -> list[ResourceId]:
        """Those that the app knows; where it knows none yet, those that Azure tells."""
        page = await self._ledger.list_rows(limit=SAMPLE)
        found = [row.registry for row in page.rows]
        for subscription in () if found else self._policy.scope.subscriptions[:SAMPLE]:
            found += await self._around.some_registries(subscription)
        return found[:SAMPLE]

    async def _outcomes(self) -> Sequence[Diagnosis]:
        if not self._patient.topic:
            sentence = "No outcome topic is configured; nobody is told what becomes of registries."
            return (Diagnosis(check="outcomes", verdict=Verdict.OK, sentence=sentence),)
        page = await self._ledger.list_rows(limit=100)
        waiting = [row.registry.name for row in page.rows if row.outbox]
        if not waiting:
            sentence = "No outcome event waits for the topic."
            return (Diagnosis(check="outcomes", verdict=Verdict.OK, sentence=sentence, subject=self._patient.topic),)
        sentence = f"Outcome events about {len(waiting)} registries wait for the topic, {waiting[0]} among them."
        fix = (
            f"az role assignment create --assignee-object-id '{self._patient.principal}' --assignee-principal-type "
            "ServicePrincipal --role 'EventGrid Data Sender' --scope <id of the topic>"
        )
        diagnosis = Diagnosis(
            check="outcomes", verdict=Verdict.WARN, sentence=sentence, subject=self._patient.topic, fix=fix
        )
        return (diagnosis,)
