"""
Where traces and metrics go, from the variables that the Functions host and OpenTelemetry themselves read.

They are not settings of this app, so a wrong one is no reason not to start: telemetry never costs a pass. What is wrong is
said in one line and nobody is told anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT"
DISABLED = "OTEL_SDK_DISABLED"

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """
    Where to.

    Attributes:
        connection: Of an Application Insights resource; blank for none.
        identity: Application Insights takes a managed identity's token, and nothing else.
        client_id: Of that identity, if it is a user-assigned one.
        otlp: Address of an OTLP receiver over HTTP, blank for none; OpenTelemetry reads its other variables itself.
    """

    connection: str = field(default="", repr=False)
    identity: bool = False
    client_id: str = ""
    otlp: str = ""

    @property
    def wanted(self) -> bool:
        """Somebody listens."""
        return bool(self.connection or self.otlp)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """
        Read *environ*.

        Raises:
            ValueError: With a sentence that shows no value: they may hold keys.
        """
        if environ.get(DISABLED, "").strip().lower() == "true":
            return cls()
        connection = environ.get(CONNECTION, "").strip()
        if connection and "instrumentationkey=" not in connection.lower():
            raise ValueError(f"{CONNECTION} is not a connection string of Application Insights.")
        told = _pairs(environ.get(AUTHENTICATION, ""))
        client_id = told.get("clientid", "")
        if told and (told.get("authorization", "").lower() != "aad" or (client_id and not _GUID.fullmatch(client_id))):
            raise ValueError(f"{AUTHENTICATION} is not of the form ClientId=<guid>;Authorization=AAD.")
        otlp = environ.get(OTLP, "").strip()
        if otlp and not otlp.startswith(("http://", "https://")):
            raise ValueError(f"{OTLP} is not an http or https address.")
        return cls(connection=connection, identity=bool(told), client_id=client_id.lower(), otlp=otlp)


def _pairs(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in parts}
