from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.discovery import (
    choose_group,
    container_registries,
    disagreements,
    distinct,
    group_prefix,
    require_complete,
    storage_accounts,
)
from shared.core.errors import AmbiguousGroup, NotReadyYet
from shared.core.registry import ACR_TYPE, STORAGE_TYPE, GroupCandidate, RegistryDocument, RegistryRegion
from tests.core.worlds import GUID, MANAGED, a_policy, a_registry, group_id, registry_id

OTHER_GUID = "99999999-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
FOO = registry_id("foo")

registry_names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,31}", fullmatch=True).filter(str.isascii)


def candidate(name: str, managed_by: str = "") -> GroupCandidate:
    return GroupCandidate(id=group_id(name), managed_by=managed_by)


def document(*regions: RegistryRegion, complete: bool = True) -> RegistryDocument:
    found = a_registry(a_policy(), name="foo").document
    return replace(found, regions=regions, complete=complete)


def region(location: str, *accounts: ResourceId, acrs: tuple[ResourceId, ...] = ()) -> RegistryRegion:
    return RegistryRegion(location=location, storage_accounts=accounts, container_registries=acrs)


def account(name: str, group: ResourceId = MANAGED) -> ResourceId:
    return group.resource(STORAGE_TYPE, name)


def acr(name: str, group: ResourceId = MANAGED) -> ResourceId:
    return group.resource(ACR_TYPE, name)


def test_a_registrys_group_is_found_by_its_name_and_guid() -> None:
    found = choose_group(FOO, [candidate("rg-ml"), candidate(f"azureml-rg-foo_{GUID}"), candidate("azureml-rg-foo_x")])

    assert found == group_id(f"azureml-rg-foo_{GUID}")


def test_casing_of_the_group_does_not_matter() -> None:
    found = choose_group(FOO, [candidate(f"AzureML-RG-FOO_{GUID.upper()}", FOO.text.upper())])

    assert found.name == f"AzureML-RG-FOO_{GUID.upper()}"


@pytest.mark.parametrize(
    "name",
    [
        f"azureml-rg-foo_bar_{GUID}",
        f"azureml-rg-foo_{GUID}_{GUID}",
        f"azureml-rg-foo_{GUID}x",
        f"xazureml-rg-foo_{GUID}",
        f"azureml-rg-foo_{GUID[:-1]}",
        f"azureml-rg-foo-{GUID}",
        f"azureml_rg-foo_{GUID}",
        f"azureml-rg-fo_{GUID}",
        f"azureml-rg-\u017foo_{GUID}",
        "azureml-rg-foo_",
    ],
)
def test_a_group_that_only_looks_alike_is_not_the_registrys(name: str) -> None:
    with pytest.raises(NotReadyYet) as refused:
        choose_group(registry_id("soo") if "\u017f" in name else FOO, [candidate(name)])

    assert "does not name its managed resource group yet" in refused.value.sentence


def test_the_group_of_a_workspace_with_the_same_pattern_is_left_alone() -> None:
    workspace = group_id("rg-ml").resource("Microsoft.MachineLearningServices/workspaces", "foo").text

    with pytest.raises(NotReadyYet) as refused:
        choose_group(FOO, [candidate(f"azureml-rg-foo_{GUID}", workspace)])

    assert refused.value.resource_id == FOO.text
    assert choose_group(
        FOO, [candidate(f"azureml-rg-foo_{GUID}", workspace), candidate(f"azureml-rg-foo_{OTHER_GUID}", FOO.text + "/")]
    ) == group_id(f"azureml-rg-foo_{OTHER_GUID}")


def test_a_group_that_names_its_registry_beats_one_that_says_nothing() -> None:
    found = choose_group(
        FOO, [candidate(f"azureml-rg-foo_{GUID}"), candidate(f"azureml-rg-foo_{OTHER_GUID}", FOO.text)]
    )

    assert found == group_id(f"azureml-rg-foo_{OTHER_GUID}")


def test_three_groups_that_fit_are_all_named() -> None:
    names = sorted(f"azureml-rg-foo_{digit}{GUID[1:]}" for digit in "123")

    with pytest.raises(AmbiguousGroup) as refused:
        choose_group(FOO, [candidate(name, "") for name in names])

    assert f"{names[0]}, {names[1]} and {names[2]} could each be it" in refused.value.sentence


@pytest.mark.parametrize("managed_by", ["", FOO.text])
def test_two_groups_that_both_fit_block_and_are_both_named(managed_by: str) -> None:
    names = [f"azureml-rg-foo_{OTHER_GUID}", f"azureml-rg-foo_{GUID}"]

    with pytest.raises(AmbiguousGroup) as refused:
        choose_group(FOO, [candidate(name, managed_by) for name in names])

    assert f"{names[1]} and {names[0]} could each be it" in refused.value.sentence
    assert "Delete what is left over" in refused.value.sentence


def neighbours_of(one: str) -> st.SearchStrategy[tuple[str, str]]:
    """*one* with another name, often one that begins or ends like it."""
    more = st.text("_-aB1", min_size=1, max_size=6)
    others = st.one_of(registry_names, more.map(lambda text: one + text), more.map(lambda text: text + one))
    return st.tuples(st.just(one), others)


@given(registry_names.flatmap(neighbours_of))
def test_no_registry_ever_gets_the_group_of_another_one(names: tuple[str, str]) -> None:
    one, other = names
    others = candidate(f"azureml-rg-{other}_{GUID}")

    if one.lower() == other.lower():
        assert choose_group(registry_id(one), [others]) == others.id
    else:
        with pytest.raises(NotReadyYet):
            choose_group(registry_id(one), [others])


def test_the_prefix_to_search_with_is_the_patterns_beginning() -> None:
    assert group_prefix(FOO) == "azureml-rg-foo_"


def test_one_container_registry_that_repeats_in_each_region_is_one() -> None:
    shown = acr("acr0")
    repeated = ResourceId.parse(shown.text.replace("resourceGroups", "resourcegroups").replace("acr0", "ACR0"))
    found = document(region("westeurope", acrs=(shown,)), region("northeurope", acrs=(repeated,)))

    assert container_registries(found) == (shown,)
    assert container_registries(found)[0].text == shown.text


def test_several_storage_accounts_of_a_region_are_all_found() -> None:
    found = document(
        region("westeurope", account("st0"), account("st1")), region("northeurope", account("st2"), account("ST0"))
    )

    assert storage_accounts(found) == (account("st0"), account("st1"), account("st2"))


def test_each_id_appears_once_in_order_of_first_appearance() -> None:
    assert distinct([account("b"), account("a"), account("B")]) == (account("b"), account("a"))


def test_a_complete_registry_is_taken_as_it_is() -> None:
    require_complete(document(region("westeurope", account("st0"), acrs=(acr("acr0"),))))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (document(complete=False), "its regions are not named yet"),
        (
            document(region("westeurope"), region("northeurope", account("st0")), complete=False),
            "the resources of westeurope, northeurope are not named yet",
        ),
    ],
)
def test_a_registry_under_construction_says_what_is_missing(found: RegistryDocument, says: str) -> None:
    with pytest.raises(NotReadyYet) as refused:
        require_complete(found)

    assert refused.value.sentence.endswith(f"Azure is still creating registry foo: {says}.")


def test_two_sources_that_agree_say_nothing() -> None:
    found = document(region("westeurope", account("st0"), acrs=(acr("acr0"),)))
    vault = MANAGED.resource("Microsoft.KeyVault/vaults", "kv")

    assert disagreements(found, [account("ST0"), acr("acr0"), vault]) == ()


def test_each_difference_between_registry_and_group_is_told() -> None:
    found = document(region("westeurope", account("st0"), acrs=(acr("acr0"),)))

    assert disagreements(found, [account("st1"), account("st0"), acr("acr1")]) == (
        "acr0 is named by the registry but not in its managed resource group.",
        "acr1 is in the managed resource group but not named by the registry.",
        "st1 is in the managed resource group but not named by the registry.",
    )
