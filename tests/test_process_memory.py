"""
Nothing that lives as long as the process grows without a bound.

Collections that objects of the app are born with, and remembered results of functions, are found in the code; each has to be
named here, with what bounds it. Whoever adds one has to say so here, and to hold a number in a test of its own.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.core import arm, policy, policy_values

ROOT = Path(__file__).parents[1]
COLLECTIONS = {
    "Counter",
    "OrderedDict",
    "WeakKeyDictionary",
    "WeakSet",
    "WeakValueDictionary",
    "defaultdict",
    "deque",
    "dict",
    "list",
    "set",
}
LITERALS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)

PASSING = "gone with the pass, the answer or the page that it belongs to"
CLOSED = "keys are names in the code"
POLICY = "as many as the policy names"
RUNNING = "as many as passes run at once, 24 in a host"
BOUNDED = {
    "handlers/dashboard_render.py file": CLOSED,
    "handlers/dashboard_render.py version": CLOSED,
    "handlers/dashboard_render.py script": "one",
    "handlers/dashboard_render.py script_source": "one",
    "handlers/dashboard_render.py environment": "one",
    "handlers/openapi.py document": "one",
    "shared/cloud/arm_client.py ArmClient._services": "256: tests/cloud/test_arm_client.py",
    "shared/cloud/group_sizes.py GroupSizes._sizes": "1024: tests/cloud/test_bounds.py",
    "shared/cloud/inventory_graph.py ResourceGraph._sizes": CLOSED,
    "shared/cloud/ledger.py TableLedger._clients": CLOSED,
    "shared/cloud/ledger.py TableLedger._names": CLOSED,
    "shared/cloud/session_keys.py TableKeyring._absent": "2, the days of keys: tests/contract/test_session_keys.py",
    "shared/cloud/session_keys.py TableKeyring._known": "2, the days of keys: tests/contract/test_session_keys.py",
    "shared/cloud/shared_lists.py SharedReads._known": "1024, and 40 pages of answers: tests/cloud/test_bounds.py",
    "shared/cloud/shared_starts.py SharedStarts._looks": "1024: tests/cloud/test_bounds.py",
    "shared/cloud/shared_zones.py SharedZones._zones": "1024: tests/cloud/test_bounds.py",
    "shared/cloud/telemetry.py OpenTelemetry._instruments": CLOSED,
    "shared/cloud/zone_presence.py ZonePresence._lists": "1024: tests/cloud/test_bounds.py",
    "shared/cloud/zone_presence.py ZonePresence._seen": "1024: tests/cloud/test_bounds.py",
    "shared/core/arm.py _read": "4096: tests/test_process_memory.py",
    "shared/core/policy.py _nearest": "1024: tests/test_process_memory.py",
    "shared/core/policy_values.py _compiled": "4096: tests/test_process_memory.py",
    "shared/core/reports_html.py HtmlRendering._sections": PASSING,
    "shared/core/reports_json.py JsonRendering._registries": PASSING,
    "shared/core/reports_sarif.py SarifRendering._results": PASSING,
    "shared/engine/admission.py Admission._inside": RUNNING,
    "shared/engine/admission.py Admission._places": "16384: tests/engine/test_bounds.py",
    "shared/engine/admission.py Admission._reads": "1024: tests/engine/test_bounds.py",
    "shared/engine/admission.py Admission._writes": POLICY,
    "shared/engine/admission.py _Reads._tickets": "those with a place: tests/engine/test_bounds.py",
    "shared/engine/admission.py _Reads._waiting": "those with a ticket",
    "shared/engine/drift.py DriftIntake._busy": "weak: gone with the last event about the registry that is being taken in",
    "shared/engine/names_turn.py NamesTurn._since": "4096: tests/engine/test_bounds.py",
    "shared/engine/observe.py _Observation._held": PASSING,
    "shared/engine/observe_sharing.py _Reading.unreadable": PASSING,
    "shared/engine/observe_workspaces.py _Look._problems": PASSING,
    "shared/engine/owners.py Owners._answers": "2048: tests/engine/test_owners.py",
    "shared/engine/owners.py Owners._asking": "weak: gone with the last event about the resource that is being taken in",
    "shared/engine/recall.py Recall._answers": "1024: tests/engine/test_recall.py",
    "shared/engine/recall.py Recollection._targets": PASSING,
    "shared/engine/recall.py ZoneNames._told": CLOSED,
    "shared/engine/rule_writer.py RuleWriter._lines": RUNNING,
    "shared/engine/throttle.py Throttle._states": "4096: tests/engine/test_bounds.py",
    "shared/engine/work.py Work._announcements": PASSING,
    "shared/engine/work.py Work.entries": PASSING,
}


def collects(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        made = value.func.value if isinstance(value.func, ast.Subscript) else value.func
        return isinstance(made, ast.Name | ast.Attribute) and ast.unparse(made).split(".")[-1] in COLLECTIONS
    return isinstance(value, LITERALS)


def born_with(owner: ast.ClassDef) -> Iterator[str]:
    """Attributes that a class's `__init__` makes collections of."""
    makers = [each for each in owner.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    for statement in (found for maker in makers for found in ast.walk(maker)):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and collects(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.attr for target in targets if isinstance(target, ast.Attribute))


def remembers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(decorator).partition("(")[0].split(".")[-1] for decorator in function.decorator_list}
    return bool(names & {"cache", "lru_cache"})


def is_empty(value: ast.expr | None) -> bool:
    """A collection that begins empty is there to be filled; a table is not."""
    return collects(value) and not contents(value)


def contents(value: ast.expr | None) -> list[ast.AST]:
    parts = value.args if isinstance(value, ast.Call) else ast.iter_child_nodes(value) if value else ()
    return [part for part in parts if not isinstance(part, ast.expr_context)]


def found_in(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and is_empty(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (ast.unparse(target) for target in targets)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in born_with(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and remembers(node):
            yield node.name


def test_everything_that_a_process_remembers_is_named_with_its_bound() -> None:
    files = sorted(file for room in ("handlers", "shared") for file in (ROOT / room).rglob("*.py"))

    found = {f"{file.relative_to(ROOT).as_posix()} {name}" for file in files for name in found_in(file.read_text())}

    assert found == set(BOUNDED)


def test_the_tests_that_hold_the_numbers_exist() -> None:
    named = {bound.partition(": ")[2] for bound in BOUNDED.values() if ": tests/" in bound}

    assert len(named) > 5
    assert all((ROOT / path).is_file() for path in named)


def test_what_remembers_is_recognised_however_it_is_written() -> None:
    source = """
SEEN: dict[str, int] = {}
KNOWN = set()
TABLE = {"a": 1}

class A:
    def __init__(self):
        self.a = []
        self.b = {}
        self.c: dict[str, int] = {}
        self.d = collections.OrderedDict[str, int]()
        self.e = weakref.WeakValueDictionary()
        self.no = tuple(x)

@functools.lru_cache(maxsize=None)
def f(): ...

class B:
    @cache
    async def g(self): ...
    def h(self):
        self.no = []
"""
    assert set(found_in(source)) == {"A.a", "A.b", "A.c", "A.d", "A.e", "f", "g", "SEEN", "KNOWN"}


def test_remembered_results_have_a_size() -> None:
    sizes = {each.cache_info().maxsize for each in (arm._read, policy_values._compiled)}

    assert sizes == {4096}
    assert policy._nearest.cache_info().maxsize == 1024
