"""The host's log: one line per event on standard error, with the invocation on whose behalf it was written."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

_LEVELS = {  # .NET's names, as host.json spells them
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}


class UnknownLogLevel(ValueError):
    """host.json asks for a level that does not exist."""


class _Line(logging.Formatter):
    def __init__(self, current_invocation: Callable[[], str | None]) -> None:
        super().__init__()
        self._current_invocation = current_invocation

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        invocation = self._current_invocation()
        mark = f" [{invocation}]" if invocation else ""
        line = f"{moment.removesuffix('+00:00')}Z {record.levelname} {record.name}{mark} {record.getMessage()}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def start_log(level: str, current_invocation: Callable[[], str | None]) -> None:
    """
    Send all log records of the process to standard error.

    Raises:
        UnknownLogLevel: *level* is not one of .NET's names.
    """
    if level.lower() not in _LEVELS:
        raise UnknownLogLevel(f"host.json: logging.logLevel.default is {level!r}, which is not a log level.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(current_invocation))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level.lower()])
    logging.getLogger("host").setLevel(min(_LEVELS[level.lower()], logging.INFO))
    for chatty in ("host.storage", "azure.functions"):  # every poll; every invocation, which has its line already
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
