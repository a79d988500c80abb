import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.changes import (
    CHANGES,
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.registry import TargetKind
from tests.core.worlds import MANAGED, group_id, subnet_id, zone_id

ZONE = zone_id("privatelink.blob.core.windows.net")
LINK = ZONE.child("virtualNetworkLinks", "vnet-hub-1")
ENDPOINT = group_id("rg-hub").resource("Microsoft.Network/privateEndpoints", "pe-alpha")
GROUP = ENDPOINT.child("privateDnsZoneGroups", "default")
ACCOUNT = MANAGED.resource("Microsoft.Storage/storageAccounts", "st0")

CREATE = CreateEndpoint(
    endpoint=ENDPOINT, location="westeurope", subnet=subnet_id(), target=ACCOUNT, group="blob", tags={}
)
REPAIR = CreateEndpoint(
    endpoint=ENDPOINT, location="westeurope", subnet=subnet_id(), target=ACCOUNT, group="blob", tags={}, repair=True
)

EVERY: list[tuple[Change, ResourceId, str]] = [
    (CreateZone(zone=ZONE), ZONE, "create private DNS zone privatelink.blob.core.windows.net in rg-dns"),
    (
        LinkZone(zone=ZONE, link=LINK, network=subnet_id().parent),
        LINK,
        "link private DNS zone privatelink.blob.core.windows.net to virtual network vnet-hub",
    ),
    (CREATE, ENDPOINT, "create private endpoint pe-alpha (blob of st0) in endpoints"),
    (REPAIR, ENDPOINT, "repair private endpoint pe-alpha (blob of st0) in endpoints"),
    (
        DeleteEndpoint(endpoint=ENDPOINT),
        ENDPOINT,
        "delete private endpoint pe-alpha, which is beyond repair",
    ),
    (
        PutZoneGroup(endpoint=ENDPOINT, name="default", zones={"b": ZONE, "a": zone_id("privatelink.azurecr.io")}),
        GROUP,
        "attach privatelink.azurecr.io, privatelink.blob.core.windows.net to private endpoint pe-alpha",
    ),
    (
        DeleteZoneGroup(endpoint=ENDPOINT, name="default"),
        GROUP,
        "remove zone group default of pe-alpha, whose records are missing, to make it anew",
    ),
    (
        ClosePublicAccess(target=ACCOUNT, target_kind=TargetKind.STORAGE),
        ACCOUNT,
        "disable public network access of storage st0",
    ),
]

words = st.from_regex(r"[A-Za-z0-9-]{1,30}", fullmatch=True).filter(str.isascii)
ids = st.builds(
    lambda group, kind, name: group_id(group).resource(f"Microsoft.{kind}/{kind}", name), words, words, words
)
after = st.lists(st.text(max_size=40), max_size=3).map(tuple)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(CreateZone, zone=ids, depends_on=after),
    st.builds(LinkZone, zone=ids, link=ids, network=ids, depends_on=after),
    st.builds(
        CreateEndpoint,
        endpoint=ids,
        location=words,
        subnet=ids,
        target=ids,
        group=words,
        tags=st.dictionaries(words, st.text(max_size=30), max_size=3),
        repair=st.booleans(),
        depends_on=after,
    ),
    st.builds(DeleteEndpoint, endpoint=ids, depends_on=after),
    st.builds(
        PutZoneGroup,
        endpoint=ids,
        name=words,
        zones=st.dictionaries(words, ids, max_size=3),
        depends_on=after,
    ),
    st.builds(DeleteZoneGroup, endpoint=ids, name=words, depends_on=after),
    st.builds(ClosePublicAccess, target=ids, target_kind=st.sampled_from(TargetKind), depends_on=after),
)


@pytest.mark.parametrize(("change", "resource", "sentence"), EVERY, ids=lambda value: getattr(value, "kind", ""))
def test_a_change_says_what_it_writes_in_a_sentence(change: Change, resource: ResourceId, sentence: str) -> None:
    assert change.resource == resource
    assert change.sentence == sentence


@given(st.lists(changes, max_size=6).map(tuple))
def test_every_change_survives_the_ledger(given_changes: tuple[Change, ...]) -> None:
    text = CHANGES.dump_json(given_changes)

    read = CHANGES.validate_json(text)

    assert read == given_changes
    assert [type(change) for change in read] == [type(change) for change in given_changes]
    assert CHANGES.dump_json(read) == text
    assert [str(change.resource) for change in read] == [str(change.resource) for change in given_changes]


@given(changes)
def test_a_changes_key_is_its_kind_and_the_resource_without_case(change: Change) -> None:
    document = json.loads(CHANGES.dump_json((change,)))[0]
    shouted = {
        name: value.upper() if isinstance(value, str) and value.startswith("/subscriptions/") else value
        for name, value in document.items()
    }

    (loud,) = CHANGES.validate_python((shouted,))

    assert key_of(loud) == key_of(change) == f"{change.kind}:{change.resource.key}"


def test_keys_tell_kinds_of_writes_to_one_resource_apart() -> None:
    keys = [key_of(change) for change, _, _ in EVERY if change != REPAIR]

    assert len(set(keys)) == len(keys)
    assert key_of(REPAIR) == key_of(CREATE)


@pytest.mark.parametrize(
    "text",
    [
        '[{"kind": "open-public-access", "target": "/x"}]',
        '[{"kind": "create-zone", "zone": "https://example.com"}]',
        '[{"kind": "create-zone"}]',
        '[{"zone": "/x"}]',
    ],
)
def test_what_no_version_of_this_app_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        CHANGES.validate_json(text)
