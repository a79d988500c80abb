"""The search through everything that the suite emits: it finds what was planted, and leaves alone what is none."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from local.azurite import ACCOUNT_KEY
from local.memory import MemoryLedger
from local.simulator.rbac import Rbac
from shared.engine.logs import tell
from shared.engine.records import HistoryEntry
from tests import emitted
from tests.core.worlds import registry_id
from tests.emitted import FUNCTION_KEY, Emitted
from tests.virtual_time import EPOCH

ROOT = Path(__file__).parents[2]
AZURE = "99999999-8888-4777-8666-555555555555"
TOKEN = Rbac(AZURE).token("11111111-2222-4333-8444-555555555555", audience="https://management.azure.com", now=EPOCH)
SECRETS = {
    "token": TOKEN,
    "bearer": "Authorization: Bearer 0123456789abcdef0123",
    "function key": FUNCTION_KEY,
    "account key": ACCOUNT_KEY,
    "connection string": "AccountName=contoso;AccountKey=bm90IGEgc2VjcmV0",
    "signature": "https://contoso.blob.core.windows.net/a?sv=2025-01-05&sig=bm90IGEgc2VjcmV0",
    "topic key": "aeg-sas-key: bm90IGEgc2VjcmV0",
}
every_secret = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)


@every_secret
def test_a_secret_in_a_line_beside_it_or_in_its_error_is_found(secret: str) -> None:
    for record in (
        logging.makeLogRecord({"msg": "said %s", "args": (secret,)}),
        logging.makeLogRecord({"msg": "said", "correlation": secret}),
        logging.makeLogRecord({"msg": "said", "exc_info": (ValueError, ValueError(secret), None)}),
    ):
        found = Emitted()
        found.emit(record)

        assert len(found.leaks()) == 1
        assert found.leaks() == []


@every_secret
async def test_a_secret_in_an_answer_or_in_the_ledger_is_found(secret: str) -> None:
    found, ledger = Emitted(), MemoryLedger()
    found.note(f'{{"detail": "{secret}"}}')
    found.watch(ledger)
    await ledger.append(
        [HistoryEntry(at=EPOCH, registry=registry_id(), kind="change", subject="a", sentence=secret, caller="b")]
    )

    assert len(found.leaks()) >= 2


@pytest.mark.parametrize(
    "text",
    [
        "AccountKey=***",
        "a bearer token is needed",
        "https://contoso.blob.core.windows.net/a?***",
        registry_id().text,
        "0123456789abcdef" * 4,
        "x-functions-key: ***",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    found = Emitted()
    found.note(text)

    assert found.leaks() == []


def test_what_the_product_tells_is_heard_at_the_level_it_runs_with() -> None:
    tell("planted", sentence=FUNCTION_KEY)

    assert len(emitted.SUITE.leaks()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("planted", "code"), [(FUNCTION_KEY, 1), ("nothing", 0)])
def test_a_test_that_emits_a_secret_fails_whatever_it_asserts(tmp_path: Path, planted: str, code: int) -> None:
    test = tmp_path / "test_planted.py"
    test.write_text(f"import logging\n\ndef test_it():\n    logging.getLogger('any').warning({planted!r})\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.emitted", "-c", str(tmp_path / "pytest.ini")]

    result = subprocess.run(  # noqa: S603 -- our own interpreter and file
        [*command, str(test)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert result.returncode == code, result.stdout + result.stderr
    assert ("emitted what looks like a secret" in result.stdout) == bool(code)
