"""Who listens in this process: what the environment names, or nobody, at no cost."""

import logging
from collections.abc import Mapping

from shared.engine.logs import tell
from shared.engine.telemetry import Silence, Telemetry
from shared.telemetry_settings import TelemetrySettings


def choose(environ: Mapping[str, str]) -> Telemetry:
    """The listener that *environ* asks for; a wrong one is told of in one line and nobody listens."""
    try:
        settings = TelemetrySettings.from_environ(environ)
    except ValueError as error:
        tell("telemetry-off", level=logging.WARNING, sentence=str(error))
        return Silence()
    if not settings.wanted:
        return Silence()
    # Only here: where nobody listens, OpenTelemetry's SDK is not even imported.
    from shared.cloud.telemetry_exporters import create_telemetry  # noqa: PLC0415

    return create_telemetry(settings)
