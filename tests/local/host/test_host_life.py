"""How a host starts, refuses to start, stops, dies and comes back."""

import json
import os
import signal
from pathlib import Path
from urllib.request import urlopen

import pytest

from local.processes import ChildFailed
from tests.local.host.running import PATIENCE, Place, until

pytestmark = pytest.mark.slow

NO_STORAGE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:9/a"


def write_app(folder: Path, code: str, host_json: str = '{"version": "2.0"}') -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(f"import azure.functions as func\napp = func.FunctionApp()\n{code}")
    (folder / "host.json").write_text(host_json)
    return folder


def refusal(place: Place, app: Path) -> str:
    with pytest.raises(ChildFailed, match="exit status 1") as failure:
        place.host(app=app)
    return str(failure.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.prepare(tmp_path, NO_STORAGE)


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("import not_installed", "No module named 'not_installed'"),
        ("app = 5", "Could not find top level function app instances"),
        (
            (
                "@app.blob_trigger(arg_name='b', path='c/{n}', connection='AzureWebJobsStorage')\n"
                "def f(b: func.InputStream): ..."
            ),
            "The function f has a binding of type blobTrigger (parameter b, direction in), which the local host",
        ),
        (
            (
                "@app.route('x')\n@app.blob_output(arg_name='b', path='c/n', connection='AzureWebJobsStorage')\n"
                "def f(req: func.HttpRequest, b: func.Out[str]) -> str: ..."
            ),
            "The function f has a binding of type blob (parameter b, direction out), which the local host",
        ),
        (
            "@app.timer_trigger(arg_name='t', schedule='%NOWHERE%')\ndef f(t: func.TimerRequest): ...",
            "The function f's timerTrigger t needs the app setting NOWHERE, which is missing.",
        ),
        (
            (
                "@app.timer_trigger(arg_name='t', schedule='0 * * * * *')\n@app.retry(strategy='now_and_then', "
                "max_retry_count='2')\ndef f(t: func.TimerRequest): ..."
            ),
            "The function f has a retry policy that Azure refuses: the strategy is 'now_and_then'",
        ),
    ],
)
def test_an_app_that_cannot_be_honoured_is_refused_with_a_sentence(
    place: Place, tmp_path: Path, code: str, part: str
) -> None:
    assert part in refusal(place, write_app(tmp_path / "app", code))


def test_a_wrong_host_json_is_refused_with_all_its_problems(place: Place, tmp_path: Path) -> None:
    host_json = '{"functionTimeout": "soon", "extensions": {"queues": {"batchSize": 99}}}'

    message = refusal(place, write_app(tmp_path / "app", "", host_json))

    assert message.count("\n- ") == 3


def test_an_app_without_function_app_py_is_refused(place: Place, tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", "")
    (app / "function_app.py").unlink()

    assert f"There is no function_app.py in {app}" in refusal(place, app)


def test_a_taken_port_is_reported(place: Place) -> None:
    with place.host() as host:
        port = host.url.rpartition(":")[2]
        with (
            pytest.raises(ChildFailed, match="cannot be used: Address already in use"),
            place.host("--port", port, name="second"),
        ):
            pass


def test_the_environment_wins_over_the_settings_file(place: Place, tmp_path: Path) -> None:
    code = (
        "import os\n@app.route('x', auth_level='anonymous')\n"
        "def f(req: func.HttpRequest) -> str: return os.environ['SCHEDULE'] + os.environ['AZURE_FUNCTIONS_ENVIRONMENT']"
    )
    app = write_app(tmp_path / "app", code)
    os.environ["SCHEDULE"] = "from the environment, "
    try:
        with place.host(app=app) as host, urlopen(f"{host.url}/api/x") as response:  # noqa: S310 -- loopback
            assert response.read() == b"from the environment, Development"
            assert "the environment wins over the settings file: SCHEDULE" in host.log()
    finally:
        del os.environ["SCHEDULE"]


def test_keys_and_hence_urls_survive_a_restart(place: Place) -> None:
    with place.host() as first:
        port = int(first.url.rpartition(":")[2])
    with place.host(port=port) as second:
        assert second.webhook("notice") == first.webhook("notice")


def test_an_unreachable_queue_service_does_not_keep_http_from_working(place: Place) -> None:
    with place.host() as host, urlopen(f"{host.url}/admin/host/ping") as response:  # noqa: S310 -- loopback
        assert response.status == 200
        until(lambda: "function=work waits: Could not create the queue" in host.log())


@pytest.mark.parametrize("request_to_end", [signal.SIGTERM, signal.SIGINT])
def test_a_host_asked_to_stop_finishes_its_message_first(
    azurite: str, tmp_path: Path, request_to_end: signal.Signals
) -> None:
    place = Place.prepare(tmp_path, azurite)
    with place.host("--grace", "20") as host, place.queue() as queue:
        until(lambda: "executed function=tick" in host.log())
        queue.send_message("pause one second")
        until(lambda: place.seen("work"))
        os.kill(host.child.pid, request_to_end)
        status = host.child.process.wait(PATIENCE.total_seconds())

        assert status == 0
        assert "executed function=work" in host.log()
        assert "result=failed" not in host.log()
        assert queue.get_queue_properties().approximate_message_count == 0


def test_a_message_that_takes_longer_than_the_grace_is_given_back(azurite: str, tmp_path: Path) -> None:
    place = Place.prepare(tmp_path, azurite)
    with place.host("--grace", "0.2") as host, place.queue() as queue:
        until(lambda: "executed function=tick" in host.log())
        queue.send_message("hang")
        until(lambda: place.seen("work"))
        assert host.child.stop() == 0

        [message] = queue.receive_messages()
        assert message.content == "hang"


def test_a_second_signal_ends_a_host_at_once(azurite: str, tmp_path: Path) -> None:
    place = Place.prepare(tmp_path, azurite)
    with place.host("--grace", "600") as host, place.queue() as queue:
        until(lambda: "executed function=tick" in host.log())
        queue.send_message("hang")
        until(lambda: place.seen("work"))
        os.kill(host.child.pid, signal.SIGINT)
        until(lambda: "stopping" in host.log())
        os.kill(host.child.pid, signal.SIGINT)

        assert host.child.process.wait(PATIENCE.total_seconds()) == 128 + signal.SIGINT


def test_a_killed_hosts_messages_are_worked_on_by_the_next_one(azurite: str, tmp_path: Path) -> None:
    place = Place.prepare(tmp_path, azurite)
    texts = {f"hang {number}" for number in range(9)}
    with place.host("--message-lease", "2") as host, place.queue() as queue:
        until(lambda: "executed function=tick" in host.log())
        for text in sorted(texts):
            queue.send_message(text)
        until(lambda: len(place.seen("work")) >= 4)
        os.kill(host.child.pid, signal.SIGKILL)
        host.child.process.wait()

        with place.host("--message-lease", "2", name="next"):
            until(lambda: queue.get_queue_properties().approximate_message_count == 0)

        assert {seen["text"] for seen in place.seen("work")} == texts


def test_a_function_that_kills_the_process_kills_the_host(place: Place) -> None:
    with place.host() as host:
        with pytest.raises(OSError, match=r"."):
            urlopen(f"{host.url}/api/misbehave/die")  # noqa: S310 -- loopback

        assert host.child.process.wait(PATIENCE.total_seconds()) == 7


def test_a_timer_missed_while_the_host_was_down_is_past_due(place: Place) -> None:
    with place.host():
        pass
    notes = place.folder / "data" / "timers.json"
    document = json.loads(notes.read_text())
    document["tick"]["next"] = "2026-01-01T00:00:00+00:00"
    notes.write_text(json.dumps(document))

    with place.host():
        until(lambda: len(place.seen("tick")) == 2)

        assert [seen["past_due"] for seen in place.seen("tick")] == [False, True]


STUMBLE = """
@app.timer_trigger(arg_name='timer', schedule='0 0 0 1 1 *', run_on_startup=True)
@app.retry(strategy='exponential_backoff', max_retry_count='2', minimum_interval='00:00:00', maximum_interval='00:00:01')
def stumble(timer: func.TimerRequest, context: func.Context) -> None:
    raise RuntimeError(f'{context.retry_context.retry_count} of {context.retry_context.max_retry_count}')
"""


def test_a_failing_timer_runs_again_by_its_policy_and_knows_which_retry_it_is(place: Place, tmp_path: Path) -> None:
    with place.host(app=write_app(tmp_path / "app", STUMBLE)) as host:
        until(lambda: "RuntimeError: 2 of 2" in host.log())

        told = [line.rpartition("error=")[2] for line in host.log().splitlines() if "result=failed" in line]
        assert told == ["'RuntimeError: 0 of 0'", "'RuntimeError: 1 of 2'", "'RuntimeError: 2 of 2'"]


def test_two_hosts_share_one_queue_and_only_one_of_them_fires_the_timers(azurite: str, tmp_path: Path) -> None:
    place = Place.prepare(tmp_path, azurite)
    texts: set[str] = set()
    with place.host(name="one") as one:
        until(lambda: "executed function=tick" in one.log())
        with place.host(name="two") as two, place.queue() as queue:
            assert two.ready["keys"] == one.ready["keys"]

            def both_worked() -> bool:
                """One message more at each look, as long as one host alone is quick enough for all of them."""
                texts.add(f"message {len(texts)}")
                queue.send_message(f"message {len(texts) - 1}")
                return all("executed function=work" in host.log() for host in (one, two))

            until(both_worked)
            until(lambda: queue.get_queue_properties().approximate_message_count == 0)

            assert sorted(entry["text"] for entry in place.seen("work")) == sorted(texts)
            assert len(place.seen("tick")) == 1

            os.kill(one.child.pid, signal.SIGKILL)
            until(lambda: "executed function=tick" in two.log())


def test_a_function_can_be_disabled_by_a_setting(place: Place) -> None:
    settings = place.settings | {"AzureWebJobs.tick.Disabled": "true", "AzureWebJobs_secured_Disabled": "1"}
    (place.folder / "local.settings.json").write_text(json.dumps({"Values": settings}))

    with place.host() as host:
        names = {entry["name"] for entry in host.ready["functions"]}

        assert {"tick", "secured"}.isdisjoint(names)
        assert "disabled by app settings: secured, tick" in host.log()
