"""The HTTP door of a scenario's house: what a client sees of the whole product in virtual time."""

from shared.core.policy import IsolationPolicy
from tests.handlers.http_rig import Door, Told, path_to
from tests.scenarios.house import House, as_id


def door_of(house: House) -> Door:
    """A door over the house's own ledger, queue, clock and Azure."""
    policy = IsolationPolicy.from_document(house.document)
    services = house.reconciler._services
    return Door(policy, clock=house.clock, ledger=house.ledger, queue=house.queue, services=services)


async def plan_of(house: House, registry: str) -> Told:
    return await door_of(house).get(path_to(as_id(registry), "plan"))


async def approve(house: House, registry: str, digest: str) -> Told:
    """Ask that exactly the plan *digest* be done."""
    return await door_of(house).post(path_to(as_id(registry), "remediate"), {"digest": digest})
