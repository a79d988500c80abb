"""One list tells which zones are missing, and never hides one that somebody has made since."""

from datetime import datetime, timedelta

from local.virtual_time import EPOCH
from shared.cloud.private_dns import PrivateDns
from shared.cloud.shared_zones import SharedZones
from shared.core.arm import ResourceId
from shared.engine.ports import ZoneQuery
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client

GROUP = ResourceId.parse("/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/dns")
NAMES = ("privatelink.azurecr.io", "privatelink.blob.core.windows.net", "privatelink.api.azureml.ms")
SECOND = timedelta(seconds=1)


def zone(name: str) -> ResourceId:
    return GROUP.resource("Microsoft.Network/privateDnsZones", name)


class Group:
    """A resource group with the zones that *present* names."""

    def __init__(self, *present: str, refuses_lists: bool = False) -> None:
        self.present = set(present)
        self.refuses_lists = refuses_lists
        self.now: datetime = EPOCH
        self.asked: list[str] = []
        arm = arm_client(AnsweringTransport(self._answer))
        self.shared = SharedZones(PrivateDns(arm), arm.throttle, lambda: self.now)

    def _answer(self, sent: Sent) -> Reply:
        parts = sent.path.split("/")
        if parts[-1] == "privateDnsZones":
            self.asked.append("list")
            if self.refuses_lists:
                return Reply(403, {"code": "AuthorizationFailed", "message": "no right to list"})
            return Reply(200, {"value": [{"id": zone(name).text, "properties": {}} for name in sorted(self.present)]})
        name = parts[-2]
        self.asked.append(name)
        return Reply(200, {"value": []}) if name in self.present else Reply(404, {"code": "ResourceNotFound"})

    async def existing(self, *names: str, since: datetime | None = None) -> set[str]:
        queries = [ZoneQuery(zone=zone(name), records=(), links=True, since=since, links_since=since) for name in names]
        return {found.id.name for found in await self.shared.read_all(queries) if found.exists}


async def test_zones_that_do_not_exist_cost_one_list_for_all_of_them() -> None:
    group = Group()

    assert await group.existing(*NAMES) == set()
    assert group.asked == ["list"]


async def test_zones_that_exist_are_read_and_not_listed_again() -> None:
    group = Group(*NAMES)

    assert await group.existing(*NAMES) == set(NAMES)
    assert await group.existing(*NAMES) == set(NAMES)
    assert group.asked.count("list") == 1


async def test_a_zone_made_since_the_list_is_found_by_one_who_knows_of_it() -> None:
    group = Group()
    seen = group.now
    await group.existing(*NAMES, since=seen)
    group.present.update(NAMES)
    group.now += SECOND

    assert await group.existing(*NAMES, since=seen) == set(), "the list is as young as this asker wants it"
    assert await group.existing(*NAMES, since=group.now) == set(NAMES)


async def test_a_zone_that_was_deleted_is_missed_although_it_was_seen_before() -> None:
    group = Group(*NAMES)
    await group.existing(*NAMES)
    group.present.remove(NAMES[0])

    assert await group.existing(*NAMES) == set(NAMES[1:])


async def test_one_who_may_not_list_reads_each_zone() -> None:
    group = Group(NAMES[0], refuses_lists=True)

    assert await group.existing(*NAMES) == {NAMES[0]}
    assert group.asked.count("list") == 1


async def test_a_single_zone_is_not_worth_a_list() -> None:
    group = Group()

    assert await group.existing(NAMES[0]) == set()
    assert "list" not in group.asked


async def test_what_progress_has_seen_is_not_listed() -> None:
    group = Group(*NAMES)
    for name in NAMES:
        group.shared.note_present(zone(name))

    assert await group.existing(*NAMES) == set(NAMES)
    assert "list" not in group.asked
