"""Before the work: what is missing is found, named, and comes with the command that repairs it."""

from dataclasses import replace
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.options import Options
from shared.core.diagnosis import Diagnosis, Verdict
from tests.scenarios.doctor import bad, doctor_of
from tests.scenarios.house import APP, House
from tests.scenarios.rights import GRANTED, SPELLED, grant, refused, role
from tests.scenarios.sharing import Neighbourhood
from tests.scenarios.test_egress import egress
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_least_privilege_places import Estate, assign, everything
from tests.scenarios.told import ToldHouse
from tests.scenarios.ways_out import add_group, add_policy

CODES = {"policy", "token", "state-table", "state-queue", "state-blob", "outcomes", "permission", "provider", "events"}


async def examined(house: House, **known: str) -> tuple[Diagnosis, ...]:
    async with house:
        return await doctor_of(house, **known).examine()


def test_an_installation_that_lacks_nothing_is_told_so_and_nothing_is_written() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        egress(house, add_group(house), service_endpoint_policy=add_policy(house))
        grant(house, tuple(GRANTED))
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            before = len(house.azure.log)

            found = await doctor_of(house).examine()

            assert bad(found) == []
            assert {each.check for each in found} == CODES | {"subnet", "zone", "deny-assignment"}
            assert house.writes(before) == []
            assert refused(house) == ()

    tell(story())


def test_the_doctor_of_an_app_that_audits_needs_the_role_for_audits_only() -> None:
    async def story() -> None:
        house = House()
        house.document["mode"] = "audit"
        grant(house, role("audit"))

        found = await examined(house)

        assert {each.check for each in bad(found)} == {"zone"}
        assert "az network private-dns zone create" in bad(found)[0].fix
        assert refused(house) == ()

    tell(story())


@pytest.mark.parametrize("action", sorted(GRANTED - {*role("outcomes"), "Microsoft.Authorization/permissions/read"}))
def test_a_right_that_is_missing_is_named_with_its_place_and_the_command_that_grants_it(action: str) -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        egress(house, add_group(house), service_endpoint_policy=add_policy(house))
        grant(house, tuple(GRANTED), (action,))

        found = [each for each in bad(await examined(house)) if each.check == "permission"]

        lacking = SPELLED.get(action, action)
        named = [each for each in found if lacking in each.sentence and each.verdict is not Verdict.UNKNOWN]
        assert named
        for each in named:
            assert each.subject in each.sentence
            assert f"--assignee-object-id '{APP}'" in each.fix
            assert f"--scope '{each.subject}'" in each.fix

    tell(story())


def test_without_the_right_to_ask_for_permissions_the_rest_is_examined_all_the_same() -> None:
    async def story() -> None:
        house = House()
        grant(house, tuple(GRANTED), ("Microsoft.Authorization/permissions/read",))

        found = bad(await examined(house))

        assert {(each.check, each.verdict) for each in found} == {("permission", Verdict.UNKNOWN)}
        assert all("Microsoft.Authorization/permissions/read" in each.sentence for each in found)
        assert all(f"--scope '{each.subject}'" in each.fix for each in found)

    tell(story())


def test_a_subscription_where_nobody_gave_the_app_a_role_comes_with_the_command_that_gives_it() -> None:
    async def story() -> None:
        house, other = House(), "22222222-2222-4222-8222-222222222222"
        house.azure.subscriptions[other] = other
        house.document["scope"]["subscriptions"].append(other)
        app = house.azure.rbac.principal(APP)
        app.assignments[:] = [replace(each, scope=house.scene.subscription) for each in app.assignments]

        found = bad(await examined(house))

        assert {each.verdict for each in found} == {Verdict.UNKNOWN}
        (fix,) = [each.fix for each in found if each.check == "permission"]
        assert fix.startswith(f"az role assignment create --assignee-object-id '{APP}' ")
        assert fix.endswith(f"--role 'Registry Isolation ({other})' --scope '/subscriptions/{other}'")

    tell(story())


def test_rights_on_workspaces_and_ways_out_are_looked_at_where_only_their_own_roles_are() -> None:
    async def story() -> None:
        house = Estate()
        everything(house)
        assign(house, roles=True)

        found = await examined(house)

        assert {each.check for each in bad(found)} <= {"events", "zone"}
        assert any("/workspaces/" in each.subject for each in found)

    tell(story())


def test_without_a_token_nothing_else_is_asked_of_azure() -> None:
    async def story() -> None:
        house = House()
        house.azure.rbac.principals.pop(APP)

        found = await examined(house)

        assert {each.check for each in bad(found)} == {"token"}
        assert {each.check for each in found} == CODES - {"permission", "provider", "events"}
        assert len([call for call in house.azure.log if "/tenants" in call.url]) == 1

    tell(story())


def test_a_provider_that_is_not_registered_comes_with_the_command() -> None:
    async def story() -> None:
        house = House()
        (subscription,) = house.azure.subscriptions.values()
        house.azure.unregistered.add((subscription.lower(), "microsoft.network"))

        (found,) = bad(await examined(house))

        assert (found.check, found.verdict) == ("provider", Verdict.FAIL)
        assert found.fix == f"az provider register --namespace Microsoft.Network --subscription {subscription} --wait"

    tell(story())


def test_endpoints_need_the_providers_of_what_they_lead_to_in_their_own_subscription() -> None:
    async def story() -> None:
        house, hub = House(), "22222222-2222-4222-8222-222222222222"
        house.azure.subscriptions[hub] = hub
        scene = scenery.standard_world(house.azure, subscription=hub)
        network = house.document["networks"][0]
        network |= {"subnet": scene.subnet, "dns": {"zones_resource_group": scene.dns_group}}
        house.azure.unregistered |= {(hub, "microsoft.containerregistry"), (hub, "microsoft.eventgrid")}

        (found,) = bad(await examined(house))

        assert (found.check, found.verdict) == ("provider", Verdict.FAIL)
        assert found.fix == f"az provider register --namespace Microsoft.ContainerRegistry --subscription {hub} --wait"

    tell(story())


def test_zones_need_the_provider_of_networks_in_their_own_subscription() -> None:
    async def story() -> None:
        house, names = House(), "44444444-4444-4444-8444-444444444444"
        house.azure.subscriptions[names] = names
        group = f"/subscriptions/{names}/resourceGroups/rg-dns"
        scenery.send(house.azure, "PUT", group, {"location": "westeurope"}, api_version=scenery.GROUP_API)
        house.document["networks"][0]["dns"]["zones_resource_group"] = group
        house.azure.unregistered |= {(names, "microsoft.network"), (names, "microsoft.storage")}

        (found,) = bad(await examined(house))

        assert found.fix == f"az provider register --namespace Microsoft.Network --subscription {names} --wait"

    tell(story())


def test_before_the_app_knows_a_registry_azure_is_asked_for_some() -> None:
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True)) as house:
            scenery.create_registry(house.azure, "contoso", now=house.now())

            found = [each for each in await doctor_of(house).examine() if each.check == "deny-assignment"]

            assert [each.verdict for each in found] == [Verdict.WARN]
            assert "contoso" in found[0].sentence
            assert APP in found[0].fix

    tell(story())


@pytest.mark.parametrize(
    ("prefix", "verdict", "fix"),
    [("10.0.1.0/29", Verdict.FAIL, "--address-prefixes"), ("10.0.1.0/28", Verdict.WARN, "--address-prefixes")],
)
def test_a_small_subnet_is_told_before_it_is_full(prefix: str, verdict: Verdict, fix: str) -> None:
    async def story() -> None:
        (found,) = bad(await examined(House(subnet_prefix=prefix)))

        assert (found.check, found.verdict) == ("subnet", verdict)
        assert fix in found.fix

    tell(story())


def test_a_network_that_does_not_exist_and_a_zone_that_may_not_be_made_are_told() -> None:
    async def story() -> None:
        house = House()
        network = house.document["networks"][0]
        network["subnet"] = house.scene.subnet.replace("/endpoints", "/nowhere")
        network["dns"] |= {"create_zones": False}
        network["endpoints_resource_group"] = f"{house.scene.subscription}/resourceGroups/nowhere"

        found = bad(await examined(house))

        assert [each.check for each in found] == ["permission", "permission", "subnet", "zone", "zone", "zone"]
        assert all(each.verdict is Verdict.FAIL for each in found)
        assert found[0].sentence.startswith(f"There is no {house.scene.subscription}/resourceGroups/nowhere")
        assert "az network vnet subnet create" in found[2].fix
        assert "az network private-dns zone create" in found[3].fix

    tell(story())


def test_a_zone_without_a_link_that_nobody_makes_is_told() -> None:
    async def story() -> None:
        house = House()
        house.document["networks"][0]["dns"] |= {"link_vnet": False, "create_zones": True}
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"

            found = bad(await doctor_of(house).examine())

            assert [(each.check, each.verdict) for each in found] == [("zone", Verdict.WARN)] * 3
            assert all("az network private-dns link vnet create" in each.fix for each in found)

    tell(story())


@pytest.mark.parametrize(
    ("principal", "spared", "said"),
    [(APP, False, "assignedIdentities"), (APP, True, ""), ("", False, "ISOLATION_PRINCIPAL_ID")],
)
def test_a_deny_assignment_that_does_not_spare_the_app_is_told(principal: str, spared: bool, said: str) -> None:  # noqa: FBT001
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True)) as house:
            settings: dict[str, Any] = {"assignedIdentities": [{"principalId": APP}]} if spared else {}
            scenery.put_registry(house.azure, "contoso", now=house.now(), managedResourceGroupSettings=settings)
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            assert await house.settle(registry) == "converged"

            found = bad(await doctor_of(house, principal=principal).examine())

            assert [each.check for each in found] == (["deny-assignment"] if said else [])
            assert said in "".join(each.fix for each in found)

    tell(story())


def test_events_that_reach_nobody_are_told() -> None:
    async def story() -> None:
        async with House() as house:
            away = await doctor_of(
                house, app="/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/a"
            ).examine()
            for subscription in list(house.azure.world.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")):
                house.azure.world.delete(subscription.id)
            gone = await doctor_of(house).examine()

            for found in (away, gone):
                (told,) = bad(found)
                assert (told.check, told.verdict) == ("events", Verdict.WARN)
                assert "infra/subscription.bicep" in told.fix

    tell(story())


def test_a_workspace_that_does_not_exist_is_told() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        workspace = near.workspace(near.account())
        near.share(workspace)
        house.azure.world.delete(workspace.id)

        found = bad(await examined(house))

        assert ("workspace", Verdict.FAIL) in {(each.check, each.verdict) for each in found}

    tell(story())


def test_a_subscription_that_is_not_there_is_told_and_not_raised() -> None:
    async def story() -> None:
        house = House()
        house.document["scope"]["subscriptions"] = ["99999999-2222-4333-8444-555555555555"]

        found = bad(await examined(house))

        assert found
        assert {each.verdict for each in found} <= {Verdict.UNKNOWN, Verdict.FAIL, Verdict.WARN}
        assert all("99999999" in f"{each.subject} {each.sentence}" for each in found)

    tell(story())


def test_outcome_events_that_wait_for_their_topic_are_told() -> None:
    async def story() -> None:
        async with ToldHouse() as house:
            house.break_topic()
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            waiting = bad(await doctor_of(house, topic="https://topic.example").examine())
            house.azure.faults.clear()
            assert await house.live(house.everything_told)
            told = await doctor_of(house, topic="https://topic.example").examine()

            assert [(each.check, each.verdict) for each in waiting] == [("outcomes", Verdict.WARN)]
            assert "contoso" in waiting[0].sentence
            assert "EventGrid Data Sender" in waiting[0].fix
            assert [each.verdict for each in told if each.check == "outcomes"] == [Verdict.OK]

    tell(story())


def test_the_names_of_a_network_whose_zones_somebody_else_manages_are_left_alone() -> None:
    async def story() -> None:
        house = House()
        house.document["networks"][0]["dns"] = {"manage": False}

        found = await examined(house)

        assert bad(found) == []
        assert "zone" not in {each.check for each in found}

    tell(story())


def test_a_registry_that_is_gone_since_is_passed_over() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            house.azure.world.delete(registry)

            found = await doctor_of(house).examine()

            assert bad(found) == []
            assert "deny-assignment" not in {each.check for each in found}

    tell(story())
