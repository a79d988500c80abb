"""Every word that a person reads about a refusal of Azure, and which of several reasons is the one that is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.azure_error_table import CODES
from shared.core.azure_errors import classify
from shared.core.errors import Busy, DeniedByAssignment, Refused, RegistryIsolationError, Temporary, Throttled
from tests.core.test_azure_errors import ENDPOINT, OPERATION, error

SUBNET = f"{ENDPOINT.rpartition('/providers')[0]}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"


def told(status: int | None, body: object, operation: str = OPERATION, about: str = ENDPOINT) -> RegistryIsolationError:
    return classify(status, body, {}, operation=operation, resource_id=about)


# --- which reason is told ---------------------------------------------------------------------------------------------


def test_a_word_of_all_trades_gives_way_to_the_code_that_it_lies_in() -> None:
    wrapped = error("X", details=[{"code": "PeculiarThing", "message": "p", "details": [{"code": "RetryableError"}]}])

    assert told(400, wrapped).code == "PeculiarThing"
    assert isinstance(told(400, wrapped), Refused)


def test_a_word_of_all_trades_inside_tells_more_than_an_unknown_code_around_it() -> None:
    assert isinstance(told(400, error("BadRequest", details=[{"code": "RetryableError", "message": "later"}])), Busy)


def test_a_code_is_told_rather_than_a_text_without_one() -> None:
    found = told(400, error("PeculiarThing", "Outside.", details=[{"message": "Inside."}]))

    assert (found.code, "Outside." in found.sentence) == ("PeculiarThing", True)


@pytest.mark.parametrize("codes", [("PeculiarThing", "RetryableError"), ("RetryableError", "PeculiarThing")])
def test_of_reasons_side_by_side_that_say_equally_little_the_first_one_is_told(codes: tuple[str, str]) -> None:
    assert told(400, [{"code": code, "message": "m"} for code in codes]).code == codes[0]


def test_of_unknown_codes_the_innermost_is_told() -> None:
    assert told(400, error("Outer", "o", details=[{"code": "Inner", "message": "i"}])).code == "Inner"


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_words_of_a_deny_assignment_mean_one_only_where_the_write_was_forbidden(status: int) -> None:
    assert not isinstance(told(status, error("Peculiar", "see the deny assignment")), DeniedByAssignment)
    assert isinstance(told(403, error("Peculiar", "see the deny assignment")), DeniedByAssignment)


def test_what_is_forbidden_without_a_word_of_a_deny_assignment_is_refused() -> None:
    assert isinstance(told(403, error("Peculiar", "No.")), Refused)


def test_a_conflict_is_a_busy_resource_only_if_nothing_else_was_said() -> None:
    assert isinstance(told(409, None), Busy)
    assert isinstance(told(409, error("PeculiarInProgress", "x")), Busy)
    assert isinstance(told(409, error("Peculiar")), Refused)
    assert isinstance(told(409, error("", "Something else.")), Refused)


def test_a_failed_operation_can_have_been_throttled_as_well() -> None:
    body = {"status": "Failed", **error("429", "Slow down.")}

    assert isinstance(told(200, body), Throttled)


def test_no_code_of_the_table_depends_on_the_status_and_generic_ones_may() -> None:
    assert [code for code, row in CODES.items() if row.statuses] == []


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (None, None, "the connection failed."),
        (200, {"status": "Failed"}, "no reason was given."),
        (418, None, "HTTP 418 without an explanation."),
    ],
)
def test_where_azure_says_nothing_that_is_said(status: int | None, body: object, sentence: str) -> None:
    assert told(status, body).sentence.endswith(f": {sentence}")


@pytest.mark.parametrize(
    ("operation", "about", "what"),
    [
        (OPERATION, ENDPOINT, "create private endpoint 'pe-alpha'"),
        (OPERATION, f"{ENDPOINT}/", "create private endpoint 'pe-alpha'"),
        (OPERATION, "pe-alpha", "create private endpoint 'pe-alpha'"),
        (OPERATION, "/rg/X", "create private endpoint 'X'"),
        (OPERATION, "", "create private endpoint"),
        ("", ENDPOINT, "act on 'pe-alpha'"),
        ("", "", "do what was asked"),
    ],
)
def test_what_could_not_be_done_is_named_as_far_as_it_is_known(operation: str, about: str, what: str) -> None:
    assert told(400, error("AnotherOperationInProgress", "x"), operation, about).sentence == (
        f"Cannot {what} while another operation holds the resource: x"
    )


def test_what_is_missing_is_made_by_a_person_only_where_it_was_to_be_written_to() -> None:
    assert isinstance(told(404, error("ResourceGroupNotFound", "x"), "PUT private endpoint"), Refused)
    for operation in ("", "GET private endpoint", " put"):
        assert not isinstance(told(404, error("ResourceGroupNotFound", "x"), operation), Refused)


@pytest.mark.parametrize(("about", "named"), [(ENDPOINT, ENDPOINT), ("", "the resource")])
def test_a_subscription_is_named_by_the_resource_in_it(about: str, named: str) -> None:
    assert told(404, error("SubscriptionNotFound", "Gone."), about=about).sentence == (
        f"The subscription of {named} is not visible to the app's identity: Gone."
    )


def test_several_reasons_are_quoted_one_after_the_other() -> None:
    body = error("SubnetIsFull", "", details=[{"message": "No room."}, {"message": "None at all."}])

    assert told(400, body).sentence.endswith("in the policy. No room. None at all.")


@pytest.mark.parametrize(("names", "shown"), [(("a", "b"), "'a' and 'b'"), (("a",), "'a'"), ((), "(not named)")])
def test_policies_that_refuse_are_all_named(names: tuple[str, ...], shown: str) -> None:
    info = [
        {"type": "PolicyViolation", "info": {"policyAssignmentDisplayName": name, "policyAssignmentName": name}}
        for name in names
    ]

    found = told(403, error("RequestDisallowedByPolicy", "No.", additionalInfo=info))

    assert found.sentence.startswith(
        f"The Azure Policy assignment {shown} does not let the app create private endpoint"
    )


@pytest.mark.parametrize(
    ("action", "scopes", "lacks"),
    [
        ("join/action", SUBNET, "Microsoft.Network/virtualNetworks/subnets/join/action"),
        ("join/action", f"{SUBNET},{ENDPOINT}", "Microsoft.Network/virtualNetworks/subnets/join/action"),
        ("join/action", f"{SUBNET} , {ENDPOINT}, x", "Microsoft.Network/virtualNetworks/subnets/join/action"),
        ("Microsoft.Network/x/join/action", SUBNET, "Microsoft.Network/x/join/action"),
        ("join/action", "the subnet", "join/action"),
    ],
)
def test_the_action_that_is_lacking_is_told_as_a_role_has_to_say_it(action: str, scopes: str, lacks: str) -> None:
    message = (
        "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/privateEndpoints/write' "
        f"on scope '{ENDPOINT}'; however, it does not have permission to perform action '{action}' on the linked "
        f"scope(s) '{scopes}' or the linked scope(s) are invalid."
    )

    found = told(403, error("LinkedAuthorizationFailed", message))

    assert found.sentence.startswith(f"The app's identity (object id o) lacks {lacks} on {scopes.partition(',')[0]}")


@pytest.mark.parametrize("space", ["", " "])
def test_the_newer_wording_of_a_lacking_action_is_understood_as_well(space: str) -> None:
    message = (
        "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/privateEndpoints/write' "
        "on scope '{0}'; however, it does not have permission to perform action(s) "
        "'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s){1}'{2}' (respectively) or the "
        "linked scope(s) are invalid."
    )

    found = told(403, error("LinkedAuthorizationFailed", message.format(ENDPOINT, space, SUBNET)))

    lacks = f"lacks Microsoft.Network/virtualNetworks/subnets/join/action on {SUBNET}"
    assert found.sentence.startswith(
        f"The app's identity (object id o) {lacks}, which Microsoft.Network/privateEndpoints"
    )


@pytest.mark.parametrize(
    ("lacking", "told_action"),
    [
        ("action 'join/action' on the '0' linked scope(s) ''", "Microsoft.Network/virtualNetworks/subnets/join/action"),
        ("action(s) 'Microsoft.X/y/z/action' on the '1' linked scope(s) '/s/x'", "Microsoft.X/y/z/action"),
    ],
)
def test_a_deny_assignment_on_a_linked_resource_is_no_missing_role(lacking: str, told_action: str) -> None:
    message = (
        "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/privateEndpoints/write' "
        f"on scope '{ENDPOINT}'; however, it does not have permission to perform {lacking} or the linked scope(s) are "
        f"invalid and is blocked by deny assignments on the '1' linked scope(s) '{SUBNET}'."
    )

    found = told(403, error("LinkedAuthorizationFailed", message))

    assert isinstance(found, DeniedByAssignment)
    assert found.sentence.startswith(
        f"A deny assignment keeps the app from {told_action} on {SUBNET}, which Microsoft.Network/privateEndpoints/write"
    )
    assert '{"principalId": "o"}' in found.sentence


def test_a_date_in_retry_after_is_measured_from_the_given_moment() -> None:
    headers: dict[str, Any] = {"Retry-After": "Mon, 05 Jan 2026 12:00:30 GMT", "Date": "Mon, 05 Jan 2026 12:00:00 GMT"}
    now = datetime(2026, 1, 5, 12, 0, 20, tzinfo=UTC)

    found = classify(429, None, headers, operation=OPERATION, resource_id=ENDPOINT, now=now)

    assert isinstance(found, Temporary)
    assert found.retry_after == timedelta(seconds=10)
