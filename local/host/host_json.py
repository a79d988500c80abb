"""
host.json, as far as the local host acts on it.

Defaults and limits are those of the host.json reference and of the storage queue bindings' page (extension 5.x).
Settings without effect here are listed, so that the host can say so; wrong values of settings with effect are
problems, all reported at once. An app setting `AzureFunctionsJobHost__PATH__TO__VALUE` wins over the file (the same
reference, "Override host.json values").
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

MAX_BATCH_SIZE = 32  # what one Get Messages call of the queue service returns at most
UNBOUNDED = timedelta(days=36500)
OVERRIDE = "AzureFunctionsJobHost__"
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?")


class InvalidHostJson(ValueError):
    """host.json is missing or wrong; the message lists every problem."""


class MessageEncoding(StrEnum):
    BASE64 = "base64"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """`extensions.queues`."""

    max_polling_interval: timedelta = timedelta(minutes=1)
    """The longest pause between two looks at an empty queue."""
    visibility_timeout: timedelta = timedelta(0)
    """How long a message stays hidden after its function failed."""
    batch_size: int = 16
    """Messages per call; with `new_batch_threshold` added, how many run at once per function."""
    new_batch_threshold: int = 8
    """The next batch is fetched when this many messages, or fewer, are running; half of `batch_size` by default."""
    max_dequeue_count: int = 5
    message_encoding: MessageEncoding = MessageEncoding.BASE64


@dataclass(frozen=True, slots=True, kw_only=True)
class HostJson:
    route_prefix: str = "api"
    function_timeout: timedelta = timedelta(minutes=30)
    """The default of every plan but Consumption."""
    log_level: str = "Information"
    queues: QueueOptions = field(default_factory=QueueOptions)
    without_effect: tuple[str, ...] = ()
    """Paths of settings that this host does not act upon."""


def read_host_json(path: Path, settings: Mapping[str, str] | None = None) -> HostJson:
    """
    Parse the host.json at *path*.

    Args:
        settings: App settings, some of which may win over the file.

    Raises:
        InvalidHostJson: With all problems.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidHostJson(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidHostJson(f"{path} is not JSON: {error}.") from error
    reader = _Reader(document, settings or {})
    options = _read(reader)
    if reader.problems:
        raise InvalidHostJson(f"{path} has problems:\n" + "\n".join(f"- {problem}" for problem in reader.problems))
    return options


def parse_time_span(text: str) -> timedelta:
    """
    A .NET TimeSpan: `[d.]hh:mm[:ss[.fffffff]]`.

    Raises:
        ValueError: It is not one.
    """
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:05:00")
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
        raise ValueError(f"{text!r} is not a time span: hours go to 23, minutes and seconds to 59")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(7, "0")) // 10,
    )


class _Reader:
    """
    Takes values out of a document by path and remembers what was wrong, and what nobody asked for.

    As in every configuration of .NET, the case of a path does not matter.
    """

    def __init__(self, document: Any, settings: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        if not isinstance(document, dict):
            self.problems.append("the document is not an object.")
            document = {}
        values = _flatten(document) | _overrides(settings)
        self._left = {path.lower(): (path, value) for path, value in values.items()}

    def take(self, path: str) -> Any:
        return self._left.pop(path.lower(), (path, None))[1]

    def text(self, path: str, default: str) -> str:
        value = self.take(path)
        if value is None:
            return default
        if not isinstance(value, str):
            self.problems.append(f"{path}: {value!r} is not a string.")
            return default
        return value

    def number(self, path: str, default: int, *, least: int, most: int) -> int:
        value = self.take(path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problems.append(f"{path}: {value!r} is not a whole number from {least} to {most}.")
            return default
        return value

    def time_span(self, path: str, default: timedelta) -> timedelta:
        text = self.text(path, "")
        try:
            return parse_time_span(text) if text else default
        except ValueError as error:
            self.problems.append(f"{path}: {error}.")
            return default

    def left(self) -> tuple[str, ...]:
        return tuple(sorted(path for path, _ in self._left.values()))


def _read(reader: _Reader) -> HostJson:
    if reader.take("version") != "2.0":
        reader.problems.append('version: it must be "2.0".')
    for quiet in ("extensionBundle.id", "extensionBundle.version", "$schema"):  # meant for the cloud and for editors
        reader.take(quiet)
    timeout = reader.text("functionTimeout", "00:30:00")
    return HostJson(
        route_prefix=reader.text("extensions.http.routePrefix", "api").strip("/"),
        function_timeout=UNBOUNDED if timeout == "-1" else _timeout(reader, timeout),
        log_level=reader.text("logging.logLevel.default", "Information"),
        queues=_queues(reader),
        without_effect=reader.left(),
    )


def _timeout(reader: _Reader, text: str) -> timedelta:
    try:
        return parse_time_span(text)
    except ValueError as error:
        reader.problems.append(f"functionTimeout: {error}; -1 means no limit.")
        return UNBOUNDED


def _queues(reader: _Reader) -> QueueOptions:
    at = "extensions.queues"
    batch_size = reader.number(f"{at}.batchSize", 16, least=1, most=MAX_BATCH_SIZE)
    encoding = reader.text(f"{at}.messageEncoding", "base64").lower()
    if encoding not in tuple(MessageEncoding):
        reader.problems.append(f"{at}.messageEncoding: {encoding!r} is neither base64 nor none.")
        encoding = "base64"
    return QueueOptions(
        max_polling_interval=reader.time_span(f"{at}.maxPollingInterval", timedelta(minutes=1)),
        visibility_timeout=reader.time_span(f"{at}.visibilityTimeout", timedelta(0)),
        batch_size=batch_size,
        new_batch_threshold=reader.number(f"{at}.newBatchThreshold", batch_size // 2, least=0, most=1000),
        max_dequeue_count=reader.number(f"{at}.maxDequeueCount", 5, least=1, most=1_000_000),
        message_encoding=MessageEncoding(encoding),
    )


def _overrides(settings: Mapping[str, str]) -> dict[str, str | int]:
    """What app settings say of host.json, by path; a number is a number although all settings are strings."""
    return {
        name[len(OVERRIDE) :].replace("__", "."): int(text) if text.isdecimal() else text
        for name, text in settings.items()
        if name.lower().startswith(OVERRIDE.lower())
    }


def _flatten(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{path}.")
        else:
            flat[path] = value
    return flat
