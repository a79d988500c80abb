from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.azure_error_body import MESSAGE_LENGTH, quoted, read_answer, told_delay

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"Retry-After": "14"}, "", 14),
        ({"retry-after": " 2.5 "}, "", 2.5),
        ({"RETRY-AFTER-MS": "1500", "Retry-After": "9"}, "", 1.5),
        ({"x-ms-retry-after-ms": "200"}, "", 0.2),
        ({"Retry-After": "Mon, 05 Jan 2026 12:00:30 GMT"}, "", 30),
        ({"Retry-After": "Mon, 05 Jan 2026 12:00:30 -0000"}, "", 30),
        ({"Retry-After": "Mon, 05 Jan 2026 11:59:00 GMT"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "0"}, "The call can be retried in 12 seconds.", 12),
        ({"Retry-After": "7"}, "retry after 90 seconds", 7),
        ({"Retry-After": "999999"}, "", 3600),
        ({"x-ms-user-quota-resets-after": "00:01:05"}, "", 65),
        ({"x-ms-user-quota-resets-after": "later"}, "", None),
        ({}, "Please retry after 12 seconds", 12),
        ({}, "Please try again after '5' seconds after additional tokens are available.", 5),
        ({}, "try again in 2 minutes", 120),
        ({}, "Retry in 1 hour.", 3600),
        ({}, "retry after 750 milliseconds", 0.75),
        ({}, "retry after 750 ms", 0.75),
        ({}, "retry in 3 secs", 3),
        ({}, "It took 12 seconds. Retry later.", None),
        ({}, "", None),
    ],
)
def test_the_wait_is_read_wherever_azure_says_it(headers: dict[str, str], text: str, seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert told_delay(headers, text, now=NOON) == expected


def test_a_date_is_measured_from_the_answers_own_clock_when_no_other_is_given() -> None:
    headers = {"Date": "Mon, 05 Jan 2026 12:00:00 GMT", "Retry-After": "Mon, 05 Jan 2026 12:00:20 GMT"}

    assert told_delay(headers, "") == timedelta(seconds=20)
    assert told_delay({"Retry-After": headers["Retry-After"]}, "") is None


@given(st.dictionaries(st.sampled_from(["Retry-After", "Date", "retry-after-ms"]), st.text()), st.text())
def test_a_wait_is_positive_and_at_most_an_hour_whatever_arrives(headers: dict[str, str], text: str) -> None:
    delay = told_delay(headers, text)

    assert delay is None or timedelta(0) < delay <= timedelta(hours=1)


def codes(body: object, headers: dict[str, str] | None = None) -> list[str]:
    return [said.code for said in read_answer(body, headers or {}).errors]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "A", "message": "m"}}, ["A"]),
        ({"code": "A", "message": "m"}, ["A"]),
        ({"Error": {"Code": "A"}}, ["A"]),
        ({"ErrorResponse": {"error": {"code": 500, "message": "m"}}}, ["500"]),
        ({"error": {"code": "A", "innererror": {"code": "B", "innererror": {"code": "C"}}}}, ["A", "B", "C"]),
        (
            {"error": {"code": "A", "details": [{"code": "B"}, "x", {"code": "C", "details": {"code": "D"}}]}},
            list("ABCD"),
        ),
        ({"odata.error": {"code": "A", "message": {"lang": "en-US", "value": "m"}}}, ["A"]),
        ({"properties": {"error": {"code": "A"}}}, ["A"]),
        ('{"error": {"code": "A"}}', ["A"]),
        (b'\xef\xbb\xbf{"error": {"code": "A"}}', ["A"]),
        ('{"error": {"code"', [""]),
        ({"error": {"code": True, "message": 5}}, [""]),
        ([{"code": "A"}], ["A"]),
        ({"error": {"message": 'said {"error":{"code":"B"}} and more'}}, ["", "B"]),
        ({"error": {"message": 'said {"error":{"code":'}}, [""]),
        (None, [""]),
        (7, [""]),
    ],
)
def test_every_shape_of_body_gives_its_codes_outermost_first(body: object, expected: list[str]) -> None:
    assert codes(body) == expected


def test_a_code_that_is_only_in_the_header_counts() -> None:
    assert (
        codes("<?xml version='1.0'?><Error><Code>x</Code></Error>", {"X-Ms-Error-Code": "LeaseLost"})[0] == "LeaseLost"
    )


def test_the_words_of_a_gateway_page_are_kept_without_its_markup() -> None:
    page = "<html><head><style>body {margin:0}</style><title>Sorry</title></head>\r\n<body>Try later</body></html>"

    assert read_answer(page, {}).errors[0].message == "Sorry Try later"


def test_the_status_of_a_long_operation_is_read_beside_its_error() -> None:
    assert read_answer({"status": "Failed", "error": {"code": "A"}}, {}).status == "Failed"
    assert read_answer({"status": 200}, {}).status == ""


def test_a_body_nested_without_end_is_read_to_a_bounded_depth() -> None:
    body: dict[str, object] = {"code": "deepest"}
    for level in range(200):
        body = {"code": f"c{level}", "details": [body] * 2}

    assert len(codes(body)) <= 64


def test_lists_in_lists_without_end_are_read_to_a_bounded_depth() -> None:
    body: object = {"code": "deepest"}
    for _ in range(5_000):
        body = [body]

    assert codes(body) == [""]


def test_hidden_characters_and_signed_queries_do_not_reach_a_reader() -> None:
    said = read_answer(
        {"code": "A", "message": "a\x1b[31m\u202eb\ud800\r\nc https://x.example/op?sig=SECRET&s=1 d"}, {}
    ).errors[0]

    assert said.message == "a [31m b c https://x.example/op d"


@given(st.text())
def test_a_quotation_is_one_bounded_line(text: str) -> None:
    assert len(quoted(text)) <= MESSAGE_LENGTH
    assert "\n" not in quoted(text)


def test_policy_assignments_are_named_by_what_a_person_sees() -> None:
    info = [
        {"type": "PolicyViolation", "info": {"policyAssignmentName": "a1", "policyAssignmentDisplayName": "Deny"}},
        {"type": "PolicyViolation", "info": {"policyAssignmentName": "a2"}},
        {"type": "PolicyViolation", "info": {"policyAssignmentName": "a2"}},
        {"type": "Other", "info": {}},
        "x",
    ]

    assert read_answer({"error": {"code": "X", "additionalInfo": info}}, {}).policies == ("Deny", "a2")
