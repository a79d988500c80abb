"""
What the app declares, as values: one `Function` per function, with its one trigger and its outputs.

Anything that this host could not honour is refused here, with one sentence per problem and all problems at once:
a binding that were silently ignored would make a local run a lie.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from local.host.app_settings import AppSettings, SettingsProblem
from local.host.ncrontab import InvalidSchedule, Schedule
from local.host.retries import InvalidRetryPolicy, RetryPolicy
from local.host.routes import InvalidRoute, Route
from local.host.worker import IndexedFunction


class UnsupportedApp(ValueError):
    """The app declares something that this host cannot honour; the message lists every case."""


class AuthLevel(StrEnum):
    """Who may call an HTTP function."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    parameter: str
    route: Route
    methods: frozenset[str]
    """Upper-case; empty means all."""
    auth_level: AuthLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    parameter: str
    queue: str
    connection_string: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGridTrigger:
    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerTrigger:
    parameter: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


type Trigger = HttpTrigger | QueueTrigger | EventGridTrigger | TimerTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutput:
    parameter: str
    """The function's parameter, or `$return`."""
    queue: str
    connection_string: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    name: str
    id: str
    trigger: Trigger
    queue_outputs: tuple[QueueOutput, ...]
    http_output: str | None
    """Which output is the HTTP response: `$return` or a parameter."""
    retry: RetryPolicy | None = None

    @property
    def kind(self) -> str:
        """The trigger's type as Azure spells it in bindings."""
        match self.trigger:
            case HttpTrigger():
                return "httpTrigger"
            case QueueTrigger():
                return "queueTrigger"
            case EventGridTrigger():
                return "eventGridTrigger"
            case TimerTrigger():
                return "timerTrigger"
            case _:
                assert_never(self.trigger)


def describe(indexed: Iterable[IndexedFunction], settings: AppSettings) -> tuple[Function, ...]:
    """
    Turn the worker's index into functions, with every `%SETTING%` and connection resolved.

    Raises:
        UnsupportedApp: With every problem of every function.
    """
    functions: list[Function] = []
    problems: list[str] = []
    for function in indexed:
        try:
            functions.append(_describe(function, settings))
        except UnsupportedApp as error:
            problems += str(error).splitlines()
    problems += _same_route_twice(functions)
    if problems:
        raise UnsupportedApp("\n".join(problems))
    return tuple(functions)


def _describe(indexed: IndexedFunction, settings: AppSettings) -> Function:
    triggers: list[Trigger] = []
    queue_outputs: list[QueueOutput] = []
    http_output: str | None = None
    problems: list[str] = []
    for text in indexed.raw_bindings:
        binding = json.loads(text)
        used_by = f"The function {indexed.name}'s {binding['type']} {binding['name']}"
        try:
            match binding["type"]:
                case "http":
                    http_output = binding["name"]
                case "queue" if binding["direction"] == "OUT":
                    queue_outputs.append(_queue_output(binding, settings, used_by))
                case _:
                    triggers.append(_trigger(indexed.name, binding, settings, used_by))
        except (SettingsProblem, InvalidRoute, InvalidSchedule, UnsupportedApp) as error:
            problems.append(str(error))
    if problems:
        raise UnsupportedApp("\n".join(problems))
    if len(triggers) != 1:
        raise UnsupportedApp(f"The function {indexed.name} has {len(triggers)} triggers; it must have exactly one.")
    return Function(
        name=indexed.name,
        id=indexed.id,
        trigger=triggers[0],
        queue_outputs=tuple(queue_outputs),
        http_output=http_output,
        retry=_retry_policy(indexed, triggers[0]),
    )


def _retry_policy(indexed: IndexedFunction, trigger: Trigger) -> RetryPolicy | None:
    if indexed.retry_options is None:
        return None
    if not isinstance(trigger, TimerTrigger):
        raise UnsupportedApp(
            f"The function {indexed.name} has a retry policy, which Azure applies to none of its triggers: of those that "
            "the local host serves, timers have retry policies."
        )
    try:
        return RetryPolicy.of(indexed.retry_options)
    except InvalidRetryPolicy as error:
        raise UnsupportedApp(f"The function {indexed.name} has a retry policy that Azure refuses: {error}.") from error


def _trigger(function: str, binding: dict[str, Any], settings: AppSettings, used_by: str) -> Trigger:
    parameter = binding["name"]
    match binding["type"]:
        case "httpTrigger":
            return HttpTrigger(
                parameter=parameter,
                route=Route.parse(binding.get("route") or function),
                methods=frozenset(method.upper() for method in binding.get("methods") or ()),
                auth_level=AuthLevel(str(binding.get("authLevel") or "function").lower()),
            )
        case "queueTrigger":
            return QueueTrigger(
                parameter=parameter,
                queue=_queue_name(binding, settings, used_by),
                connection_string=settings.connection_string(binding.get("connection"), used_by=used_by),
            )
        case "eventGridTrigger":
            return EventGridTrigger(parameter=parameter)
        case "timerTrigger":
            return TimerTrigger(
                parameter=parameter,
                schedule=Schedule.parse(settings.resolve(binding["schedule"], used_by=used_by)),
                run_on_startup=_flag(binding.get("runOnStartup"), default=False),
                use_monitor=_flag(binding.get("useMonitor"), default=True),
            )
        case other:
            direction = str(binding["direction"]).lower()
            raise UnsupportedApp(
                f"The function {function} has a binding of type {other} (parameter {parameter}, direction "
                f"{direction}), which the local host does not serve; it serves HTTP, storage queue, Event Grid and "
                "timer triggers, and HTTP and storage queue outputs."
            )


def _queue_output(binding: dict[str, Any], settings: AppSettings, used_by: str) -> QueueOutput:
    return QueueOutput(
        parameter=binding["name"],
        queue=_queue_name(binding, settings, used_by),
        connection_string=settings.connection_string(binding.get("connection"), used_by=used_by),
    )


def _queue_name(binding: dict[str, Any], settings: AppSettings, used_by: str) -> str:
    name = settings.resolve(binding["queueName"], used_by=used_by)
    if "{" in name:
        raise UnsupportedApp(f"{used_by} has the queue name {name}, a binding expression the local host does not know.")
    return name.lower()  # the host in Azure lower-cases them too: queue names have no upper case


def _flag(value: object, *, default: bool) -> bool:
    """A boolean that may have been written as text."""
    if value is None:
        return default
    return value if isinstance(value, bool) else str(value).strip().lower() == "true"


def _same_route_twice(functions: Sequence[Function]) -> list[str]:
    problems = []
    seen: list[tuple[str, HttpTrigger]] = []
    for function in functions:
        trigger = function.trigger
        if not isinstance(trigger, HttpTrigger):
            continue
        problems += [
            f"The functions {name} and {function.name} answer the same requests: /{trigger.route.template}."
            for name, other in seen
            if other.route.shape == trigger.route.shape and _share_a_method(other, trigger)
        ]
        seen.append((function.name, trigger))
    return problems


def _share_a_method(one: HttpTrigger, other: HttpTrigger) -> bool:
    return not one.methods or not other.methods or bool(one.methods & other.methods)
