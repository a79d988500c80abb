"""
Everything the suite emits is searched for secrets: no log line, HTTP answer or kept row may hold one, whatever the test.

A plugin of the whole suite, and two functions for the rigs: `note` a text that left the app, `watch` a ledger that will be
read when its test is over. Log records come by themselves, and so does what programs write that tests start: a host is heard
in the test that runs when it writes, which need not be the one that started it. What counts as a secret here is told apart
from what the product takes out (`shared.core.secrets`) on purpose: a hole in those patterns must not hide itself. It is narrow
instead: keys and tokens that the suite really uses, and the shapes of Azure's own.
"""

import logging
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.azurite import ACCOUNT_KEY
from local.processes import KEPT
from tests.outputs import Outputs

FUNCTION_KEY = "not a real key"
"""What the rigs of the handlers knock with."""
_SHOWN = 12
_AROUND = 60
_SECRETS = re.compile(
    "|".join(
        (
            re.escape(FUNCTION_KEY),
            re.escape(ACCOUNT_KEY),
            r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}",  # a JSON web token; the simulated Azure's are ones, too
            r"(?i:bearer)\s+(?!\*)(?=[\w.~+/-]*\d)[\w.~+/-]{16,}",
            r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=(?!\*)[^\s;&\"']{4,}",
            r"[?&]sig=(?!\*)[\w%+/-]{8,}",  # a shared access signature
            r"(?i:x-functions-key|aeg-sas-key)[\"']?\s*[:=]\s*[\"']?(?=[\w+/=-]*\d)[\w+/=-]{8,}",
        )
    )
)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Attributes of every record, formatted ones included; what is beside them was given as `extra`."""

type Kept = Mapping[str, Any]


class Emitted(logging.Handler):
    """What was emitted since the last search."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self._texts: list[str] = []
        self._ledgers: list[object] = []
        self._outputs: Outputs | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record: its line, its error, and whatever was put beside it."""
        self._texts.append(record.getMessage())
        self._texts += [str(value) for name, value in vars(record).items() if name not in _PLAIN and value]
        if record.exc_info:
            self._texts.append(logging.Formatter().formatException(record.exc_info))

    def note(self, text: str) -> None:
        """Keep a text that left the app."""
        self._texts.append(text)

    def watch(self, ledger: object) -> None:
        """Read *ledger* when its test is over; it is kept until then."""
        self._ledgers.append(ledger)

    def hear(self, outputs: Outputs) -> None:
        """Read, from now on, what programs write there."""
        self._outputs = outputs

    def leaks(self) -> list[str]:
        """The secrets among all that, and forget it."""
        found = [shown(match) for text in self._all() for match in _SECRETS.finditer(text)]
        if self._outputs is not None:
            for text in self._outputs.fresh():
                keys = map(re.escape, sorted(self._outputs.keys))
                search = re.compile("|".join((_SECRETS.pattern, *keys)))
                found += [shown(match) for match in search.finditer(text)]
        self._texts.clear()
        self._ledgers.clear()
        return found

    def _all(self) -> Iterable[str]:
        yield from self._texts
        for ledger in self._ledgers:
            yield from kept_by(ledger)


def kept_by(ledger: object) -> Iterable[str]:
    """Every text in the rows and the history of an in-memory ledger, compressed ones too."""
    rows: Mapping[object, tuple[Kept, str]] = vars(ledger)["_rows"]
    histories: Mapping[str, Mapping[str, Kept]] = vars(ledger)["_history"]
    for entity in (
        *(entity for entity, _ in rows.values()),
        *(one for each in histories.values() for one in each.values()),
    ):
        yield "".join(str(value) for _, value in sorted(entity.items()) if isinstance(value, str))
        packed = b"".join(value for _, value in sorted(entity.items()) if isinstance(value, bytes))
        if packed:
            yield zlib.decompress(packed).decode("ascii")


def shown(match: re.Match[str]) -> str:
    """Where a secret was found: its beginning, and what stands before it."""
    before = match.string[max(match.start() - _AROUND, 0) : match.start()]
    return f"{before}[{match[0][:_SHOWN]}...]"


SUITE = Emitted()
"""The one of this process."""
note, watch = SUITE.note, SUITE.watch


def pytest_configure(config: pytest.Config) -> None:
    """Listen to everything that is logged, the product's own lines at the level that it runs with, and to every program."""
    logging.getLogger().addHandler(SUITE)
    logging.getLogger("registry_isolation").setLevel(logging.INFO)
    folder, before = tempfile.mkdtemp(prefix="outputs-"), os.environ.get(KEPT)

    def forget() -> None:
        os.environ.pop(KEPT)
        if before is not None:
            os.environ[KEPT] = before
        shutil.rmtree(folder)

    os.environ[KEPT] = folder
    SUITE.hear(Outputs(folder=Path(folder)))
    config.add_cleanup(forget)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fail a test that emitted a secret, whatever else it found."""
    try:
        yield
    finally:
        leaks = SUITE.leaks()
    if leaks:
        pytest.fail("emitted what looks like a secret:\n" + "\n".join(leaks), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """The same for what ends after its test."""
    try:
        yield
    finally:
        leaks = SUITE.leaks()
    if leaks:
        pytest.fail("emitted what looks like a secret while ending:\n" + "\n".join(leaks), pytrace=False)
