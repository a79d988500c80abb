"""Recordings that are incomplete, contradictory or broken: the replay goes on, and says what it could not do."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.simulator.azure import SUBSCRIPTION
from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.likeness import main, measure
from local.simulator.likeness_exchanges import read
from local.simulator.likeness_presume import presumption_of
from local.simulator.likeness_replay import _Player
from local.simulator.likeness_targets import TargetKind, target_of
from local.simulator.likeness_world import Crashed, Driver
from local.simulator.routing import Route
from local.simulator.wire import Response
from tests.local.simulator.recordings import GROUP, exchange, lines, network, poll, read_group
from tests.local.simulator.sampling import ACR, differences
from tests.started import run

BROKEN = "/subscriptions/{sub}/providers/Contoso.Broken/things/{name}"


# -- lines -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"method": " "}, "no method"),
        ({"path": "//["}, "the path is no URL path"),
        ({"status": 99}, "no HTTP status"),
        ({"status": True}, "no HTTP status"),
    ],
)
def test_a_line_that_cannot_be_sent_says_why(odd: dict[str, Any], why: str) -> None:
    (bad,) = read(lines(exchange(**odd))).bad_lines

    assert (bad.line, bad.why) == (1, why)


@pytest.mark.parametrize(
    ("recorded", "understood"),
    [
        ('{"a": 1}', {"a": 1}),
        ("b'{\"a\": 1}'", {"a": 1}),
        ("b'broken", "b'broken"),
        ("{broken", "{broken"),
        ("", None),
        ("plain", "plain"),
        ([1], [1]),
    ],
)
def test_a_body_is_read_as_far_as_it_can_be(recorded: Any, understood: Any) -> None:
    ((found,),) = read(lines(exchange(response_body=recorded))).sources

    assert found.body == understood


@pytest.mark.parametrize("moment", [None, "yesterday", 7])
def test_an_exchange_without_a_readable_moment_is_replayed_all_the_same(moment: Any) -> None:
    assert differences([exchange(timestamp=moment)]) == []


def test_a_moment_without_a_zone_is_utc() -> None:
    ((found,),) = read(lines(exchange(timestamp="2025-03-04T05:06:07"))).sources

    assert found.at is not None
    assert found.at.isoformat() == "2025-03-04T05:06:07+00:00"


# -- the report --------------------------------------------------------------------------------------------------------


def test_calls_without_a_rule_and_lines_that_are_none_are_listed_for_a_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "recorded.jsonl"
    tags = exchange(method="GET", path=f"/subscriptions/{SUBSCRIPTION}/tagNames/x?api-version=2021-04-01")
    file.write_text("\n".join([*lines(tags), "broken"]), encoding="utf-8")

    assert main([str(file)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "   1x not supported by the simulated Azure: GET /subscriptions/tagnames" in told
    assert any(line.startswith("line 2 is no exchange: not JSON") for line in told)


@pytest.mark.slow
def test_the_module_is_a_program_that_ends_with_its_verdict(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_text("\n".join(lines(exchange(), read_group(status=418))), encoding="utf-8")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "local.simulator.likeness",
        file,
        "--fail-under",
        "51",
        "--everything",
    ]

    done = run(command, check=False)

    assert done.returncode == 1
    assert "everything in the file" in done.stdout


# -- the simulated Azure fails -----------------------------------------------------------------------------------------


def _raise(_azure: Kernel, _call: Call) -> Response:
    raise LookupError("a fault of the simulator")


def test_a_rule_that_raises_is_a_difference_and_not_the_end() -> None:
    path = BROKEN.format(sub=SUBSCRIPTION, name="x")
    broken = exchange(method="GET", path=f"{path}?api-version=2024-01-01", request_body=None, status=200)
    (source,) = read(lines(broken, exchange())).sources
    player = _Player(source)
    player._driver.azure.add_routes([Route("GET", BROKEN, _raise)])

    crashed, fine = (player.play(position) for position in range(2))

    (difference,) = crashed.differences
    assert (difference.recorded, difference.simulated) == ("200", "crash LookupError: a fault of the simulator")
    assert fine.differences == ()


def test_what_goes_wrong_while_something_is_arranged_is_noted() -> None:
    driver = Driver([SUBSCRIPTION], None)
    driver.azure.add_routes([Route("PUT", BROKEN, _raise)])
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"

    assert driver.arrange("PUT", BROKEN.format(sub=SUBSCRIPTION, name="x"), "2024-01-01", {}) is None
    refused = driver.arrange("PUT", group, "2022-09-01", {"location": "atlantis"})

    assert refused is not None
    assert refused.status == 400
    crash, refusal = driver.taken_notes()
    assert crash.startswith(f"PUT {BROKEN.format(sub=SUBSCRIPTION, name='x')} crashed: LookupError")
    assert refusal.startswith(f"PUT {group} was refused while arranging: 400")
    assert driver.taken_notes() == ()


def test_a_transition_that_raises_is_a_crash_of_the_simulator() -> None:
    driver = Driver([SUBSCRIPTION], None)

    def fail(_at: Any) -> None:
        raise LookupError("too late")

    driver.azure.world.later(5, fail)

    with pytest.raises(Crashed, match="too late"):
        driver.settle()


def test_an_azure_that_never_comes_to_rest_does_not_hold_the_replay_up() -> None:
    driver = Driver([SUBSCRIPTION], None)
    started, seen = driver.now, []

    def again(at: Any) -> None:
        seen.append(at)
        driver.azure.world.later(0.001, again)

    again(started)
    driver.settle()

    assert len(seen) > 1000
    assert driver.now - started < timedelta(days=2)


# -- contradictions ----------------------------------------------------------------------------------------------------


def test_a_poll_of_an_operation_that_no_provider_has_is_answered_as_the_simulated_azure_does() -> None:
    place = f"/subscriptions/{SUBSCRIPTION}/providers/Contoso.Things/locations/here/operations/1"

    (outcome,) = measure(lines(poll("InProgress", path=f"{place}?api-version=2024-01-01"))).outcomes

    assert outcome.unsupported


def test_an_operation_of_private_dns_whose_id_tells_nothing_is_that_of_a_zone() -> None:
    place = f"{GROUP}/providers/Microsoft.Network/privateDnsOperationStatuses/%s?api-version=2018-09-01"
    running = {"status": 202, "response_body": {"status": "InProgress"}, "snapshot": "c7n"}

    for odd in ("x", "!!", "AAAA"):
        assert differences([poll("InProgress", path=place % odd, **running)]) == []


NAMELESS = {"error": {"code": "AnotherOperationInProgress", "message": "Another operation is in progress."}}


@pytest.mark.parametrize(
    ("addressed", "busy"),
    [
        (f"{network('spoke')['id']}/subnets/one", network("spoke")["id"]),
        (network("spoke")["id"], network("spoke")["id"]),
    ],
)
def test_a_busy_answer_that_names_nothing_is_about_the_network_around(addressed: str, busy: str) -> None:
    refused = exchange(path=f"{addressed}?api-version=2021-08-01", status=409, response_body=NAMELESS)
    ((found,),) = read(lines(refused)).sources

    assert presumption_of(found, target_of(found.plain_path)).busy == busy


def test_a_busy_subnet_is_refused_though_with_the_more_frequent_status() -> None:
    """One of the differences that the documentation lists: the service says 409 at times, the simulated one 429."""
    refused = exchange(
        path=f"{network('spoke')['id']}/subnets/one?api-version=2021-08-01",
        request_body={"properties": {"addressPrefix": "10.9.1.0/24"}},
        status=409,
        response_body=NAMELESS,
    )

    (outcome,) = measure(lines(refused)).outcomes

    assert [each.simulated for each in outcome.differences if each.aspect == "status"] == ["429 RetryableError"]


ACR_ID = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acr"


@pytest.mark.parametrize(
    ("body", "existed"),
    [
        ({"properties": {"creationDate": "2025-03-04T05:06:01.5Z"}}, False),
        ({"properties": {"creationDate": "2025-03-04T05:00:00Z"}}, True),
        ({"properties": {"creationDate": "2025-03-04T05:06:01"}}, None),
        ({"properties": {"creationDate": "lately"}}, None),
        ({"properties": {"creationDate": 7}}, None),
        ({"systemData": {"createdAt": "1", "lastModifiedAt": "1"}}, False),
        ({"systemData": {"createdAt": "1", "lastModifiedAt": "2"}}, True),
        ("text", None),
    ],
)
def test_a_container_registry_tells_whether_a_put_that_says_200_made_it(body: Any, existed: bool | None) -> None:  # noqa: FBT001
    ((found,),) = read(lines(exchange(path=f"{ACR_ID}?api-version={ACR}", status=200, response_body=body))).sources

    assert presumption_of(found, target_of(found.plain_path)).exists is existed


def test_a_prefix_that_is_none_is_left_to_the_simulated_azure_to_refuse() -> None:
    bad = {"properties": {"addressPrefix": "everywhere"}}
    path = f"{network('spoke')['id']}/subnets/one?api-version=2021-08-01"

    (outcome,) = measure(lines(exchange(path=path, request_body=bad, status=201, response_body={}))).outcomes

    assert outcome.differences[0].simulated.startswith("400 ")


def test_a_connection_that_cannot_come_about_is_noted() -> None:
    basic = {"location": "westeurope", "sku": {"name": "Basic"}}
    connection = (
        f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/small/privateEndpointConnections/one.0a1b2c3d4e5f"
    )
    registry = connection.partition("/privateEndpointConnections")[0]
    made = exchange(path=f"{registry}?api-version={ACR}", request_body=basic, status=200, response_body=basic)
    read_it = exchange(method="GET", path=f"{connection}?api-version={ACR}", request_body=None, status=200)

    outcomes = measure(lines(made, read_it)).outcomes

    assert any("no connection of" in note for note in outcomes[1].notes)
    assert outcomes[1].differences[0].simulated == "404 ResourceNotFound"


def test_an_interface_of_something_that_has_none_is_not_there() -> None:
    nic = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/odd"
    owner = {"id": f"{GROUP}/providers/Contoso.Things/things/one"}
    shown = {"id": nic, "location": "westeurope", "properties": {"privateEndpoint": owner}}
    read_it = exchange(method="GET", path=f"{nic}?api-version=2024-03-01", status=200, response_body=shown)

    (outcome,) = measure(lines(read_it)).outcomes

    assert outcome.differences[0].simulated == "404 ResourceNotFound"


def test_an_item_of_a_list_that_is_no_resource_is_not_made() -> None:
    listed = {"value": [{"name": "nameless"}, {"id": "/not/an/id"}, {"id": network("spoke")["id"]}]}
    path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks?api-version=2022-01-01"
    (source,) = read(lines(exchange(method="GET", path=path, status=200, response_body=listed))).sources
    player = _Player(source)

    player.play(0)

    assert [each.name for each in player._driver.azure.world.children(GROUP)] == ["spoke"]


def test_a_decision_whose_answer_shows_no_properties_is_sent_as_it_is() -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acctone"
    path = f"{account}/privateEndpointConnections/one.0a1b2c3d4e5f?api-version=2023-05-01"
    odd = exchange(path=path, request_body={"properties": {}}, status=200, response_body={"properties": None})

    (outcome,) = measure(lines(odd)).outcomes

    assert outcome.differences[0].simulated == "400 InvalidValuesForRequestParameters"


def test_a_write_without_properties_is_sent_as_it_is() -> None:
    path = f"{network('spoke')['id']}/subnets/one?api-version=2021-08-01"

    (outcome,) = measure(lines(exchange(path=path, request_body={}, status=200, response_body=None))).outcomes

    assert outcome.differences[0].simulated.startswith("400 ")


INVALID = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/Not_A_Name"


def test_what_cannot_be_made_is_not_kept_busy() -> None:
    busy = {"error": {"code": "RetryableErrorDueToAnotherOperation", "message": f"updating resource {INVALID}."}}
    path = f"{network('spoke')['id']}/subnets/one?api-version=2021-08-01"
    asked = {"properties": {"addressPrefix": "10.9.1.0/24"}}

    (outcome,) = measure(lines(exchange(path=path, request_body=asked, status=429, response_body=busy))).outcomes

    assert outcome.differences[0].simulated == "201"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/subscriptions/s/providers/Microsoft.Network", TargetKind.OTHER),
        ("/subscriptions/s", TargetKind.OTHER),
        ("/providers/Microsoft.ResourceGraph/resources", TargetKind.OTHER),
        ("/subscriptions/s/resourceGroups/g", TargetKind.GROUP),
        ("/subscriptions/s/providers/Microsoft.Network/virtualNetworks", TargetKind.LIST),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", TargetKind.ITEM),
        ("/subscriptions/s/providers/Microsoft.Network/locations/l/operations/1", TargetKind.OPERATION),
    ],
)
def test_the_shape_of_a_path_says_what_it_points_at(path: str, kind: TargetKind) -> None:
    assert target_of(path).kind is kind
