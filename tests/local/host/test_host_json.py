import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.host.host_json import (
    HostJson,
    InvalidHostJson,
    MessageEncoding,
    QueueOptions,
    parse_time_span,
    read_host_json,
)


def read(tmp_path: Path, document: Any) -> HostJson:
    path = tmp_path / "host.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_host_json(path)


def test_an_empty_host_json_means_the_documented_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0"}) == HostJson(
        route_prefix="api",
        function_timeout=timedelta(minutes=30),
        queues=QueueOptions(
            max_polling_interval=timedelta(minutes=1),
            visibility_timeout=timedelta(0),
            batch_size=16,
            new_batch_threshold=8,
            max_dequeue_count=5,
            message_encoding=MessageEncoding.BASE64,
        ),
    )


def test_what_the_host_acts_upon_is_read(tmp_path: Path) -> None:
    queues = {
        "maxPollingInterval": "00:00:01.5",
        "visibilityTimeout": "00:00:30",
        "batchSize": 4,
        "newBatchThreshold": 3,
        "maxDequeueCount": 7,
        "messageEncoding": "none",
    }
    document = {
        "version": "2.0",
        "functionTimeout": "00:05:00",
        "logging": {"logLevel": {"default": "Warning"}},
        "extensions": {"http": {"routePrefix": ""}, "queues": queues},
        "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
    }

    assert read(tmp_path, document) == HostJson(
        route_prefix="",
        function_timeout=timedelta(minutes=5),
        log_level="Warning",
        queues=QueueOptions(
            max_polling_interval=timedelta(seconds=1.5),
            visibility_timeout=timedelta(seconds=30),
            batch_size=4,
            new_batch_threshold=3,
            max_dequeue_count=7,
            message_encoding=MessageEncoding.NONE,
        ),
    )


def test_settings_without_effect_are_named(tmp_path: Path) -> None:
    document = {
        "version": "2.0",
        "telemetryMode": "OpenTelemetry",
        "extensions": {"http": {"maxOutstandingRequests": 9}},
    }

    assert read(tmp_path, document).without_effect == ("extensions.http.maxOutstandingRequests", "telemetryMode")


def test_an_app_setting_wins_over_the_file_in_whatever_case(tmp_path: Path) -> None:
    document = {"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:01", "batchSize": 4}}}
    path = tmp_path / "host.json"
    path.write_text(json.dumps(document))
    settings = {
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.100000",
        "azurefunctionsjobhost__extensions__queues__BATCHSIZE": "8",
        "AzureFunctionsJobHost__extensions__http__hsts": "none",
        "Other__extensions__queues__maxDequeueCount": "2",
    }

    assert read_host_json(path, settings) == HostJson(
        queues=QueueOptions(max_polling_interval=timedelta(seconds=0.1), batch_size=8, new_batch_threshold=4),
        without_effect=("extensions.http.hsts",),
    )


def test_a_wrong_app_setting_is_a_problem_of_the_path_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    path.write_text('{"version": "2.0"}')

    with pytest.raises(InvalidHostJson, match="batchSize: 33 is not a whole number from 1 to 32"):
        read_host_json(path, {"AzureFunctionsJobHost__extensions__queues__batchSize": "33"})


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    queues = {"batchSize": 33, "maxDequeueCount": 0, "messageEncoding": "utf8", "visibilityTimeout": 30}
    queues["maxPollingInterval"] = "soon"
    document = {"functionTimeout": "5 minutes", "extensions": {"queues": queues}}

    with pytest.raises(InvalidHostJson) as refusal:
        read(tmp_path, document)

    assert str(refusal.value).splitlines()[1:] == [
        '- version: it must be "2.0".',
        "- functionTimeout: '5 minutes' is not a time span such as 00:05:00; -1 means no limit.",
        "- extensions.queues.batchSize: 33 is not a whole number from 1 to 32.",
        "- extensions.queues.messageEncoding: 'utf8' is neither base64 nor none.",
        "- extensions.queues.maxPollingInterval: 'soon' is not a time span such as 00:05:00.",
        "- extensions.queues.visibilityTimeout: 30 is not a string.",
        "- extensions.queues.maxDequeueCount: 0 is not a whole number from 1 to 1000000.",
    ]


@pytest.mark.parametrize(("text", "part"), [("{", "is not JSON"), ("[]", "the document is not an object")])
def test_something_else_than_an_object_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(InvalidHostJson, match=part):
        read(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidHostJson, match="cannot be read: No such file"):
        read_host_json(tmp_path / "host.json")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("00:00:02", timedelta(seconds=2)),
        ("01:30", timedelta(hours=1, minutes=30)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:00:00.1000000", timedelta(milliseconds=100)),
    ],
)
def test_a_time_span_is_read_as_dotnet_writes_it(text: str, span: timedelta) -> None:
    assert parse_time_span(text) == span


@pytest.mark.parametrize("text", ["", "5", "24:00:00", "00:60:00", "00:00:61", "-00:00:01", "1 second"])
def test_what_is_not_a_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time span"):
        parse_time_span(text)
