"""Writing resource instance rules: nothing of anybody else is lost, whatever happens in between."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator.faults import Fault, FaultKind
from shared.cloud.storage_rules import ROUNDS
from shared.core.errors import Busy, ChangedUnderneath, Refused, RuleLimitReached, Unavailable
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules, ResourceRule
from tests.cloud.foreign_writers import TENANT, Shared, registry
from tests.scenarios.sharing import BUSY_ACLS, add_address, change_acls, foreign_rule

Act = Callable[[Shared], None]

READ, WRITE, READ_BACK, AFTERWARDS = range(4)
"""Positions of the app's requests when nobody comes between."""


def add(shared: Shared, name: str = "contoso", *, select: bool = False) -> AddResourceRules:
    rule = ResourceRule(tenant=TENANT, resource=registry(name))
    return AddResourceRules(account=shared.id, rules=(rule,), select_networks=select)


def remove(shared: Shared, name: str = "contoso") -> RemoveResourceRules:
    return RemoveResourceRules(account=shared.id, rules=(ResourceRule(tenant=TENANT, resource=registry(name)),))


def let_in(shared: Shared) -> list[str]:
    return [rule["resourceId"] for rule in shared.acls.get("resourceAccessRules", [])]


def addresses(shared: Shared) -> list[str]:
    return [rule["value"] for rule in shared.acls["ipRules"]]


def address(value: str) -> Act:
    """Somebody lets an address in, reading and writing at once."""
    return lambda shared: change_acls(shared.rig.azure, shared.account.id, add_address(value))


def overwriting(value: str) -> tuple[Act, Act]:
    """Somebody reads now and writes later what they read, and an address: what others wrote meanwhile is gone."""
    seen: list[dict[str, Any]] = []

    def read(shared: Shared) -> None:
        seen.append(deepcopy(shared.acls))

    def write(shared: Shared) -> None:
        def replace(acls: dict[str, Any]) -> None:
            acls.clear()
            acls.update(seen[-1])
            add_address(value)(acls)

        change_acls(shared.rig.azure, shared.account.id, replace)

    return read, write


def test_a_rule_costs_a_read_a_write_and_a_read() -> None:
    shared = Shared()

    asyncio.run(shared.rules.add(add(shared)))

    assert shared.transport.methods == ["GET", "PATCH", "GET"]
    assert let_in(shared) == [foreign_rule("theirs")["resourceId"], registry().text]


def test_a_rule_that_is_there_costs_a_read() -> None:
    shared = Shared()
    asyncio.run(shared.rules.add(add(shared)))

    asyncio.run(shared.rules.add(add(shared)))

    assert shared.transport.methods[3:] == ["GET"]


def test_what_somebody_writes_before_the_last_read_is_kept() -> None:
    shared = Shared({READ: address("203.0.113.8")})

    asyncio.run(shared.rules.add(add(shared)))

    assert addresses(shared) == ["203.0.113.7", "203.0.113.8"]
    assert registry().text in let_in(shared)


def test_a_rule_that_somebody_overwrites_at_once_is_added_to_what_they_wrote() -> None:
    read, write = overwriting("203.0.113.8")
    shared = Shared({READ: read, READ_BACK: write})

    asyncio.run(shared.rules.add(add(shared)))

    assert shared.transport.methods == ["GET", "PATCH", "GET", "PATCH", "GET"]
    assert addresses(shared) == ["203.0.113.7", "203.0.113.8"]
    assert registry().text in let_in(shared)


def test_nothing_comes_between_the_last_read_and_the_write() -> None:
    """The only gap that is left is this one round trip: Storage takes no condition with a PATCH."""
    shared = Shared({WRITE: address("203.0.113.8")})

    asyncio.run(shared.rules.add(add(shared)))

    methods = shared.transport.methods
    assert all(methods[at - 1] == "GET" for at, method in enumerate(methods) if method == "PATCH")
    assert registry().text in let_in(shared)
    assert addresses(shared) == ["203.0.113.7"], "Azure has learned conditions; use them"


POINTS = st.sampled_from([READ, READ_BACK, AFTERWARDS, 5, 6])
"""Between any two requests, but for the one gap above: the app never writes right after somebody's write unseen."""


@given(writes=st.dictionaries(POINTS, st.integers(1, 250), max_size=4), select=st.booleans(), removing=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_sequence_of_app_writes_loses_what_others_wrote_between_them(
    writes: dict[int, int], *, select: bool, removing: bool
) -> None:
    async def story(shared: Shared) -> None:
        await shared.rules.add(add(shared, "one"))
        await shared.rules.add(add(shared, "two", select=select))
        if removing:
            await shared.rules.remove(remove(shared, "one"))

    shared = Shared()
    methods = _methods_of(story)
    points = {at for at in writes if at >= len(methods) or methods[at] == "GET"}
    shared = Shared({at: address(f"198.51.100.{writes[at]}") for at in points})

    asyncio.run(story(shared))

    reached = [f"198.51.100.{writes[at]}" for at in points if at < len(shared.transport.methods)]
    assert sorted(addresses(shared)) == sorted(["203.0.113.7", *reached])
    ours = ["two"] if removing else ["one", "two"]
    assert let_in(shared) == [foreign_rule("theirs")["resourceId"], *(registry(name).text for name in ours)]
    assert shared.acls["ipv6Rules"] == BUSY_ACLS["ipv6Rules"]
    assert shared.acls["bypass"] == BUSY_ACLS["bypass"]
    assert shared.acls["defaultAction"] == "Deny"


def _methods_of(story: Callable[[Shared], Any]) -> list[str]:
    shared = Shared()
    asyncio.run(story(shared))
    return shared.transport.methods


def test_removing_takes_only_that_rule() -> None:
    shared = Shared()
    before = deepcopy(shared.acls)
    asyncio.run(shared.rules.add(add(shared)))

    asyncio.run(shared.rules.remove(remove(shared)))

    assert shared.acls == before


def test_removing_the_last_rule_leaves_none() -> None:
    shared = Shared(networkAcls={"defaultAction": "Deny"})
    asyncio.run(shared.rules.add(add(shared)))

    asyncio.run(shared.rules.remove(remove(shared)))

    assert let_in(shared) == []


def test_removing_from_an_account_that_is_gone_is_done() -> None:
    shared = Shared()
    shared.rig.azure.world.delete(shared.account.id)

    assert asyncio.run(shared.rules.remove(remove(shared))).kind == "done"


def test_a_removal_that_azure_refuses_because_of_another_write_is_not_done() -> None:
    """The rule is still there, and one that nobody takes away lets in a registry that is gone."""
    shared = Shared()
    asyncio.run(shared.rules.add(add(shared)))
    refusal = Fault(kind=FaultKind.RESPOND, method="PATCH", path="/storageAccounts/", status=412, code="x")
    shared.rig.azure.faults.add(refusal)

    with pytest.raises(ChangedUnderneath):
        asyncio.run(shared.rules.remove(remove(shared)))

    assert registry().text in let_in(shared)
    asyncio.run(shared.rules.remove(remove(shared)))
    assert registry().text not in let_in(shared)


def test_adding_to_an_account_that_is_gone_asks_for_another_look() -> None:
    shared = Shared()
    shared.rig.azure.world.delete(shared.account.id)

    with pytest.raises(ChangedUnderneath, match="stshared does not exist"):
        asyncio.run(shared.rules.add(add(shared)))


def test_a_full_account_is_not_written_to() -> None:
    full = [foreign_rule(f"ws{number}") for number in range(200)]
    shared = Shared(networkAcls={"defaultAction": "Deny", "resourceAccessRules": full})

    with pytest.raises(RuleLimitReached, match="200 resource instance rules"):
        asyncio.run(shared.rules.add(add(shared)))

    assert shared.transport.methods == ["GET"]


def test_somebody_who_keeps_overwriting_makes_the_account_busy() -> None:
    read, write = overwriting("203.0.113.8")
    acts: dict[int, Act] = {READ: read}
    acts |= {2 * round_: write for round_ in range(1, ROUNDS + 1)}
    shared = Shared(acts)

    with pytest.raises(Busy, match="keeps writing"):
        asyncio.run(shared.rules.add(add(shared)))


def test_a_lost_answer_to_the_write_is_found_done_by_the_next_try() -> None:
    shared = Shared()
    shared.rig.azure.faults.add(Fault(kind=FaultKind.LOSE_RESPONSE, method="PATCH", path="/storageAccounts/"))
    with pytest.raises(Unavailable):
        asyncio.run(shared.rules.add(add(shared)))

    asyncio.run(shared.rules.add(add(shared)))

    assert shared.transport.methods == ["GET", "PATCH", "GET"]
    assert let_in(shared).count(registry().text) == 1


def refuse_versions(shared: Shared, *supported: str) -> None:
    message = (
        "No registered resource provider found for location 'westeurope' and API version '2025-06-01' for type "
        f"'storageAccounts'. The supported api-versions are '{', '.join(supported)}'."
    )
    fault = Fault(
        kind=FaultKind.RESPOND, path="/storageAccounts/", status=400, code="NoRegisteredProviderFound", message=message
    )
    shared.rig.azure.faults.add(fault)


def test_where_the_api_version_is_not_deployed_an_older_one_that_knows_every_list_is_used() -> None:
    shared = Shared()
    refuse_versions(shared, "2019-06-01", "2023-05-01")

    asyncio.run(shared.rules.add(add(shared)))

    assert shared.acls["ipv6Rules"] == BUSY_ACLS["ipv6Rules"]
    assert all("2023-05-01" in call.url for call in shared.rig.azure.log if call.method == "PATCH")


def test_where_only_versions_are_deployed_that_would_lose_a_list_nothing_is_written() -> None:
    shared = Shared()
    refuse_versions(shared, "2019-06-01", "2021-04-01")

    with pytest.raises(Refused, match="does not know ipv6Rules") as caught:
        asyncio.run(shared.rules.add(add(shared)))

    assert caught.value.code == "ApiVersionTooOld"
    assert shared.transport.methods == ["GET"]
