"""
App settings: the `Values` of a local.settings.json under the process's environment, and what is looked up in them.

As in Azure Functions Core Tools, a variable that the environment already has wins over the file. Functions see the
settings as environment variables.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.azurite import ACCOUNT, ACCOUNT_KEY

_PLACEHOLDER = re.compile(r"%([^%]+)%")
_DEVELOPMENT_STORAGE = "usedevelopmentstorage=true"


class SettingsProblem(ValueError):
    """A setting is missing or cannot be used; the sentence names it."""


def read_local_settings(path: Path) -> dict[str, str]:
    """
    The `Values` of a local.settings.json.

    Raises:
        SettingsProblem: The file is missing, is not such a document, or is encrypted.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsProblem(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsProblem(f"The settings file {path} is not JSON: {error}.") from error
    if not isinstance(document, dict) or not isinstance(document.get("Values"), dict):
        raise SettingsProblem(f'The settings file {path} has no "Values" object.')
    if document.get("IsEncrypted"):
        raise SettingsProblem(f"The settings file {path} is encrypted; run `func settings decrypt` first.")
    wrong = sorted(name for name, value in document["Values"].items() if not isinstance(value, str))
    if wrong:
        raise SettingsProblem(f"Settings are strings; in {path} these are not: {', '.join(wrong)}.")
    return dict(document["Values"])


class AppSettings(Mapping[str, str]):
    """All settings by name; the case of a name does not matter, as in Azure."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._names = {name.lower(): name for name in values}

    def __getitem__(self, name: str) -> str:
        return self._values[self._names[name.lower()]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def resolve(self, text: str, *, used_by: str) -> str:
        """
        Replace every %NAME% in *text* by that setting.

        Raises:
            SettingsProblem: A setting is missing; *used_by* says who needs it.
        """

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self:
                raise SettingsProblem(f"{used_by} needs the app setting {name}, which is missing.")
            return self[name]

        return _PLACEHOLDER.sub(value, text)

    def number(self, name: str, *, default: int) -> int:
        """
        A setting that is a whole number.

        Raises:
            SettingsProblem: It is something else.
        """
        text = self.get(name, str(default))
        if not text.strip().isdecimal():
            raise SettingsProblem(f"The app setting {name} is {text!r}, which is not a whole number.")
        return int(text)

    def connection_string(self, name: str | None, *, used_by: str) -> str:
        """
        The storage connection string behind a binding's `connection`.

        An empty name means AzureWebJobsStorage; any other name is tried with the prefix AzureWebJobs first.

        Raises:
            SettingsProblem: There is none, or it is an identity-based connection.
        """
        plain = name or "AzureWebJobsStorage"
        for candidate in (f"AzureWebJobs{plain}", plain):
            if self.get(candidate):
                return _expanded(self[candidate])
        if any(setting.lower().startswith(f"{plain.lower()}__") for setting in self):
            raise SettingsProblem(
                f"{used_by} uses the connection {plain}, which is identity-based ({plain}__...); "
                "the local host needs a connection string."
            )
        raise SettingsProblem(f"{used_by} needs the connection string {plain}, which is missing.")


def _expanded(connection_string: str) -> str:
    """Azurite's short form in full, because the Python SDK does not know it."""
    if connection_string.strip().rstrip(";").lower() != _DEVELOPMENT_STORAGE:
        return connection_string
    endpoints = {"Blob": 10000, "Queue": 10001, "Table": 10002}
    parts = [f"{service}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}" for service, port in endpoints.items()]
    return ";".join(["DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}", *parts])
