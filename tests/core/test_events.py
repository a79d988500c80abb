"""Events in the four shapes that documentation shows, with values of our own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.eventgrid import SystemEventNames
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import MalformedEvent
from shared.core.events import (
    DELETE_EVENTS,
    OPERATION_NAMES,
    SUBSCRIPTION_EVENTS,
    WRITE_EVENTS,
    read_event,
)
from shared.core.requests import Ignored, IgnoredWhy, ReconcileRequest, RelatedResource, RequestReason

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SUB = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
APP = "99999999-8888-4777-8666-555555555555"
PERSON = "aaaaaaaa-8888-4777-8666-555555555555"
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
GROUP = f"/subscriptions/{SUB}/resourcegroups/rg-ml"
ALPHA = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/alpha"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a1b2c3"
ACR = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/c1d2"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe-1"
WRITE, DELETE = "Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"


def data(subject: str = ALPHA, caller: str = PERSON, **changed: Any) -> dict[str, Any]:
    return {
        "authorization": {"scope": subject, "action": "x/write", "evidence": {"role": "Owner"}},
        "claims": {"aud": "https://management.core.windows.net/", OID: caller},
        "correlationId": "c",
        "resourceUri": subject,
        "operationName": "Microsoft.MachineLearningServices/registries/write",
        "status": "Succeeded",
        "subscriptionId": SUB,
    } | changed


def event_grid(kind: str = WRITE, subject: str = ALPHA, **changed: Any) -> dict[str, Any]:
    envelope = {"id": "e-1", "subject": subject, "eventType": kind, "eventTime": "2026-01-05T11:59:59.1234567Z"}
    return envelope | {"data": data(subject), "dataVersion": "2", "metadataVersion": "1", "topic": "/x"} | changed


def cloud_event(kind: str = WRITE, subject: str = ALPHA, **changed: Any) -> dict[str, Any]:
    envelope = {
        "id": "e-1",
        "source": "/x",
        "specversion": "1.0",
        "type": kind,
        "subject": subject,
        "time": "2026-01-05T11:59:59Z",
    }
    return envelope | {"data": data(subject)} | changed


def notification(subject: str = ALPHA) -> dict[str, Any]:
    info = {"id": subject, "name": "alpha", "type": "microsoft.machinelearningservices/registries"}
    return {
        "resourceInfo": info,
        "operationalInfo": {"resourceEventTime": "2026-01-05T11:59:59Z"},
        "apiVersion": "2025-06-01",
    }


def read(
    event: object, own: str | None = APP, subscriptions: frozenset[str] = frozenset({SUB})
) -> ReconcileRequest | RelatedResource | Ignored:
    return read_event(event, own_principal=own, subscriptions=subscriptions, received=NOW)


@pytest.mark.parametrize("envelope", [event_grid, cloud_event])
@pytest.mark.parametrize("kind", [*WRITE_EVENTS, *DELETE_EVENTS])
def test_all_four_shapes_ask_for_the_same_look_at_the_same_registry(envelope: Any, kind: str) -> None:
    event = envelope(kind) if kind in SUBSCRIPTION_EVENTS else envelope(kind, data=notification())

    asked = read(event)

    assert isinstance(asked, ReconcileRequest)
    assert asked.registry.text == ALPHA
    assert (asked.reason, asked.origin, asked.received) == (RequestReason.EVENT, "e-1", NOW)
    assert asked.deleted == (kind in DELETE_EVENTS)
    assert asked.caller == (PERSON if kind in SUBSCRIPTION_EVENTS else "")


def test_the_event_names_are_those_of_azures_own_library() -> None:
    known = {str(name.value) for name in SystemEventNames}

    assert {*WRITE_EVENTS, *DELETE_EVENTS} <= known


def test_the_operation_names_fit_into_one_event_subscription() -> None:
    assert len(set(OPERATION_NAMES)) <= 25  # most values of all filters together (documentation, event filtering)
    assert "Microsoft.MachineLearningServices/registries/write" in OPERATION_NAMES
    assert "Microsoft.MachineLearningServices/registries/delete" in OPERATION_NAMES


def test_the_documentation_lists_every_operation_name() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules" / "drift.md").read_text()

    assert [name for name in OPERATION_NAMES if f"`{name}`" not in page] == []


def test_a_record_whose_name_is_no_arm_name_is_ignored() -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"

    assert isinstance(read(event_grid(subject=f"{zone}/A/*")), Ignored)


@pytest.mark.parametrize("operation", OPERATION_NAMES)
def test_whatever_the_filter_lets_through_is_not_ignored(operation: str) -> None:
    resource_type, _, verb = operation.rpartition("/")
    namespace, *segments = resource_type.split("/")
    subject = "/".join([GROUP, "providers", namespace, *(part for segment in segments for part in (segment, "name1"))])

    assert not isinstance(read(event_grid(WRITE if verb == "write" else DELETE, subject)), Ignored)


@pytest.mark.parametrize(
    ("subject", "related"),
    [
        (ACCOUNT, ACCOUNT),
        (ACR.lower(), ACR),
        (ENDPOINT, ENDPOINT),
        (f"{ENDPOINT}/privateDnsZoneGroups/default", ENDPOINT),
        (f"{ACCOUNT}/privateEndpointConnections/a.1", ACCOUNT),
        (f"{ACR}/privateEndpointConnections/a.1", ACR),
    ],
)
def test_what_may_belong_to_a_registry_is_related(subject: str, related: str) -> None:
    found = read(event_grid(subject=subject))

    assert isinstance(found, RelatedResource)
    assert found.id.key == related.lower()
    assert (found.origin, found.caller, found.deleted, found.received) == ("e-1", PERSON, False, NOW)


def test_a_deleted_endpoint_is_told_from_a_deleted_child() -> None:
    gone, child = (
        read(event_grid(DELETE, ENDPOINT)),
        read(event_grid(DELETE, f"{ENDPOINT}/privateDnsZoneGroups/default")),
    )

    assert isinstance(gone, RelatedResource)
    assert gone.deleted
    assert isinstance(child, RelatedResource)
    assert not child.deleted


def test_a_connection_of_a_registry_asks_for_the_registry_and_never_calls_it_deleted() -> None:
    asked = read(event_grid(DELETE, f"{ALPHA}/privateEndpointConnections/a.1"))

    assert isinstance(asked, ReconcileRequest)
    assert asked.registry.text == ALPHA
    assert not asked.deleted


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (event_grid("Microsoft.Storage.BlobCreated"), IgnoredWhy.EVENT_TYPE),
        (event_grid("Microsoft.Resources.ResourceActionSuccess"), IgnoredWhy.ACTION),
        (event_grid("Microsoft.Resources.ResourceWriteFailure"), IgnoredWhy.NOT_SUCCESSFUL),
        (cloud_event("Microsoft.Resources.ResourceDeleteCancel"), IgnoredWhy.NOT_SUCCESSFUL),
        (event_grid("Contoso.SomethingFailure"), IgnoredWhy.EVENT_TYPE),
        (event_grid("Microsoft.Resources.ResourceRenamed"), IgnoredWhy.EVENT_TYPE),
        (event_grid(subject=GROUP), IgnoredWhy.RESOURCE_TYPE),
        (event_grid(subject=f"{GROUP}/providers/Microsoft.Compute/disks/d"), IgnoredWhy.RESOURCE_TYPE),
        (event_grid(subject=f"{ALPHA}/models/m"), IgnoredWhy.RESOURCE_TYPE),
        (event_grid(subject=f"{ALPHA}/privateEndpointConnectionProxies/p"), IgnoredWhy.RESOURCE_TYPE),
        (event_grid(subject=f"{ALPHA}/providers/Microsoft.Authorization/roleAssignments/r"), IgnoredWhy.RESOURCE_TYPE),
        (
            event_grid(subject=f"{ACCOUNT}/providers/Microsoft.MachineLearningServices/registries/alpha"),
            IgnoredWhy.RESOURCE_TYPE,
        ),
        (event_grid(subject=ALPHA.replace(SUB, OTHER)), IgnoredWhy.SUBSCRIPTION),
        (event_grid(data=data(caller=APP.upper())), IgnoredWhy.OWN_WRITE),
    ],
)
def test_what_asks_for_nothing_is_ignored_and_says_why(event: object, why: IgnoredWhy) -> None:
    ignored = read(event)

    assert isinstance(ignored, Ignored)
    assert ignored.why is why
    assert ignored.detail


def test_no_subscriptions_means_all_and_their_casing_does_not_matter() -> None:
    assert isinstance(read(event_grid(), subscriptions=frozenset()), ReconcileRequest)
    lettered = "ABCDEF00-2222-4333-8444-555555555555"
    event = event_grid(subject=ALPHA.replace(SUB, lettered.lower()))
    assert isinstance(read(event, subscriptions=frozenset({lettered})), ReconcileRequest)


@pytest.mark.parametrize(
    "said",
    [
        {"claims": {OID: PERSON}},
        {"claims": {"oid": PERSON.upper()}},
        {"claims": json.dumps({OID: PERSON})},
        {
            "claims": "{azure_resource_manager_claims}",
            "authorization": json.dumps({"evidence": {"principalId": PERSON.replace("-", "")}}),
        },
        {"claims": {OID: "{ID}"}, "authorization": {"evidence": {"principalId": PERSON}}},
    ],
)
def test_the_caller_is_found_in_claims_or_evidence_as_object_or_as_text(said: dict[str, Any]) -> None:
    asked = read(event_grid(data={"resourceUri": ALPHA} | said))

    assert isinstance(asked, ReconcileRequest)
    assert asked.caller == PERSON
    assert isinstance(read(event_grid(data=said), own=PERSON.upper()), Ignored)


@pytest.mark.parametrize(
    "said",
    [{}, {"claims": []}, {"claims": "{not json"}, {"claims": {OID: 5}}, {"claims": "{}" + " " * 9}, None, "text", "[]"],
)
def test_an_event_that_does_not_tell_its_caller_still_counts(said: object) -> None:
    asked = read(event_grid(data=said))

    assert isinstance(asked, ReconcileRequest)
    assert asked.caller == ""


def test_claims_nested_deeper_than_json_can_be_read_tell_nothing() -> None:
    asked = read(event_grid(data={"resourceUri": ALPHA, "claims": '{"a":' * 13_000}))

    assert isinstance(asked, ReconcileRequest)
    assert asked.caller == ""


def test_data_as_json_text_is_read_and_an_absent_subject_taken_from_it() -> None:
    asked = read(event_grid(data=json.dumps(data())))
    assert isinstance(asked, ReconcileRequest)
    assert asked.caller == PERSON

    for without in (event_grid(subject=""), cloud_event(WRITE_EVENTS[1], "", data=notification())):
        without["data"] |= {} if "resourceInfo" in without["data"] else {"resourceUri": ALPHA}
        found = read(without)
        assert isinstance(found, ReconcileRequest)
        assert found.registry.text == ALPHA


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ([event_grid()], "JSON object"),
        ("text", "'text'"),
        ({}, "no event type"),
        (event_grid(kind=""), "no event type"),
        (cloud_event(type=5), "no event type"),
        ({"eventType": WRITE, "id": "e-1"}, "no subject"),
        (event_grid(subject="", data={"resourceUri": 5}), "no subject"),
        (event_grid(subject="alpha"), "not an ARM resource id"),
        (event_grid(subject="/" + "x" * 2048), "not an ARM resource id"),
        (event_grid(subject=ALPHA + "\n"), "no readable subject"),
        (event_grid(subject=ALPHA.replace(SUB, "x")), "no readable subject"),
        (event_grid(subject=ALPHA.replace("alpha", "a")), "names no registry"),
        (event_grid(id=None), "no usable id"),
        (event_grid(id="x" * 257), "no usable id"),
        (event_grid(id="a\nb"), "no usable id"),
        (event_grid(data={"claims": "{" + " " * 65_536}), "more than Event Grid delivers"),
    ],
)
def test_an_unreadable_event_is_malformed_and_says_how(event: object, says: str) -> None:
    with pytest.raises(MalformedEvent) as malformed:
        read(event)

    assert says in malformed.value.sentence
    assert len(malformed.value.sentence) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([ALPHA, ACCOUNT, WRITE, DELETE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["claims", "authorization", "evidence", OID, "resourceUri", "resourceInfo", "id"]), inner
        )
    ),
    max_leaves=15,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("id", "type", "eventType", "specversion", "subject", "data"), JSON)
    )
)
def test_whatever_is_delivered_is_read_ignored_or_malformed(event: dict[str, Any]) -> None:
    found: object
    try:
        found = read(event)
    except MalformedEvent as malformed:
        found = malformed

    assert isinstance(found, (ReconcileRequest, RelatedResource, Ignored, MalformedEvent))
