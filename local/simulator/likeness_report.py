"""
The figures of a replay: per operation, per aspect, and every difference.

An exchange agrees in an aspect when nothing of that aspect differs, and agrees altogether when nothing differs at all.
A call that the simulated Azure does not support agrees in nothing; it is counted and named like any other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.likeness_compare import ASPECTS, Difference
from local.simulator.likeness_exchanges import BadLine
from local.simulator.likeness_replay import Outcome

PRODUCT_OPERATIONS = frozenset(
    {
        "private_endpoint",
        "pe_dns_zone_group",
        "private_dns_zone",
        "private_dns_vnet_link",
        "private_dns_record_a",
        "private_dns_lro",
        "ml_registry",
        "ml_registry_lro",
        "ml_registry_pec",
        "ml_registry_plr",
        "acr_registry",
        "acr_pec",
        "acr_plr",
        "acr_lro",
        "storage_account",
        "storage_pec",
        "storage_plr",
        "storage_lro",
        "network_lro",
        "vnet",
        "subnet",
        "nic",
        "resource_group",
        "rg_delete_lro",
    }
)
"""Operations that the product uses, as the recordings name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of one operation or of many."""

    exchanges: int
    agree: int
    """In every aspect."""
    aspects: Mapping[str, int]
    unsupported: int

    @property
    def percent(self) -> float:
        return 100.0 * self.agree / self.exchanges if self.exchanges else 100.0

    def as_json(self) -> dict[str, Any]:
        return {
            "exchanges": self.exchanges,
            "agree": self.agree,
            "percent": round(self.percent, 1),
            **{f"agree_in_{aspect}": self.aspects[aspect] for aspect in ASPECTS},
            "unsupported": self.unsupported,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a replay found."""

    outcomes: tuple[Outcome, ...]
    bad_lines: tuple[BadLine, ...]

    @property
    def operations(self) -> list[str]:
        return sorted({each.exchange.op for each in self.outcomes})

    def of(self, operations: Iterable[str] | None = None) -> Figures:
        """The figures of some operations, of all when `None`."""
        wanted = None if operations is None else frozenset(operations)
        return figures([each for each in self.outcomes if wanted is None or each.exchange.op in wanted])

    @property
    def product(self) -> Figures:
        return self.of(PRODUCT_OPERATIONS)

    def unsupported(self) -> list[tuple[str, int]]:
        """The calls that the simulated Azure has no rule for, most frequent first."""
        calls = Counter(_call(each) for each in self.outcomes if each.unsupported)
        return sorted(calls.items(), key=lambda item: (-item[1], item[0]))


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Count."""
    aspects = {
        aspect: sum(
            not any(each.aspect == aspect for each in outcome.differences)
            for outcome in outcomes
            if not outcome.unsupported
        )
        for aspect in ASPECTS
    }
    return Figures(
        exchanges=len(outcomes),
        agree=sum(not outcome.differences and not outcome.unsupported for outcome in outcomes),
        aspects=aspects,
        unsupported=sum(outcome.unsupported for outcome in outcomes),
    )


def _call(outcome: Outcome) -> str:
    """Method and type of an unsupported call, without its names."""
    segments = [each for each in outcome.exchange.plain_path.split("/") if each]
    lowered = [each.lower() for each in segments]
    if "providers" not in lowered:
        return f"{outcome.exchange.method} /{'/'.join(lowered[::2])}"
    marker = len(lowered) - 1 - lowered[::-1].index("providers")
    after = segments[marker + 1 :]
    return f"{outcome.exchange.method} {'/'.join([after[0], *after[1::2]]) if after else '/providers'}"


# -- text --------------------------------------------------------------------------------------------------------------


def table(report: Report) -> list[str]:
    """The figures as lines of text."""
    heading = (
        f"{'operation':26} {'all':>5} {'agree':>6} {'%':>6}  "
        + " ".join(f"{each:>8}" for each in ASPECTS)
        + "  unsupported"
    )
    lines = [heading, "-" * len(heading)]
    for operation in report.operations:
        mark = "*" if operation in PRODUCT_OPERATIONS else " "
        lines.append(_row(f"{mark} {operation}", report.of([operation])))
    lines.append("-" * len(heading))
    lines.append(_row("* used by the product", report.product))
    lines.append(_row("  everything in the file", report.of()))
    return lines


def _row(name: str, found: Figures) -> str:
    aspects = " ".join(f"{found.aspects[each]:>8}" for each in ASPECTS)
    return (
        f"{name:26} {found.exchanges:>5} {found.agree:>6} {found.percent:>6.1f}  {aspects}  {found.unsupported or ''}"
    )


def difference_lines(outcomes: Iterable[Outcome]) -> list[str]:
    """Every difference, grouped: how often, where it was seen first."""
    counted: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], str] = {}
    for outcome in outcomes:
        exchange = outcome.exchange
        for each in _worth_telling(outcome):
            recorded, simulated = each.recorded or "absent", each.simulated or "absent"
            seen = (exchange.op, exchange.method, str(exchange.status), each.aspect, each.what, recorded, simulated)
            counted[seen] += 1
            first.setdefault(seen, exchange.place)
    lines = []
    for key, count in sorted(counted.items(), key=lambda item: (item[0][0], -item[1], item[0])):
        op, method, status, aspect, what, recorded, simulated = key
        lines.append(
            f"{count:>4}x {op} {method} {status} {aspect}: {what}: recorded {recorded}, simulated {simulated}"
            f"  [first: {first[key]}]"
        )
    return lines


def _worth_telling(outcome: Outcome) -> list[Difference]:
    """Where the status differs already, the rest follows from it; the counts and the JSON report keep everything."""
    statuses = [each for each in outcome.differences if each.aspect == "status"]
    return statuses or list(outcome.differences)


def detail_lines(outcomes: Iterable[Outcome]) -> list[str]:
    """Every exchange that differs, one after the other, with what went wrong while it was arranged."""
    lines = []
    for outcome in outcomes:
        if not outcome.differences:
            continue
        exchange = outcome.exchange
        lines.append(f"{exchange.op} {exchange.method} {exchange.status} {exchange.path}  [{exchange.place}]")
        for each in _worth_telling(outcome):
            recorded, simulated = each.recorded or "absent", each.simulated or "absent"
            lines.append(f"    {each.aspect}: {each.what}: recorded {recorded}, simulated {simulated}")
        lines.extend(f"    note: {note}" for note in outcome.notes)
    return lines


def as_json(report: Report) -> dict[str, Any]:
    """The whole report as one JSON object."""
    return {
        "product": report.product.as_json(),
        "everything": report.of().as_json(),
        "operations": {each: report.of([each]).as_json() for each in report.operations},
        "unsupported": [{"call": call, "exchanges": count} for call, count in report.unsupported()],
        "bad_lines": [{"line": each.line, "why": each.why} for each in report.bad_lines],
        "differences": [
            {
                "line": outcome.exchange.line,
                "id": outcome.exchange.id,
                "op": outcome.exchange.op,
                "method": outcome.exchange.method,
                "status": outcome.exchange.status,
                "source_file": outcome.exchange.source_file,
                "index": outcome.exchange.index,
                "differences": [
                    {"aspect": each.aspect, "what": each.what, "recorded": each.recorded, "simulated": each.simulated}
                    for each in outcome.differences
                ],
                "notes": list(outcome.notes),
            }
            for outcome in report.outcomes
            if outcome.differences
        ],
    }
