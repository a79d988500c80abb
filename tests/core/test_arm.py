import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.core.arm import MAX_LENGTH, ResourceId, is_guid
from shared.core.errors import MalformedResourceId

SUB = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-ml"
ALPHA = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/alpha"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"

segments = st.from_regex(r"[A-Za-z0-9_.()-]{1,20}", fullmatch=True).filter(lambda text: text.strip(".") != "")


def test_an_id_knows_its_parts_as_received() -> None:
    subnet = ResourceId.parse(SUBNET + "/")

    assert (subnet.text, subnet.subscription, subnet.resource_group) == (SUBNET, SUB, "rg-ml")
    assert subnet.type == "Microsoft.Network/virtualNetworks/subnets"
    assert (subnet.names, subnet.name) == (("hub", "endpoints"), "endpoints")
    assert str(subnet) == SUBNET


def test_a_resource_group_is_a_resource_too() -> None:
    group = ResourceId.parse(GROUP)

    assert (group.type, group.name) == ("Microsoft.Resources/resourceGroups", "rg-ml")
    assert group.group == group
    assert group.parent == group


def test_parents_lead_to_the_group() -> None:
    subnet = ResourceId.parse(SUBNET)

    assert subnet.parent.text == SUBNET.removesuffix("/subnets/endpoints")
    assert subnet.parent.parent == subnet.group == ResourceId.parse(GROUP)


def test_children_and_neighbours_are_built_from_an_id() -> None:
    alpha = ResourceId.parse(ALPHA)

    assert alpha.child("privateEndpointConnections", "c").parent == alpha
    assert (
        alpha.resource("Microsoft.Storage/storageAccounts", "st").text
        == f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
    )


def test_nothing_hostile_can_be_built_into_an_id() -> None:
    for name in ("a/b", "..", "a?x", "a b", "", "a\n"):
        with pytest.raises(MalformedResourceId):
            ResourceId.parse(ALPHA).child("models", name)


@given(st.booleans(), segments, segments)
def test_every_casing_of_an_id_is_the_same_id(upper: bool, group: str, name: str) -> None:  # noqa: FBT001 -- drawn
    text = f"/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
    other = text.upper() if upper else text.lower()

    first, second = ResourceId.parse(text), ResourceId.parse(other)

    assert first == second
    assert hash(first) == hash(second)
    assert len({first, second}) == 1
    assert not first < second
    assert first.is_type(second.type)
    assert first.text == text


def test_ids_are_ordered_without_case_and_differ_from_their_text() -> None:
    ids = [ResourceId.parse(ALPHA.replace("alpha", name)) for name in ("b", "A", "C")]

    assert [one.name for one in sorted(ids)] == ["A", "b", "C"]
    assert ids[0] != ids[0].text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        None,
        5,
        ["/subscriptions"],
        "subscriptions/x",
        f"/subscriptions/{SUB}",
        f"/subscriptions/{SUB}/resourceGroups",
        f"/subscriptions/{SUB}/resourceGroups/",
        "/subscriptions/not-a-guid/resourceGroups/rg",
        GROUP.replace("resourceGroups", "groups"),
        f"{GROUP}/providers",
        f"{GROUP}/providers/Microsoft.Storage",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts",
        f"{GROUP}/providers/Storage/storageAccounts/st",
        f"{GROUP}/resources/Microsoft.Storage/storageAccounts/st",
        f"{ALPHA}/models",
        f"{ALPHA}//x",
        f"/{ALPHA}",
        f"{ALPHA}?api-version=1",
        f"{ALPHA}#x",
        f"{ALPHA}/../x/y",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/..",
        f"{ALPHA}\n",
        f"{ALPHA}\x00",
        f"{ALPHA}%2f",
        ALPHA.replace("/", "\\"),
        ALPHA + "x" * 261,
        "/" + "x/" * MAX_LENGTH,
    ],
)
def test_what_is_no_id_is_refused_in_a_short_printable_sentence(text: object) -> None:
    with pytest.raises(MalformedResourceId) as refused:
        ResourceId.parse(text)

    assert refused.value.sentence.isprintable()
    assert len(refused.value.sentence) < 400


@given(st.text() | st.text("/sub.PRO?x", max_size=60).map(lambda tail: GROUP + tail))
def test_whatever_text_arrives_is_an_id_or_refused(text: str) -> None:
    found: object
    try:
        found = ResourceId.parse(text)
    except MalformedResourceId as refused:
        found = refused

    assert isinstance(found, MalformedResourceId) or str(found) == text.rstrip("/")


def test_names_of_any_script_are_kept() -> None:
    assert ResourceId.parse(GROUP.replace("rg-ml", "grüße_東京")).name == "grüße_東京"


def test_in_json_an_id_is_its_text_and_comes_back_equal() -> None:
    adapter = TypeAdapter(ResourceId)
    alpha = ResourceId.parse(ALPHA)

    assert adapter.dump_json(alpha) == f'"{ALPHA}"'.encode()
    assert adapter.validate_json(adapter.dump_json(alpha)) == alpha
    assert adapter.validate_python(alpha) is alpha
    assert adapter.json_schema()["type"] == "string"
    with pytest.raises(ValidationError, match="not an ARM resource id"):
        adapter.validate_python("x")


@pytest.mark.parametrize(
    ("text", "answer"), [(SUB, True), (SUB.upper(), True), (SUB[:-1], False), (f"{SUB}\n", False), (5, False)]
)
def test_a_guid_is_recognised(text: object, *, answer: bool) -> None:
    assert is_guid(text) is answer
