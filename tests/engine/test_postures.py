"""A walk through the ledger: every registry once, however small the steps, and never more than was allowed."""

from dataclasses import replace

import pytest

from local.memory import MemoryLedger
from shared.core.report import Converged, Finding, Report, Severity
from shared.engine.postures import PAGE, Known, KnownPage, Postures, Walk, Wanted
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time


class Counted(MemoryLedger):
    """Notes the size of every page that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []

    async def list_whole_rows(
        self, *, phase: str = "", subscription: str = "", limit: int = 100, after: str = ""
    ) -> KnownPage:
        self.limits.append(limit)
        return await super().list_whole_rows(phase=phase, subscription=subscription, limit=limit, after=after)


async def a_ledger(count: int) -> Counted:
    ledger = Counted()
    for number in range(count):
        registry = registry_id(f"models-{number}")
        report = Report(registry=registry, at=EPOCH, phase="converged")
        row = replace(a_row(registry=registry), outcome=Converged(), report=report)
        await ledger.write(row, None)
    return ledger


def a_finding_of(severity: Severity) -> Finding:
    return Finding(code="x", severity=severity, sentence="x", resource=registry_id())


async def walked(ledger: MemoryLedger, walk: Walk) -> list[str]:
    postures = Postures(ledger, a_policy(), LoopClock())
    return [posture.registry.name async for posture in postures.walk(Wanted(), walk)]


async def test_a_report_that_is_not_all_goes_on_where_it_ended() -> None:
    ledger = await a_ledger(7)
    found, after = [], ""
    for _ in range(3):
        walk = Walk(after=after, most=3)
        found += await walked(ledger, walk)
        after = walk.after

    assert sorted(found) == [f"models-{number}" for number in range(7)]
    assert after == ""


async def test_rows_are_read_by_the_page_and_none_beyond_the_end() -> None:
    ledger = await a_ledger(PAGE + 1)

    found = await walked(ledger, Walk(most=PAGE + 100))

    assert len(found) == PAGE + 1
    assert ledger.limits == [PAGE, 100]


async def test_a_reader_who_has_enough_gets_the_place_where_the_rest_begins() -> None:
    ledger = await a_ledger(PAGE + 10)
    walk, found = Walk(), 0
    async for _ in Postures(ledger, a_policy(), LoopClock()).walk(Wanted(), walk):
        found += 1
        walk.stop()

    assert found == PAGE
    assert walk.after
    assert len(await walked(ledger, Walk(after=walk.after))) == 10


async def test_what_was_asked_for_is_told_without_what_was_not() -> None:
    assert Wanted(phase="blocked").filters == {"phase": "blocked"}
    assert Wanted().filters == {}


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        (None, {"quiet": [], "remark": ["info"], "both": ["warning", "info"]}),
        (Severity.INFO, {"remark": ["info"], "both": ["warning", "info"]}),
        (Severity.WARNING, {"both": ["warning"]}),
        (Severity.ERROR, {}),
    ],
)
async def test_a_severity_leaves_out_what_is_less_and_whoever_has_nothing_else(
    severity: Severity | None, told: dict[str, list[str]]
) -> None:
    remark, warning = a_finding_of(Severity.INFO), a_finding_of(Severity.WARNING)
    ledger = MemoryLedger()
    for name, findings in (("quiet", ()), ("remark", (remark,)), ("both", (remark, warning))):
        report = Report(registry=registry_id(name), at=EPOCH, phase="converged", findings=findings)
        await ledger.write(replace(a_row(registry=registry_id(name)), outcome=Converged(), report=report), None)

    walk = Postures(ledger, a_policy(), LoopClock()).walk(Wanted(severity=severity), Walk())

    assert {
        posture.registry.name: [noted.finding.severity.value for noted in posture.findings] async for posture in walk
    } == told


async def test_a_registry_that_left_the_scope_is_passed_over() -> None:
    class Strange(MemoryLedger):
        async def list_whole_rows(self, **_: object) -> KnownPage:
            elsewhere = registry_id("alpha").text.replace(
                registry_id().subscription, "9" * 8 + "-9999-4999-8999-" + "9" * 12
            )
            return KnownPage(known=(Known(registry=type(registry_id()).parse(elsewhere), phase="converged", row=None),))

    assert await walked(Strange(), Walk()) == []
