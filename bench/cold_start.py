"""
Cold start: what a new process pays before its first invocation, beside an app that does nothing.

Both are imported by fresh interpreters, in turn, so that a machine that slows down slows both; medians are shown. What
the first event loads on top is measured as well, and then the first pass, which is where the management SDKs come in: the
app is composed by its own composition root, from the settings of a local run, without a call to anybody.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from bench.budgets import COLD_START_MILLISECONDS, Budget
from bench.rows import ReferenceFailed, Row, Section, bounded, exactly, told
from local.arm_user import AzureAddress
from local.azurite import REPOSITORY
from local.simulator.azure import SUBSCRIPTION
from local.stage import app_settings, clean_environment
from local.stage_scene import Scene

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
_EVENT = """
from function_app import app
import asyncio, handlers.runtime
composed = asyncio.run(handlers.runtime.runtime())
composed.reception
"""
_PASS = f"{_EVENT}composed.reconciler"
_KINDS = (_EMPTY, _OURS, _EVENT, _PASS)
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
    """All starts of the four kinds, in the order in which they were made."""

    empty: tuple[Start, ...]
    ours: tuple[Start, ...]
    first_event: tuple[Start, ...]
    first_pass: tuple[Start, ...]

    @property
    def working_mib(self) -> float:
        """Memory of a process that has everything loaded."""
        return median(each.peak_mib for each in self.first_pass)


def measure(runs: int) -> ColdStart:
    """
    Start *runs* interpreters of each kind, in turn, after one of each that is not counted.

    Raises:
        ReferenceFailed: One did not start.
    """
    for kind in _KINDS:
        _start(kind)
    rounds = [tuple(_start(kind) for kind in _KINDS) for _ in range(runs)]
    empty, ours, event, first_pass = (tuple(kind) for kind in zip(*rounds, strict=True))
    return ColdStart(empty=empty, ours=ours, first_event=event, first_pass=first_pass)


def cold_start(measured: ColdStart) -> Section:
    """
    Give the rows.

    Raises:
        ReferenceFailed: The app has no functions, or its first pass was not composed.
    """
    if not all(start.functions for start in measured.ours):
        raise ReferenceFailed("function_app was imported and has no functions")
    if not all(start.heavy for start in measured.first_pass):
        raise ReferenceFailed("a pass was composed and no management SDK was loaded")
    empty, ours, event = (_milliseconds(each) for each in (measured.empty, measured.ours, measured.first_event))
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
            told("loaded by the first event, besides", f"{event - ours:.4g} ms"),
            _memory("  peak memory after the first event", measured.first_event, measured.empty),
            told("loaded by the first pass, besides", f"{_milliseconds(measured.first_pass) - event:.4g} ms"),
            _memory("  peak memory after the first pass", measured.first_pass, measured.empty),
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


def _settings() -> dict[str, str]:
    """Of an app whose Azure is never called: nothing is sent before the first event."""
    nobody = "https://127.0.0.1:9"
    address = AzureAddress(
        endpoint=nobody,
        ca=REPOSITORY / "ca.pem",
        identity_endpoint=nobody,
        identity_header="nobody",
        scene=Scene(subscription=SUBSCRIPTION),
    )
    policy = REPOSITORY / "policy.example.yaml"
    return app_settings(storage="UseDevelopmentStorage=true", azure=address, scale=1.0, policy=policy)


def _start(imports: str) -> Start:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(imports=imports)],
        cwd=REPOSITORY,
        env=clean_environment() | _settings(),
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
