"""
The app's settings: environment variables in, one frozen value or every problem at once out.

Each field names its variable and says beneath itself what it means, its unit and why its default is what it is;
`local.settings.sample.json` is held to these fields by a test. Nothing here reads a file or asks Azure, and only
`load` looks at the process's own environment. A simulated Azure is refused outside development in code, because a
deployment that ships too many files must not be able to ship that as well.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from shared.core.arm import is_guid
from shared.core.clouds import CLOUDS, Cloud
from shared.core.errors import InvalidSettings
from shared.core.outcome_topics import topic_problem
from shared.dashboard_settings import PLATFORM_AUTH, DashboardSettings
from shared.hosting import ENVIRONMENT, is_development

APP_ROOT = Path(__file__).resolve().parents[1]
"""Where function_app.py and host.json lie; relative paths start here."""

STORAGE = "AzureWebJobsStorage"

_QUEUE = re.compile(r"(?=.{3,47}$)[a-z0-9]+(-[a-z0-9]+)*")
_SCHEDULE = re.compile(r"[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4,5}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_KEY_NAME = re.compile(r"[0-9a-f]{8}=[\w .@-]{1,64}")
_SOURCE = re.compile(r"[!-~]{1,512}", re.ASCII)
_PAGE = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[\w.~!$&'()*+,;=:@%/-]*)?", re.ASCII)
_API_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-[a-z]+)?")


def _setting(name: str, default: str, parse: Callable[[str], object]) -> dict[str, Any]:
    """
    Describe a field that is filled from the variable *name*.

    Args:
        default: What an absent or blank variable stands for.
        parse: Makes the value, or raises ValueError with the rest of the sentence that begins with the name.
    """
    return {"name": name, "default": default, "parse": parse}


def _cloud(raw: str) -> Cloud:
    if raw not in CLOUDS:
        raise ValueError(f"is {raw!r}; known clouds are {', '.join(CLOUDS)}")
    return CLOUDS[raw]


def _guid(raw: str) -> str:
    if raw and not is_guid(raw):
        raise ValueError(f"is {raw!r}; a GUID is needed")
    return raw.lower()


def _path(raw: str) -> Path:
    return APP_ROOT / raw


def _file(raw: str) -> str:
    return str(APP_ROOT / raw) if raw else ""


def _matching(shape: re.Pattern[str], meaning: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw and not shape.fullmatch(raw):
            raise ValueError(f"is {raw!r}; {meaning}")
        return raw

    return parse


def _https(raw: str) -> str:
    if not raw:
        return ""
    try:
        url = urlsplit(raw)
        whole = url.scheme == "https" and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        whole = False
    if not whole or url.username or url.password or url.query or url.fragment or url.path not in {"", "/"}:
        raise ValueError("is not of the form https://host or https://host:port")  # not shown: it may hold a signature
    return raw.rstrip("/")


def _seconds(least: int, most: int) -> Callable[[str], timedelta]:
    def parse(raw: str) -> timedelta:
        if not re.fullmatch(r"\d{1,9}", raw, re.ASCII) or not least <= int(raw) <= most:
            raise ValueError(f"is {raw!r}; a whole number of seconds from {least} to {most} is needed")
        return timedelta(seconds=int(raw))

    return parse


def _factor(raw: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", raw, re.ASCII) or not 0 < float(raw) <= 1:
        raise ValueError(f"is {raw!r}; a number above 0 and at most 1 is needed")
    return float(raw)


def _flag(raw: str) -> bool:
    if raw.lower() not in {"true", "false"}:
        raise ValueError(f"is {raw!r}; true or false is needed")
    return raw.lower() == "true"


def _key_names(raw: str) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in raw.split(","))):
        print_, _, name = pair.partition("=")
        if not _KEY_NAME.fullmatch(pair) or print_ in names:
            raise ValueError(
                "must hold pairs like 1a2b3c4d=alice-laptop, each fingerprint once"
            )  # not shown: it may hold a key
        names[print_] = name
    return names


def _connection(raw: str) -> str:
    if raw and "=" not in raw:
        raise ValueError("is not a storage connection string")  # not shown: it may hold a key
    return raw


def _credential(raw: str) -> str:
    if raw.lower() not in {"", "managedidentity"}:
        raise ValueError(f"is {raw!r}; only managedidentity is known")
    return raw.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSettings:
    """Which Azure, and who the app is there."""

    cloud: Cloud = field(metadata=_setting("AZURE_CLOUD", "AzureCloud", _cloud))
    """AzureCloud, AzureUSGovernment or AzureChinaCloud, as the Azure CLI names them. Default: AzureCloud."""

    client_id: str = field(metadata=_setting("ISOLATION_CLIENT_ID", "", _guid))
    """Client id of the user-assigned identity for Azure. Default: blank, the system-assigned one."""

    principal_id: str = field(metadata=_setting("ISOLATION_PRINCIPAL_ID", "", _guid))
    """
    Object id of the app's identity: events that its own writes cause are recognised by it, and sentences name it to
    whoever has to grant something. Default: blank; nothing is recognised, which costs an extra look per write.
    """

    registry_api_version: str = field(
        metadata=_setting(
            "ISOLATION_REGISTRY_API_VERSION",
            "2025-06-01",
            _matching(_API_VERSION, "an api-version like 2025-06-01 is needed"),
        )
    )
    """
    api-version for Microsoft.MachineLearningServices/registries. Default: 2025-06-01, widely deployed and, other than
    2024-10-01, keeping managedResourceGroupSettings when a registry is written back.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """The app's own storage account: queue, ledger, leases."""

    connection_string: str = field(metadata=_setting(STORAGE, "", _connection), repr=False)
    """Connection string, for development (`UseDevelopmentStorage=true`). Default: blank, a managed identity."""

    account_name: str = field(
        metadata=_setting(
            f"{STORAGE}__accountName", "", _matching(_ACCOUNT, "a storage account name has 3 to 24 of a-z and 0-9")
        )
    )
    """Storage account reached with a managed identity; the service URIs follow from it and the cloud."""

    blob_uri: str = field(metadata=_setting(f"{STORAGE}__blobServiceUri", "", _https))
    """Blob service, where it does not follow from the account name."""

    queue_uri: str = field(metadata=_setting(f"{STORAGE}__queueServiceUri", "", _https))
    """Queue service, where it does not follow from the account name."""

    table_uri: str = field(metadata=_setting(f"{STORAGE}__tableServiceUri", "", _https))
    """Table service, where it does not follow from the account name."""

    client_id: str = field(metadata=_setting(f"{STORAGE}__clientId", "", _guid))
    """Client id of the user-assigned identity for this account. Default: blank, the system-assigned one."""

    credential: str = field(metadata=_setting(f"{STORAGE}__credential", "", _credential))
    """`managedidentity`, or blank; the Functions host reads it too."""

    work_queue: str = field(
        metadata=_setting(
            "ISOLATION_WORK_QUEUE",
            "registry-work",
            _matching(_QUEUE, "3 to 47 of a-z, 0-9 and single hyphens between them are needed"),
        )
    )
    """
    Name of the work queue; the poison queue is the same with `-poison`, other queues of the app have other endings. Default:
    registry-work. The triggers' bindings read the variable itself, so a deployment must set it even to the default.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSettings:
    """How the app works."""

    policy_path: Path = field(metadata=_setting("ISOLATION_POLICY_PATH", "policy.yaml", _path))
    """The policy file, absolute or below the app's root. Default: policy.yaml."""

    pass_deadline: timedelta = field(metadata=_setting("ISOLATION_PASS_DEADLINE_SECONDS", "60", _seconds(5, 300)))
    """
    Longest that one pass may take, retries included. Seconds, 5 to 300. Default: 60, far above the two a pass needs
    and far below every hosting plan's limit.
    """

    sweep_schedule: str = field(
        metadata=_setting(
            "ISOLATION_SWEEP_SCHEDULE",
            "0 7 * * * *",
            _matching(_SCHEDULE, "an NCRONTAB expression of five or six fields is needed, such as 0 7 * * * *"),
        )
    )
    """
    When sweeps begin, as an NCRONTAB expression in UTC. Default: 0 7 * * * *, every hour at seven minutes past, when not
    everybody's timers fire. The trigger's binding reads the variable itself, so a deployment must set it even to the default.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Who asks over HTTP; it is for the record only, a function key opens the door."""

    easy_auth: bool = field(metadata=_setting("ISOLATION_EASY_AUTH", "false", _flag))
    """
    App Service authentication ("Easy Auth") is on and lets nobody in whom it does not know: callers are then known by
    the principal that it names. Default: false, because without it anybody can send those headers.
    """

    key_names: Mapping[str, str] = field(metadata=_setting("ISOLATION_KEY_NAMES", "", _key_names))
    """
    Names of the holders of function keys, as `1a2b3c4d=alice-laptop,…`; the digits are the first eight of the SHA-256
    of a key. Default: blank, a caller is known by those digits alone.
    """

    findings_page: str = field(metadata=_setting("ISOLATION_FINDINGS_PAGE", "", _matching(_PAGE, "https is needed")))
    """Where you publish docs/findings.md, for the links in reports. Default: blank, reports name the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSettings:
    """Who is told what became of registries."""

    topic: str = field(metadata=_setting("ISOLATION_OUTCOME_TOPIC", "", str), repr=False)
    """Endpoint of a custom Event Grid topic that takes CloudEvents. Default: blank, nobody is told and no event is kept."""

    source: str = field(
        metadata=_setting(
            "ISOLATION_OUTCOME_SOURCE",
            "/registry-isolation",
            _matching(_SOURCE, "a URI of at most 512 characters is needed"),
        )
    )
    """CloudEvents source of this installation's events, such as the function app's resource id. Default: /registry-isolation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """A simulated Azure in place of the real one; refused outside development."""

    arm_endpoint: str = field(metadata=_setting("ISOLATION_ARM_ENDPOINT", "", _https))
    """Base URL of the simulated Azure Resource Manager, https only. Default: blank, the cloud's own."""

    arm_ca: str = field(metadata=_setting("ISOLATION_ARM_CA", "", _file))
    """PEM file of the certificate authority that the simulated Azure is signed by. Default: blank, the system's."""

    pace: float = field(metadata=_setting("ISOLATION_PACE", "1", _factor))
    """Factor on the waits between looks at a simulated Azure that runs faster than the real one. Default: 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment says."""

    azure: AzureSettings
    state: StateSettings
    work: WorkSettings
    http: HttpSettings
    dashboard: DashboardSettings
    outcomes: OutcomeSettings
    simulation: SimulationSettings
    development: bool
    """Whether this process runs under a local Functions host."""
    platform_auth: bool  # the platform says that its authentication is loaded, and so guards the headers of principals

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read *environ*; raises InvalidSettings with every problem."""
        problems = list(_unknown(environ))
        groups = {name: _read(group, environ, problems) for name, group in _GROUPS.items()}
        development = is_development(environ)
        problems += _contradictions(environ, groups, development=development)
        if problems:
            raise InvalidSettings(problems)
        state = StateSettings(**groups["state"] | _service_uris(groups["state"], groups["azure"]["cloud"]))
        return cls(
            azure=AzureSettings(**groups["azure"]),
            state=state,
            work=WorkSettings(**groups["work"]),
            http=HttpSettings(**groups["http"]),
            dashboard=DashboardSettings(**groups["dashboard"]),
            outcomes=OutcomeSettings(**groups["outcomes"]),
            simulation=SimulationSettings(**groups["simulation"]),
            development=development,
            platform_auth=environ.get(PLATFORM_AUTH, "").lower() == "true",
        )


_GROUPS: dict[str, type] = {
    "azure": AzureSettings,
    "state": StateSettings,
    "work": WorkSettings,
    "http": HttpSettings,
    "dashboard": DashboardSettings,
    "outcomes": OutcomeSettings,
    "simulation": SimulationSettings,
}
_SERVICES = ("blob", "queue", "table")


def setting_names() -> tuple[str, ...]:
    """Every variable that is read, in the order of the fields."""
    return tuple(one.metadata["name"] for group in _GROUPS.values() for one in fields(group))


def load() -> Settings:
    """The settings of this process."""
    return Settings.from_environ(os.environ)


def _read(group: type, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one in fields(group):
        raw = environ.get(one.metadata["name"], "").strip() or one.metadata["default"]
        try:
            values[one.name] = one.metadata["parse"](raw)
        except ValueError as error:
            problems.append(f"{one.metadata['name']} {error}.")
    return values


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    """A misspelt setting would otherwise be a default that nobody wanted."""
    known = setting_names()
    for name in sorted(environ):
        if name.startswith("ISOLATION_") and name not in known:
            near = get_close_matches(name, known, n=1)
            yield f"{name} is not a setting of this app" + (f"; did you mean {near[0]}?" if near else ".")


def _contradictions(
    environ: Mapping[str, str], groups: Mapping[str, Mapping[str, Any]], *, development: bool
) -> Iterator[str]:
    if not development:
        for one in fields(SimulationSettings):
            name = one.metadata["name"]
            if environ.get(name, "").strip() not in {"", one.metadata["default"]}:
                yield f"{name} points the app at a simulated Azure and is refused unless {ENVIRONMENT} is Development."
    if (topic := groups["outcomes"]["topic"]) and "cloud" in groups["azure"]:
        problem = topic_problem(topic, groups["azure"]["cloud"], groups["simulation"].get("arm_endpoint", ""))
        if problem:
            yield f"ISOLATION_OUTCOME_TOPIC {problem}."
    state = groups["state"]
    if not any(environ.get(name, "").strip() for name in (STORAGE, f"{STORAGE}__accountName")):
        missing = [service for service in _SERVICES if not state.get(f"{service}_uri", "broken")]
        if missing:
            names = ", ".join(f"{STORAGE}__{service}ServiceUri" for service in missing)
            yield (
                f"{STORAGE} (a connection string) or {STORAGE}__accountName (with a managed identity) is needed"
                f"{f', or else also {names}' if len(missing) < len(_SERVICES) else ''}."
            )


def _service_uris(state: Mapping[str, Any], cloud: Cloud) -> dict[str, str]:
    """The URIs of the state account's services, told or derived; nothing beside a connection string."""
    if state["connection_string"] or not state["account_name"]:
        return {}
    suffix = cloud.zones["blob"][0].removeprefix("privatelink.blob.")
    return {
        f"{service}_uri": state[f"{service}_uri"] or f"https://{state['account_name']}.{service}.{suffix}"
        for service in _SERVICES
    }
