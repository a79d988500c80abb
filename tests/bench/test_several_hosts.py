"""Hosts that share a queue give figures only when nothing was lost, left open, done twice or given up."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.hosts import Shared
from bench.hosts import section as rows_of_hosts
from bench.rows import ReferenceFailed, Row, Verdict
from bench.several_hosts import SeveralHosts, wrong
from local.crash import worlds
from local.processes import start
from local.simulator.azure import SimulatedAzure
from shared.engine.records import LedgerRow


@pytest.fixture
def azure() -> SimulatedAzure:
    return worlds.build(worlds.Scenery(webhook="", header="x", scale=0.01))


def allow(azure: SimulatedAzure, *registries: str) -> None:
    """Rules as the app adds them."""
    rules = azure.require(worlds.ACCOUNT).properties["networkAcls"]["resourceAccessRules"]
    rules += [{"resourceId": registry, "tenantId": azure.tenant_id} for registry in registries]


def test_nothing_is_wrong_with_a_world_in_which_nothing_was_asked_for(azure: SimulatedAzure) -> None:
    assert list(wrong(azure, [], 0)) == []


def test_a_registry_that_is_not_isolated_or_has_no_rule_is_told(azure: SimulatedAzure) -> None:
    registry = worlds.registry_id("models-a")

    found = list(wrong(azure, [registry], 0))

    assert any("models-a" in problem for problem in found[:-1])
    assert found[-1] == f"no rule for {registry.lower()}"


def test_somebody_elses_rule_that_is_gone_is_told(azure: SimulatedAzure) -> None:
    azure.require(worlds.ACCOUNT).properties["networkAcls"]["resourceAccessRules"].clear()

    assert list(wrong(azure, [], 0)) == [f"no rule for {worlds.FOREIGN_RULE['resourceId'].lower()}"]


def test_a_rule_that_is_there_twice_is_told_whatever_its_spelling(azure: SimulatedAzure) -> None:
    registry = worlds.registry_id("models-a")
    allow(azure, registry, registry.upper())

    assert list(wrong(azure, [], 0)) == [f"2 rules for {registry.lower()}"]


def test_messages_that_were_given_up_are_told(azure: SimulatedAzure) -> None:
    assert list(wrong(azure, [], 3)) == ["3 messages are poison"]


class Remembered(SeveralHosts):
    """Rows as a test wants them, instead of a table's."""

    rows: Mapping[str, LedgerRow | None] = {}

    async def row(self, name: str) -> LedgerRow | None:
        return self.rows[name]


async def test_registries_that_are_not_done_in_time_give_no_figures_and_are_named(tmp_path: Path) -> None:
    several = Remembered(tmp_path, 2)
    several.rows = {"models-a": None, "models-b": None}

    with pytest.raises(ReferenceFailed, match=r"2 of 2 registries were not done in 0 s: \['models-a', 'models-b'\]"):
        await several.until_isolated(list(several.rows), seconds=0)


async def test_nothing_is_waited_for_where_nothing_was_asked(tmp_path: Path) -> None:
    assert await Remembered(tmp_path, 2).until_isolated([], seconds=0) == {}


@pytest.mark.slow
async def test_a_host_that_ends_by_itself_gives_no_figures_but_its_last_words(tmp_path: Path) -> None:
    several = Remembered(tmp_path, 1)
    several.rows = {"models-a": None}
    host = start([sys.executable, "-S", "-c", "print('out of memory')"], name="host-0", folder=tmp_path)
    host.process.wait()
    several.hosts.append(host)

    with pytest.raises(ReferenceFailed, match=r"host-0 ended by itself\.\nout of memory"):
        await several.until_isolated(["models-a"], seconds=60)
    with pytest.raises(ReferenceFailed, match=r"host-0 did not get ready\.\n"):
        await several._ready(start([sys.executable, "-S", "-c", ""], name="host-0", folder=tmp_path / "second"))


def shared(hosts: int, *repeated: str) -> Shared:
    return Shared(
        hosts=hosts,
        events=500.0,
        passes=9.0,
        parts=(4, 5, 6, 7)[:hosts],
        repeated=repeated,
        shared=2,
        behind=1.25,
    )


def by_name(rows: tuple[Row, ...]) -> dict[str, Row]:
    return {row.measure.strip(): row for row in rows}


def test_rates_are_told_for_each_host_and_for_all_together() -> None:
    rows = by_name(rows_of_hosts([shared(1), shared(4)]).rows)

    assert (rows["1 host: events taken in a second, each"].ours, rows["1 host: passes a second, each"].ours) == (
        "500.0",
        "9.00",
    )
    assert rows["4 hosts: events taken in a second, each"].ours == "125.0"
    assert rows["4 hosts: events taken in a second, each"].reference == "500 together"
    assert rows["4 hosts: passes a second, each"].ours == "2.25"
    assert (rows["passes of each host"].ours, rows["passes of each host"].reference) == (
        "4, 5, 6, 7",
        "slowest registry 1.25 of the median",
    )


def test_a_write_that_took_effect_twice_misses_and_is_named() -> None:
    row = by_name(rows_of_hosts([shared(2, "pe-models-a again after 0.3 s")]).rows)[
        "writes for a registry done more than once"
    ]

    assert (row.ours, row.verdict, row.note) == ("1", Verdict.MISSED, "pe-models-a again after 0.3 s")
