"""Undo writes a storage account's network rules as a whole: whatever others write before its read stays."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator.rbac import OWNER
from shared.cloud.arm_client import ArmClient
from shared.cloud.container_registries import ContainerRegistries
from shared.cloud.registries import Registries
from shared.cloud.restoring import Restoring
from shared.cloud.storage_accounts import StorageAccounts
from shared.core.clouds import CLOUDS
from shared.core.registry import TargetKind
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import ResourceRule
from tests.cloud.foreign_writers import TENANT, Shared, registry
from tests.cloud.test_storage_rules import add, address, addresses, let_in
from tests.scenarios.house import SimulatedCredential
from tests.scenarios.sharing import BUSY_ACLS, foreign_rule

SNAPSHOT: dict[str, Any] = {"publicNetworkAccess": "Enabled", "networkAcls": BUSY_ACLS}
READ, WRITE = 3, 4
"""Positions of undo's requests, after the three that add a rule."""


def undo_of(shared: Shared) -> RestoreSettings:
    own = (ResourceRule(tenant=TENANT, resource=registry()),)
    return RestoreSettings(target=shared.id, target_kind=TargetKind.STORAGE, settings=SNAPSHOT, own_rules=own)


async def restore(shared: Shared) -> None:
    credential = SimulatedCredential(shared.rig.azure, OWNER)
    arm = ArmClient(credential=credential, cloud=CLOUDS["AzureCloud"], transport=shared.transport)
    restoring = Restoring(
        arm=arm,
        registries=Registries(arm, "2025-06-01"),
        storage_accounts=StorageAccounts(arm),
        container_registries=ContainerRegistries(arm),
    )
    await restoring.start(undo_of(shared))


async def story(shared: Shared) -> None:
    await shared.rules.add(add(shared))
    await restore(shared)


@given(writes=st.dictionaries(st.sampled_from([0, 2, READ]), st.integers(1, 250), max_size=3))
@settings(max_examples=12, deadline=None)
def test_whatever_others_wrote_before_undo_reads_stays_and_the_apps_own_rule_goes(writes: dict[int, int]) -> None:
    shared = Shared({at: address(f"198.51.100.{last}") for at, last in writes.items()})

    asyncio.run(story(shared))

    assert shared.transport.methods[READ:] == ["GET", "PATCH"]
    assert addresses(shared) == ["203.0.113.7", *(f"198.51.100.{writes[at]}" for at in sorted(writes))]
    assert let_in(shared) == [foreign_rule("theirs")["resourceId"]]
    assert shared.account.properties["publicNetworkAccess"] == "Enabled"
    assert shared.acls["ipv6Rules"] == BUSY_ACLS["ipv6Rules"]


def test_undo_writes_right_after_its_read() -> None:
    """As everywhere: Storage takes no condition, so this one round trip is the gap that stays."""
    shared = Shared({WRITE: address("198.51.100.1")})

    asyncio.run(story(shared))

    assert addresses(shared) == ["203.0.113.7"], "Azure has learned conditions; use them"
