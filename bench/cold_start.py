"""
Cold start: what a new process pays before its first invocation, beside an app that does nothing.

Both are imported by fresh interpreters, in turn, so that a machine that slows down slows both; medians are shown. What
the first pass loads on top is measured as well, because that is where the management SDKs come in.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from bench.budgets import COLD_START_MILLISECONDS, Budget
from bench.rows import ReferenceFailed, Row, Section, bounded, exactly, told
from local.azurite import REPOSITORY
from local.stage import clean_environment

_CHILD = """
import json, sys, time
from bench.resident import peak_mib
import azure.functions
begun = time.perf_counter()
{imports}
ended = time.perf_counter()
peak = peak_mib()
heavy = sorted(name for name in sys.modules if name.startswith(("azure.mgmt", "azure.identity")))
functions = len(app.get_functions()) if hasattr(app, "get_functions") else 0
print(json.dumps({{"seconds": ended - begun, "peak_mib": peak, "heavy": heavy, "functions": functions}}))
"""
_EMPTY = "app = azure.functions.FunctionApp()"
_OURS = "from function_app import app"
_LATER = """
from function_app import app
import shared.settings, shared.policy_file
import shared.cloud.clock, shared.cloud.credentials, shared.cloud.state_clients, shared.cloud.ledger
import shared.cloud.work_queue, shared.cloud.leases, shared.cloud.arm_policies, shared.cloud.control_plane
import shared.engine.reception, shared.engine.worker, shared.engine.reconcile
"""
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One fresh interpreter: seconds beyond `import azure.functions`, peak memory, and which heavy modules came in."""

    seconds: float
    peak_mib: float
    heavy: tuple[str, ...]
    functions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """All starts of the three kinds, in the order in which they were made."""

    empty: tuple[Start, ...]
    ours: tuple[Start, ...]
    first_pass: tuple[Start, ...]

    @property
    def working_mib(self) -> float:
        """Memory of a process that has everything loaded."""
        return median(each.peak_mib for each in self.first_pass)


def measure(runs: int) -> ColdStart:
    """
    Start *runs* interpreters of each kind, in turn, after one of each that is not counted.

    Raises:
        ReferenceFailed: One did not start, or the app has no functions.
    """
    for kind in (_EMPTY, _OURS, _LATER):
        _start(kind)
    rounds = [tuple(_start(kind) for kind in (_EMPTY, _OURS, _LATER)) for _ in range(runs)]
    empty, ours, first_pass = (tuple(kind) for kind in zip(*rounds, strict=True))
    if not all(start.functions for start in ours):
        raise ReferenceFailed("function_app was imported and has no functions")
    return ColdStart(empty=empty, ours=ours, first_pass=first_pass)


def cold_start(measured: ColdStart) -> Section:
    """The rows."""
    empty, ours = (_milliseconds(starts) for starts in (measured.empty, measured.ours))
    return Section(
        title="Cold start, fresh interpreters in turn",
        rows=(
            bounded(
                "import function_app beyond azure.functions",
                ours=ours,
                most=COLD_START_MILLISECONDS,
                unit="ms",
                reference=f"{empty:.2g} ms, empty app",
                about=Budget.COLD_START,
                note=f"Medians of {len(measured.ours)} starts of each kind.",
            ),
            exactly(
                "  azure.mgmt and azure.identity modules loaded by it",
                ours=max(len(start.heavy) for start in measured.ours),
                needed=0,
                about=Budget.COLD_START,
            ),
            _memory("  peak memory after it", measured.ours, measured.empty),
            told("loaded by the first event and the first pass", f"{_milliseconds(measured.first_pass) - ours:.4g} ms"),
            _memory("  peak memory after that", measured.first_pass, measured.empty),
        ),
    )


def _memory(measure_name: str, starts: tuple[Start, ...], empty: tuple[Start, ...]) -> Row:
    peak, least = (median(each.peak_mib for each in kind) for kind in (starts, empty))
    return Row(
        measure=measure_name,
        ours=f"{peak:.0f} MiB",
        reference=f"{least:.0f} MiB, empty app",
        ratio=f"{peak / least:.3g}",
    )


def _milliseconds(starts: tuple[Start, ...]) -> float:
    return 1000 * median(each.seconds for each in starts)


def _start(imports: str) -> Start:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(imports=imports)],
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        raise ReferenceFailed(f"a fresh interpreter could not import: {done.stderr.strip().splitlines()[-1:]}")
    told_by_child = json.loads(done.stdout)
    return Start(
        seconds=told_by_child["seconds"],
        peak_mib=told_by_child["peak_mib"],
        heavy=tuple(told_by_child["heavy"]),
        functions=told_by_child["functions"],
    )
