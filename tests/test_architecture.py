"""The arrows between the rooms, and the proof that the contracts that hold them bite."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.started import run

ROOT = Path(__file__).parents[1]
LONGEST = 400
PLANTED = {
    "shared/core/arm.py": "import tenacity",
    "shared/core/plan.py": "import asyncio",
    "shared/core/dns.py": "from shared.engine import ports",
    "shared/engine/apply.py": "import azure.core",
    "shared/engine/work.py": "from shared.cloud import clock",
    "shared/cloud/clock.py": "import tenacity",
    "shared/settings.py": "from local import processes",
    "handlers/events.py": "from shared import settings",
    "local/simulator/wire.py": "from shared.core import arm",
    "handlers/reconcile.py": "from bench import rows",
    "local/host/keys.py": "from handlers import runtime",
}


def python_files() -> list[Path]:
    return [
        file
        for room in ("handlers", "shared", "local", "tests", "bench")
        for file in sorted((ROOT / room).rglob("*.py"))
    ] + [ROOT / "function_app.py"]


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return run(command, cwd=folder, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    for room in ("handlers", "shared", "local", "bench"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.slow
def test_the_contracts_hold(copy: Path) -> None:
    result = lint_imports(copy)

    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("file", PLANTED)
def test_a_planted_import_breaks_a_contract(copy: Path, file: str) -> None:
    target = copy / file
    original = target.read_text()
    target.write_text(f"{original}\n{PLANTED[file]}\n")
    try:
        result = lint_imports(copy)
    finally:
        target.write_text(original)

    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_every_door_is_under_the_contract_that_only_the_runtime_composes() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (each["source_modules"] for each in contracts if each["name"].startswith("only handlers.runtime"))
    doors = {f"handlers.{file.stem}" for file in (ROOT / "handlers").glob("*.py")}

    assert set(held) == doors - {
        "handlers.runtime",
        "handlers.dashboard_runtime",
        "handlers.doctor_runtime",
        "handlers.__init__",
    }


def test_function_app_registers_handlers_and_nothing_else() -> None:
    assert imports(ROOT / "function_app.py") == {"azure.functions", "handlers"}


def test_handlers_know_azure_functions_and_no_other_sdk() -> None:
    for file in (ROOT / "handlers").glob("*.py"):
        assert {name for name in imports(file) if name.split(".")[0] == "azure"} <= {"azure.functions"}, file


def test_importing_the_app_imports_no_management_sdk() -> None:
    script = (
        "import function_app, sys; print([m for m in sys.modules if m.startswith(('azure.mgmt', 'azure.identity'))])"
    )
    result = run([sys.executable, "-c", script], cwd=ROOT)

    assert result.stdout.strip() == "[]"


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        str(file.relative_to(ROOT)): n for file in python_files() if (n := len(file.read_text().splitlines())) > LONGEST
    }

    assert long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}

    assert [file for file in python_files() if file.stem in empty] == []


def test_nothing_is_left_for_later_and_nothing_is_mocked() -> None:
    words = ["TO" + "DO", "FIX" + "ME", "X" * 3, "Not" + "ImplementedError", "unittest" + ".mock", "Magic" + "Mock"]
    words += ["monkeypatch" + ".setattr"]
    found = [
        f"{file.relative_to(ROOT)}: {word}" for file in python_files() for word in words if word in file.read_text()
    ]

    assert found == []


def test_only_those_who_wait_for_real_processes_sleep_in_real_time() -> None:
    real = (ROOT / "local", ROOT / "tests" / "local")
    sleepers = [file for file in python_files() if "time" + ".sleep(" in file.read_text()]

    assert [file for file in sleepers if not file.is_relative_to(real[0]) and not file.is_relative_to(real[1])] == []


def test_only_the_retrying_module_imports_tenacity() -> None:
    users = [file.relative_to(ROOT) for file in python_files() if "tenacity" in imports(file)]

    assert users == [Path("shared/engine/retrying.py")]
