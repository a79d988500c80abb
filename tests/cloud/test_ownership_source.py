"""Owners as Resource Manager tells them, over the simulated Azure and under the app's role."""

from shared.cloud.ownership_source import ArmOwnerSource
from shared.core.arm import ResourceId
from tests.cloud.rig import Rig


async def test_a_managed_group_names_its_registry_and_another_group_nobody() -> None:
    rig = Rig()
    registry = rig.registry()
    source = ArmOwnerSource(rig.arm)
    managed = rig.parts(registry)[0].group

    assert (await source.managed_by(managed)).lower() == registry.id.lower()
    assert await source.managed_by(rig.network_group) == ""


async def test_a_group_that_does_not_exist_is_managed_by_nobody() -> None:
    rig = Rig()

    assert await ArmOwnerSource(rig.arm).managed_by(ResourceId.parse(f"{rig.network_group.text}-gone")) == ""


async def test_an_endpoint_tells_its_tags_and_a_missing_one_none() -> None:
    rig = Rig()
    account = rig.parts(rig.registry())[0]
    await rig.plane.start(rig.endpoint_change(account, "blob"))
    source = ArmOwnerSource(rig.arm)

    assert await source.endpoint_tags(rig.endpoint()) == {"managed-by": "tests"}
    assert await source.endpoint_tags(rig.endpoint("pe-gone")) == {}
