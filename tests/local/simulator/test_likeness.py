import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator.likeness import main, measure
from local.simulator.likeness_exchanges import read
from local.simulator.likeness_report import Report, table
from tests.local.simulator.recordings import (
    GROUP,
    JSON_TYPE,
    LIMITS,
    exchange,
    lines,
    missing_group,
    network,
    poll,
    read_group,
    read_network,
)


def told(report: Report) -> list[tuple[str, str, str, str]]:
    """Every difference, short."""
    return [
        (each.aspect, each.what, each.recorded, each.simulated)
        for outcome in report.outcomes
        for each in outcome.differences
    ]


def written(folder: Path, content: list[str]) -> str:
    file = folder / "recorded.jsonl"
    file.write_text("\n".join(content), encoding="utf-8")
    return str(file)


# -- agreement ---------------------------------------------------------------------------------------------------------


def test_a_recording_of_what_the_simulated_azure_does_agrees_entirely() -> None:
    report = measure(lines(missing_group(), exchange(), read_group()))

    assert told(report) == []
    assert report.of(["resource_group"]).percent == 100.0


def test_a_recorded_status_that_differs_is_found() -> None:
    report = measure(lines(exchange(status=202)))

    assert ("status", "status", "202", "201") in told(report)
    assert report.of().agree == 0


def test_a_header_that_only_the_recording_has_is_found() -> None:
    report = measure(lines(exchange(response_headers={"Content-Type": JSON_TYPE, "ETag": '"1"', **LIMITS})))

    assert told(report) == [("headers", "etag", "present", "")]


def test_a_key_that_only_one_side_has_is_found() -> None:
    shown = {**exchange()["response_body"], "plan": {"name": "x"}}
    del shown["type"]
    report = measure(lines(exchange(response_body=shown)))

    assert set(told(report)) == {
        ("keys", "plan", "present", ""),
        ("keys", "plan.name", "present", ""),
        ("keys", "type", "", "present"),
    }
    assert report.of().aspects["status"] == 1
    assert report.of().aspects["keys"] == 0


def test_a_state_in_other_words_is_found() -> None:
    shown = {**exchange()["response_body"], "properties": {"provisioningState": "Done"}}
    report = measure(lines(exchange(response_body=shown)))

    assert told(report) == [("states", "properties.provisioningState", "Done", "Succeeded")]


def test_what_a_recorder_removed_is_not_held_against_the_simulated_azure() -> None:
    deletion = exchange(method="DELETE", request_body=None, status=202, response_body=None)
    kept = measure(lines({**deletion, "response_headers": {"Location": "https://x/y"}, "snapshot": "aso2512"}))
    removed = measure(lines({**deletion, "response_headers": {"Location": "https://x/y"}, "snapshot": "azcli2411"}))

    assert told(kept) == [("headers", "retry-after", "", "present")]
    assert told(removed) == []


# -- arranging ---------------------------------------------------------------------------------------------------------


def test_what_a_read_presumes_is_made_through_the_simulated_azure() -> None:
    report = measure(lines(read_network()))

    assert told(report) == []


def test_a_recorded_answer_is_never_handed_to_the_simulated_azure() -> None:
    invented = network("spoke", inventedByNobody={"deep": 1}, provisioningState="Invented")
    report = measure(lines(read_network(response_body=invented)))

    assert ("keys", "properties.inventedByNobody", "present", "") in told(report)
    assert ("states", "properties.provisioningState", "Invented", "Succeeded") in told(report) or (
        "states",
        "properties.provisioningState",
        "Invented",
        "Updating",
    ) in told(report)


def test_a_resource_that_was_gone_in_the_recording_is_deleted_first() -> None:
    report = measure(lines(exchange(), missing_group()))

    assert told(report) == []


def test_each_source_file_has_a_world_of_its_own() -> None:
    report = measure(lines(exchange(), missing_group(source_file="other.yaml")))

    assert told(report) == []


def test_exchanges_are_replayed_in_recorded_order_whatever_the_order_of_lines() -> None:
    first, second = lines(exchange(), read_group())

    assert told(measure([second, first])) == []


def test_an_operation_whose_start_is_missing_is_started_and_waited_for_as_recorded() -> None:
    report = measure(lines(poll("InProgress"), poll("InProgress"), poll("Succeeded")))

    assert told(report) == []
    assert report.of(["network_lro"]).exchanges == 3


def test_an_operation_url_of_the_recording_leads_to_the_simulated_operation() -> None:
    body = network("spoke", provisioningState="Updating")
    url = poll("InProgress")["path"]
    creation = exchange(
        op="vnet",
        path=f"{body['id']}?api-version=2022-01-01",
        snapshot="azcli2411",
        request_body={"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}},
        response_headers={
            "content-type": JSON_TYPE,
            "azure-asyncoperation": f"https://management.azure.com{url}",
            "x-ms-ratelimit-remaining-subscription-writes": "99",
        },
        response_body=body,
    )
    report = measure(
        lines(exchange(), creation, poll("InProgress"), poll("Succeeded"), read_network(snapshot="azcli2411"))
    )

    assert told(report) == []


# -- odd input ---------------------------------------------------------------------------------------------------------


def test_lines_that_are_no_exchange_are_named_by_their_number() -> None:
    content = [
        "not json",
        "[]",
        '{"method": "GET"}',
        json.dumps(exchange(status=None)),
        json.dumps(exchange(path="x")),
        "",
    ]

    found = read(content)

    assert [each.line for each in found.bad_lines] == [1, 2, 3, 4, 5]
    assert all(each.why for each in found.bad_lines)
    assert found.sources == ()


def test_missing_and_null_fields_do_not_stop_the_replay() -> None:
    bare = {"method": "get", "path": "/subscriptions/x/resourceGroups/y?api-version=2022-09-01", "status": 404}
    nulls = dict.fromkeys(exchange(), None) | bare

    report = measure([json.dumps(bare), json.dumps(nulls)])

    assert report.of().exchanges == 2
    assert report.bad_lines == ()


def test_bodies_that_are_text_or_bytes_are_compared_as_such() -> None:
    asked = 'b\'{"location": "westeurope", "tags": {}}\''
    report = measure(lines(exchange(request_body=asked), read_group(response_body="<html>\x00\xff</html>")))

    assert [each[1] for each in told(report) if each[2] == "present"] == ["<text>"]


def test_a_call_that_is_not_simulated_is_counted_and_named() -> None:
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1?api-version=2024-03-01"
    report = measure(lines(exchange(), exchange(op="vm", path=path, response_body={"name": "vm1"})))

    assert report.of(["vm"]).unsupported == 1
    assert report.of(["vm"]).agree == 0
    assert report.unsupported() == [("PUT Microsoft.Compute/virtualMachines", 1)]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_segments = st.sampled_from(
    [
        "subscriptions",
        "resourceGroups",
        "providers",
        "Microsoft.Network",
        "privateEndpoints",
        "operations",
        "x",
        "%",
        "é",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    path=st.lists(_segments, min_size=1, max_size=9).map(lambda parts: "/" + "/".join(parts)),
    method=st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD", "BREW"]),
    status=st.integers(100, 599),
    asked=_json,
    answered=_json,
    headers=_json,
)
def test_no_exchange_stops_the_replay(
    path: str, method: str, status: int, asked: Any, answered: Any, headers: Any
) -> None:
    odd = exchange(
        path=path, method=method, status=status, request_body=asked, response_body=answered, response_headers=headers
    )

    assert measure(lines(odd)).of().exchanges == 1


# -- command line ------------------------------------------------------------------------------------------------------


def test_the_program_ends_0_and_prints_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, lines(exchange(), read_group()))

    assert main([file]) == 0
    assert "resource_group" in capsys.readouterr().out


def test_the_program_prints_one_json_object_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, [*lines(exchange(), read_group(status=418)), "broken"])

    assert main([file, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["operations"]["resource_group"]["exchanges"] == 2
    assert report["operations"]["resource_group"]["agree"] == 1
    assert report["differences"][0]["index"] == 1
    assert report["bad_lines"][0]["line"] == 3


def test_the_program_ends_1_when_less_agrees_than_demanded(tmp_path: Path) -> None:
    file = written(tmp_path, lines(exchange(), read_group(status=418)))

    assert main([file, "--fail-under", "50"]) == 0
    assert main([file, "--fail-under", "51"]) == 1


def test_the_program_ends_2_when_the_file_cannot_be_read(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.jsonl")]) == 2


def test_only_the_asked_operation_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, lines(exchange(), read_network()))

    main([file, "--op", "vnet", "--json"])

    assert list(json.loads(capsys.readouterr().out)["operations"]) == ["vnet"]


def test_every_exchange_that_differs_is_told_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, lines(exchange(), read_group(status=418)))

    main([file, "--verbose"])

    assert "status: recorded 418, simulated 200" in capsys.readouterr().out


def test_the_table_marks_the_operations_that_the_product_uses() -> None:
    report = measure(lines(exchange(), exchange(op="somebody_elses")))

    rows = {
        line.split()[-len(line.split()) + 1]: line
        for line in table(report)
        if "resource_group" in line or "somebody" in line
    }

    assert any(line.startswith("* resource_group") for line in rows.values())
    assert any(line.startswith("  somebody_elses") for line in rows.values())
