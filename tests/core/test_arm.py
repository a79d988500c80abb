import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.core.arm import MAX_LENGTH, ResourceId, is_guid
from shared.core.errors import MalformedResourceId

SUB = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-ml"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stalpha"
JOINERS = str.maketrans("", "", "\u200c\u200d")
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
JSON: TypeAdapter[ResourceId] = TypeAdapter(ResourceId)

# What Azure allows in names of resource groups, which are the freest of all: letters of any script, digits and `-_.()`.
names = (
    st.text(st.characters(categories=["L", "Nd"], include_characters="-_.()"), min_size=1, max_size=90)
    .filter(lambda text: text not in {".", ".."})
    .filter(lambda text: "\u212a" not in text)
)
types = st.from_regex(r"[A-Za-z]{1,20}", fullmatch=True).filter(str.isascii)
pairs = st.lists(st.tuples(types, names), min_size=1, max_size=3)


def id_text(group: str, pairs: list[tuple[str, str]]) -> str:
    tail = "/".join(f"{kind}/{name}" for kind, name in pairs)
    return f"/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.Some/{tail}"


def refusal(text: object) -> str:
    with pytest.raises(MalformedResourceId) as refused:
        ResourceId.parse(text)
    return refused.value.sentence


def test_an_id_of_a_resource_is_taken_apart_and_shown_as_received() -> None:
    account = ResourceId.parse(f"{ACCOUNT}/blobServices/default/")

    assert str(account) == account.text == f"{ACCOUNT}/blobServices/default"
    assert (account.subscription, account.resource_group) == (SUB, "rg-ml")
    assert account.type == "Microsoft.Storage/storageAccounts/blobServices"
    assert (account.names, account.name) == (("stalpha", "default"), "default")


def test_a_resource_group_is_a_resource_of_its_own_type() -> None:
    group = ResourceId.parse(GROUP)

    assert (group.type, group.names, group.name) == (GROUP_TYPE, ("rg-ml",), "rg-ml")
    assert group.group == group.parent == group


def test_an_id_knows_what_encloses_it() -> None:
    child = ResourceId.parse(f"{ACCOUNT}/blobServices/default")

    assert child.parent.text == ACCOUNT
    assert child.parent.parent.text == child.group.text == GROUP


def test_ids_of_children_and_neighbours_are_built_from_an_id() -> None:
    account = ResourceId.parse(ACCOUNT)

    assert account.child("blobServices", "default").text == f"{ACCOUNT}/blobServices/default"
    assert account.resource("Microsoft.Network/privateEndpoints", "pe").text == (
        f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe"
    )
    with pytest.raises(MalformedResourceId):
        account.child("blobServices", "../../other")


def test_a_type_is_compared_without_case() -> None:
    assert ResourceId.parse(ACCOUNT).is_type("microsoft.storage/STORAGEACCOUNTS")
    assert not ResourceId.parse(ACCOUNT).is_type("Microsoft.Storage/storageAccounts/blobServices")


@given(group=names, pairs=pairs)
def test_every_id_that_azure_can_make_survives_parsing(group: str, pairs: list[tuple[str, str]]) -> None:
    text = id_text(group, pairs)

    parsed = ResourceId.parse(text)

    assert (parsed.text, parsed.resource_group) == (text, group)
    assert parsed.names == tuple(name for _, name in pairs)
    assert parsed.type == "/".join(["Microsoft.Some", *(kind for kind, _ in pairs)])
    assert JSON.validate_json(JSON.dump_json(parsed)).text == text


@given(pairs=st.lists(st.tuples(types, types), min_size=1, max_size=3), upper=st.lists(st.booleans(), min_size=300))
def test_every_casing_of_an_id_is_the_same_id(pairs: list[tuple[str, str]], upper: list[bool]) -> None:
    text = id_text("rg-Some", pairs)
    other = "".join(c.upper() if up else c.lower() for c, up in zip(text, [*upper, *[True] * len(text)], strict=False))

    one, two = ResourceId.parse(text), ResourceId.parse(other)

    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two}) == 1
    assert not one < two
    assert two.text == other


@given(first=names, second=names)
def test_ids_are_equal_exactly_when_their_keys_are_and_order_follows_the_keys(first: str, second: str) -> None:
    one, two = ResourceId.parse(id_text(first, [("a", "b")])), ResourceId.parse(id_text(second, [("a", "b")]))

    assert (one == two) == (first.lower() == second.lower())
    assert (one < two) == (one.key < two.key)


def test_an_id_equals_no_text() -> None:
    assert ResourceId.parse(ACCOUNT) != ACCOUNT


@pytest.mark.parametrize("wrong", [None, 3, "", b"/subscriptions", [], "/" * 3000, f"{ACCOUNT}{'x' * MAX_LENGTH}"])
def test_what_is_no_text_of_reasonable_length_is_refused(wrong: object) -> None:
    sentence = refusal(wrong)

    assert f"1 to {MAX_LENGTH} characters" in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize(
    "wrong",
    [
        "/",
        "alpha",
        f"/subscriptions/{SUB}",
        f"/subscriptions/{SUB}/resourceGroups",
        f"/subscriptions/{SUB}/resourceGroups/",
        f"/subscriptions/{SUB}/resourceGroups/rg/providers",
        f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage",
        f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts",
        f"/subscriptions/{SUB}/resourceGroups/rg/providers/NoNamespace/storageAccounts/st",
        f"/subscriptions/{SUB}/resourceGroups/rg/deployments/Microsoft.Storage/storageAccounts/st",
        f"/subscriptions/{SUB}/resourceGroups/rg//providers/Microsoft.Storage/storageAccounts/st",
        f"/subscriptions/{SUB}/groups/rg",
        f"/tenants/{SUB}/resourceGroups/rg",
        "/subscriptions/not-a-guid/resourceGroups/rg",
        f"x/subscriptions/{SUB}/resourceGroups/rg",
        f"https://management.azure.com{ACCOUNT}",
        f"{GROUP}/../resourceGroups/other",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/..",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/.",
    ],
)
def test_what_is_not_the_path_of_a_resource_is_refused_and_shown(wrong: str) -> None:
    sentence = refusal(wrong)

    assert "is not an ARM resource id of the form /subscriptions/<guid>/resourceGroups/<group>" in sentence
    assert repr(wrong)[:100] in sentence


HOSTILE = [
    *map(chr, [*range(0x21), *range(0x7F, 0xA1)]),
    *"\\?#%&<>\"'`:*|+;",
    *"\u00ad\u0378\ue000\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\u3000\u212a",
    "\ud800",
    "\udfff",
]


@pytest.mark.parametrize("character", HOSTILE, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize("place", ["before", "inside", "after"])
def test_a_character_that_could_mean_something_else_is_refused(character: str, place: str) -> None:
    name = {"before": f"{character}st", "inside": f"s{character}t", "after": f"st{character}"}[place]

    sentence = refusal(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}")

    assert sentence.isprintable()


@given(st.text(max_size=200) | st.from_regex(rf"/subscriptions/{SUB}/resource[Gg]roups/.{{0,60}}", fullmatch=True))
def test_whatever_arrives_is_an_id_or_refused_in_one_printable_line(text: str) -> None:
    found: str
    try:
        found = ResourceId.parse(text).text
    except MalformedResourceId as error:
        found = ""
        said = error.sentence
    else:
        said = f"taken as {found}".translate(JOINERS)

    assert said.isprintable()
    assert not re.search(r"[\s?#%\\]|//|/\.\.?(/|$)", found)


def test_a_long_refused_text_is_cut_in_the_sentence() -> None:
    assert refusal("/" + "x" * 1000).count("x") < 120


def test_an_id_is_read_once_and_what_is_none_is_refused_each_time() -> None:
    text = f"/subscriptions/{'1' * 8}-0000-4000-8000-{'2' * 12}/resourceGroups/rg"

    assert ResourceId.parse(text) is ResourceId.parse(text)
    assert ResourceId.parse(text.upper().replace("RESOURCEGROUPS", "resourceGroups")) == ResourceId.parse(text)
    for _ in range(2):
        with pytest.raises(MalformedResourceId):
            ResourceId.parse(f"{text}/odd")


def test_the_kelvin_sign_does_not_pass_for_a_k() -> None:
    assert "\u212a".lower() == "k"
    assert "not an ARM resource id" in refusal(f"/subscriptions/{SUB}/resourceGroups/rg-\u212a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u212b", "\u00c5"),  # Angstrom sign
        ("\u2126", "\u03a9"),  # Ohm sign
        ("\u1e9e", "\u00df"),  # capital sharp s
        ("\u03f4", "\u03b8"),  # capital theta symbol
        ("\u0130", "i\u0307"),  # I with a dot, and an i with a dot on top of its own
        ("\u0130", "i"),
        ("\u0131", "i"),  # without a dot
        ("\u017f", "s"),  # long s
    ],
)
def test_letters_that_azure_tells_apart_make_two_ids(one: str, other: str) -> None:
    first, second = (ResourceId.parse(f"/subscriptions/{SUB}/resourceGroups/rg-{each}") for each in (one, other))

    assert first != second
    assert first.key != second.key


@pytest.mark.parametrize("word", ["\u0394\u0399\u039a\u03a4\u03a5\u039f\u03a3", "\u00c5LAND", "\u01c4", "STRASSE"])
def test_every_casing_of_a_word_is_one_id_letter_by_letter(word: str) -> None:
    shown, lower = (
        ResourceId.parse(f"/subscriptions/{SUB}/resourceGroups/rg-{each}")
        for each in (word, "".join(letter.lower() for letter in word))
    )

    assert shown == lower
    assert hash(shown) == hash(lower)
    assert ResourceId.parse(shown.key) == shown


def test_joiners_inside_words_are_letters_to_those_who_write_them() -> None:
    name = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

    assert ResourceId.parse(f"/subscriptions/{SUB}/resourceGroups/{name}").name == name


def test_in_json_an_id_is_its_text() -> None:
    account = ResourceId.parse(ACCOUNT)

    assert JSON.dump_python(account, mode="json") == ACCOUNT
    assert JSON.validate_python(ACCOUNT) == account
    assert JSON.validate_python(account) is account
    assert JSON.json_schema() == {"pattern": "^/subscriptions/.+", "type": "string"}
    with pytest.raises(ValidationError, match="is not an ARM resource id of the form"):
        JSON.validate_python("/subscriptions/x")


@pytest.mark.parametrize(
    ("text", "holds"),
    [(SUB, True), (SUB.upper(), True), (SUB[:-1], False), (f"{{{SUB}}}", False), (f"{SUB}\n", False), (None, False)],
)
def test_a_guid_is_told_by_its_form(text: object, *, holds: bool) -> None:
    assert is_guid(text) is holds
