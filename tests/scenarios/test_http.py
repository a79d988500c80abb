"""A person asks over HTTP: what was approved happens, and nothing else."""

import asyncio
from datetime import timedelta
from typing import Any

from local.simulator import scenery
from local.simulator.options import Options
from tests.handlers.http_rig import path_to
from tests.scenarios.house import House, as_id
from tests.scenarios.http_door import approve, door_of, plan_of
from tests.scenarios.test_growth import grow
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated

ELSEWHERE = "0" * 64


def an_old_registry(house: House) -> str:
    """A registry from before the app came: nobody has told it."""
    return scenery.create_registry(house.azure, "contoso", ("westeurope",)).id


def keys(plan: dict[str, Any]) -> list[str]:
    return [change["key"] for stage in plan["stages"] for change in stage["changes"]]


async def made(house: House, registry: str) -> set[str]:
    """Keys of the changes that the history tells."""
    return {entry.subject for entry in await house.told(registry) if entry.kind == "change"}


def reopen(house: House, registry: str) -> None:
    """Somebody opens a storage account of the registry again."""
    found = house.azure.world.get(registry)
    assert found is not None
    account = scenery.parts_of(house.azure, found)[0]
    body = {"properties": {"publicNetworkAccess": "Enabled"}}
    scenery.send(house.azure, "PATCH", account.id, body, api_version="2025-01-01")


def add_region(house: House, registry: str) -> None:
    """A user adds a region; Azure is done with it at once, as far as anybody can see."""
    body = scenery.registry_body(("westeurope", "northeurope"))
    scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)
    scenery.rest(house.azure)


def test_a_dry_run_shows_everything_and_writes_nothing() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            writes = len(house.writes())

            told = await plan_of(house, registry)

            assert told.status == 200
            kinds = [{change["kind"] for change in stage["changes"]} for stage in told.body["stages"]]
            assert kinds[0] == {"create-endpoint", "create-zone", "link-zone", "put-zone-group"}
            assert kinds[1:] == [{"close-public-access"}, {"close-public-access"}]
            closing = told.body["stages"][1]["changes"][0]
            assert closing["before"]["publicNetworkAccess"] == "Enabled"
            assert closing["after"]["publicNetworkAccess"] == "Disabled"
            assert len(house.writes()) == writes
            assert await house.row(registry) is None
            assert len(house.queue) == 0
            assert (await plan_of(house, registry)).body["digest"] == told.body["digest"]

    tell(story())


def test_what_was_approved_is_done_to_the_end_and_nothing_else() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry = an_old_registry(house)
            plan = (await plan_of(house, registry)).body

            told = await approve(house, registry, plan["digest"])

            assert told.status == 202
            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert await made(house, registry) == set(keys(plan))
            asked = [entry for entry in await house.told(registry) if entry.kind == "request"]
            assert plan["digest"] in [entry.digest for entry in asked]
            assert (await plan_of(house, registry)).body["digest"] == ""

    tell(story())


def test_a_plan_that_is_no_longer_the_plan_is_refused_with_the_new_one() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            old = (await plan_of(house, registry)).body
            add_region(house, registry)
            writes = len(house.writes())

            told = await approve(house, registry, old["digest"])

            assert (told.status, told.body["error"]) == (409, "PlanChanged")
            assert told.body["plan"]["digest"] == (await plan_of(house, registry)).body["digest"] != old["digest"]
            assert len(house.writes()) == writes
            assert await house.row(registry) is None

    tell(story())


def test_what_changes_between_the_door_and_the_pass_is_not_done() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            old = (await plan_of(house, registry)).body
            await approve(house, registry, old["digest"])
            add_region(house, registry)
            writes = len(house.writes())

            assert await house.settle(registry) == "blocked"

            report = (await door_of(house).get(path_to(as_id(registry)))).body
            new = (await plan_of(house, registry)).body
            assert [reason["name"] for reason in report["reasons"]] == ["PlanChanged"]
            assert old["digest"] in report["reasons"][0]["sentence"]
            assert new["digest"] in report["reasons"][0]["sentence"]
            assert len(house.writes()) == writes
            assert (await approve(house, registry, new["digest"])).status == 202
            assert await house.settle(registry) == "converged"

    tell(story())


def test_what_nobody_approved_ends_the_work_in_the_middle() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            plan = (await plan_of(house, registry)).body
            await approve(house, registry, plan["digest"])
            await house.live(house.wrote("privateEndpoints"))
            add_region(house, registry)

            assert await house.settle(registry) == "blocked"

            assert await made(house, registry) <= set(keys(plan))
            assert set(house.access(registry).values()) == {"Enabled"}
            report = (await door_of(house).get(path_to(as_id(registry)))).body
            assert [reason["name"] for reason in report["reasons"]] == ["PlanChanged"]

    tell(story())


def test_of_two_digests_at_once_at_most_one_is_right() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            right = (await plan_of(house, registry)).body["digest"]

            told = await asyncio.gather(*(approve(house, registry, digest) for digest in (ELSEWHERE, right, ELSEWHERE)))

            assert [each.status for each in told] == [409, 202, 409]
            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_the_same_digest_twice_at_once_does_everything_once() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            plan = (await plan_of(house, registry)).body

            told = await asyncio.gather(*(approve(house, registry, plan["digest"]) for _ in range(3)))

            assert {each.status for each in told} == {202}
            assert await house.settle(registry) == "converged"
            assert await made(house, registry) <= set(keys(plan))
            created = [
                call for call in house.writes() if "/privateEndpoints/" in call.url and "ZoneGroup" not in call.url
            ]
            assert len({call.url for call in created}) == len(created) == 3

    tell(story())


def test_nobody_approves_while_work_is_under_way() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            digest = (await plan_of(house, registry)).body["digest"]
            await approve(house, registry, digest)
            await house.live(house.wrote("privateEndpoints"))

            told = await approve(house, registry, digest)

            assert (told.status, told.body["error"]) == (409, "WorkUnderWay")
            assert int(told.headers["Retry-After"]) >= 1
            assert await house.settle(registry) == "converged"

    tell(story())


def test_a_request_without_a_digest_supersedes_an_approval_that_led_nowhere() -> None:
    async def story() -> None:
        async with House() as house:
            registry = an_old_registry(house)
            await approve(house, registry, (await plan_of(house, registry)).body["digest"])
            await grow(house, registry, "westeurope", "northeurope")
            await house.settle(registry)

            await door_of(house).post(path_to(as_id(registry), "remediate"))

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_script_waits_for_the_end_and_gets_the_report() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.settle(registry)
            reopen(house, registry)
            asked = asyncio.create_task(door_of(house).post(path_to(as_id(registry), "remediate") + "?wait=60"))

            await house.live(house.after(timedelta(seconds=61)))

            told = await asked
            assert (told.status, told.body["phase"]) == (200, "converged")
            assert unisolated(house.azure, registry) == []
            closings = [key for key in await made(house, registry) if key.startswith("close-public-access")]
            assert any("storageaccounts" in key for key in closings)

    tell(story())


def test_a_paused_registry_is_remediated_only_after_it_was_resumed() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.settle(registry)
            door, path = door_of(house), path_to(as_id(registry))
            await door.post(f"{path}/undo", {"why": "clients outside"})
            await house.settle(registry)

            refused = await door.post(f"{path}/remediate")
            resumed = await door.post(f"{path}/resume")

            assert (refused.status, refused.body["error"]) == (409, "EnforcementPaused")
            assert "clients outside" in refused.body["detail"]
            assert resumed.status == 202
            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_dry_run_of_what_azure_has_not_made_says_so() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            told = []
            for _ in range(12):
                told.append(await plan_of(house, registry))
                await house.clock.sleep(timedelta(seconds=5))
                house.azure.advance(house.now())

            assert {(each.status, each.body.get("error")) for each in told} == {
                (404, "UnknownRegistry"),
                (503, "NotReadyYet"),
                (200, None),
            }

    tell(story())


def test_a_registry_that_its_tags_exempt_has_no_plan() -> None:
    async def story() -> None:
        house = House()
        house.document["scope"]["tags"] = {"exclude": {"isolation": "off"}}
        async with house:
            registry = an_old_registry(house)
            found = house.azure.world.get(registry)
            assert found is not None
            found.body["tags"] = {"isolation": "off"}

            plan = (await plan_of(house, registry)).body

            assert (plan["stages"], plan["digest"]) == ([], "")
            assert "tags" in plan["exempt"]

    tell(story())


def test_an_audit_shows_the_plan_and_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        house.document["mode"] = "audit"
        async with house:
            registry = an_old_registry(house)
            plan = (await plan_of(house, registry)).body

            told = await approve(house, registry, plan["digest"])

            assert (plan["mode"], len(plan["stages"])) == ("audit", 3)
            assert (told.status, told.body["error"]) == (409, "AuditMode")

    tell(story())
