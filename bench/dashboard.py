"""
The dashboard's first page over many registries: how long it takes at the local Functions host, and how much it sends.

Real: the host, Microsoft's Python worker, Azurite's tables, HTTP. Rows are written straight into the table, by the code that
writes them in production. The first request of the new process is told beside the others, for then nothing is counted yet.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from aiohttp import ClientSession, ClientTimeout, CookieJar

from bench import program
from bench.rows import ReferenceFailed, Section, bounded, told
from bench.sizes import Board
from local.stage import Stage
from local.stage_scene import Scene
from shared.cloud.ledger import batches
from shared.cloud.ledger_entities import to_row_entity
from shared.cloud.state_clients import StateAccount
from shared.core.arm import ResourceId
from shared.core.drifts import Drift
from shared.core.registry import REGISTRY_TYPE
from shared.core.report import BlockedOutcome, Converged, Finding, Outcome, Reason, Report, Severity, Waiting
from shared.engine.records import LedgerRow

MOST_MILLISECONDS = 300.0
MOST_KILOBYTES = 200.0
_PATIENCE = timedelta(minutes=3)
_KILO = 1000
_DASHBOARD = "/api/dashboard"
_REASONS = ("SubnetUnusable", "MissingPermission", "DeniedByPolicy", "Locked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; times in milliseconds."""

    first: float
    counted: float
    times: Sequence[float]
    sent: int


def rows_of(count: int, subscription: str, now: datetime) -> list[LedgerRow]:
    """*count* rows as a large tenant has them: most isolated, some blocked, some at work, some drifted today."""
    dice = random.Random(1)
    return [_row(number, subscription, now, dice) for number in range(count)]


def _row(number: int, subscription: str, now: datetime, dice: random.Random) -> LedgerRow:
    group = f"/subscriptions/{subscription}/resourceGroups/rg-team-{number % 200:03}"
    registry = ResourceId.parse(f"{group}/providers/{REGISTRY_TYPE}/models-{number:05}")
    lot, at = dice.random(), now - timedelta(minutes=dice.randrange(1, 1440))
    name = dice.choice(_REASONS)
    reason = Reason(
        name=name, sentence=f"{name}: what a person has to do about registry {registry.name}, in a sentence."
    )
    outcome: Outcome = Converged()
    if lot < 0.04:
        outcome = BlockedOutcome(reasons=(reason,))
    elif lot < 0.06:
        outcome = Waiting(until=now, reasons=(reason,))
    findings = tuple(
        Finding(code=code, severity=Severity.INFO, sentence=f"What is to be known of {registry.name}.")
        for code in ("environment-builds", "metadata-public", "studio-limits")
    )
    report = Report(
        registry=registry, at=at, phase=outcome.kind, reasons=getattr(outcome, "reasons", ()), findings=findings
    )
    drift = Drift(found=now, repaired=now, number=1) if lot > 0.99 else None
    return LedgerRow(
        registry=registry,
        generation=1,
        first_seen=at,
        requested=at,
        sequence=1,
        outcome=outcome,
        report=report,
        verified=at,
        drift=drift,
    )


async def fill(connection_string: str, rows: Sequence[LedgerRow]) -> None:
    """Write *rows* into the ledger's table, a hundred at a time."""
    async with StateAccount(connection_string=connection_string).table("registries") as client:
        await client.create_table()
        for batch in batches([to_row_entity(row) for row in rows]):
            await client.submit_transaction([("create", entity) for entity in batch])


async def visit(url: str, key: str, board: Board) -> Figures:
    """
    Sign in with a function key and look again and again.

    Raises:
        ReferenceFailed: There was no page, or it did not show every registry in time.
    """
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=60)) as browser:
        async with browser.post(f"{_DASHBOARD}-code", headers={"x-functions-key": key}) as answer:
            code = (await answer.json())["code"]
        own = {"Sec-Fetch-Site": "same-origin"}
        async with browser.post(f"{_DASHBOARD}/sign-in", data={"code": code}, headers=own, allow_redirects=False):
            pass
        began = time.perf_counter()
        first, _ = await _page(browser)
        whole = f"of {board.registries:,}".replace(",", "\u202f")
        while True:
            took, text = await _page(browser)
            if whole in text:
                break
            if time.perf_counter() - began > _PATIENCE.total_seconds():
                raise ReferenceFailed(f"After {_PATIENCE} the page still did not show {whole}.")
            await asyncio.sleep(0.2)
        counted = (time.perf_counter() - began) * _KILO
        times = [took]
        for _ in range(board.looks):
            await asyncio.sleep(0.5)  # so that readings in the background fall between, as they do in life
            took, text = await _page(browser)
            times.append(took)
    return Figures(first=first, counted=counted, times=times, sent=len(text.encode()))


async def _page(browser: ClientSession) -> tuple[float, str]:
    began = time.perf_counter()
    async with browser.get(_DASHBOARD) as answer:
        text = await answer.text()
        if answer.status != 200:
            raise ReferenceFailed(f"The dashboard answered {answer.status}.")
    return (time.perf_counter() - began) * _KILO, text


def measure(board: Board) -> Figures:
    """Start everything, fill the ledger, look."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder), scale=0.1) as stage:
        stage.start_clouds()
        scene: Scene = stage.azure.scene
        now = datetime.now(UTC)
        asyncio.run(fill(stage.azurite.connection_string, rows_of(board.registries, scene.subscription, now)))
        stage.start_host()
        return asyncio.run(visit(stage.host.url, stage.host.key, board))


def dashboard(board: Board) -> Section:
    """Give the rows."""
    return section(board.registries, measure(board))


def section(registries: int, found: Figures) -> Section:
    """Give the rows of what was found."""
    late = sorted(found.times)[int(len(found.times) * 0.95)]
    return Section(
        title=f"The dashboard's first page, {registries:,} registries in Azurite, at the local host",
        rows=(
            bounded("  median of the page", ours=median(found.times), most=MOST_MILLISECONDS, unit="ms"),
            bounded("  95 of 100 pages, while rows are read again", ours=late, most=MOST_MILLISECONDS, unit="ms"),
            bounded(
                "  first page of a new process, counting goes on", ours=found.first, most=MOST_MILLISECONDS, unit="ms"
            ),
            told("  all rows counted after", f"{found.counted / _KILO:.1f} s"),
            bounded("  sent, without the style sheet", ours=found.sent / _KILO, most=MOST_KILOBYTES, unit="kB"),
        ),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with status 1 when there was no page with all registries."""
    board = asked(arguments)
    return program.run(lambda: [dashboard(board)])


def asked(arguments: Sequence[str] | None) -> Board:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.dashboard", description="Measure the dashboard's first page."
    )
    parser.add_argument("registries", type=program.some, nargs="?", default=Board().registries)
    return Board(registries=parser.parse_args(arguments).registries)


if __name__ == "__main__":
    sys.exit(main())
