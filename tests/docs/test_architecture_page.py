"""The page about the life of one event names what there is: modules, functions, queues, in the diagram and beside it."""

import re
from pathlib import PurePosixPath

import pytest

from local.azurite import REPOSITORY

PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
(DIAGRAM,) = re.findall(r"^```mermaid\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CODE = {
    file.relative_to(REPOSITORY).as_posix(): file.read_text(encoding="utf-8")
    for room in ("handlers", "shared")
    for file in sorted((REPOSITORY / room).rglob("*.py"))
}
NAMED_FILES = sorted(set(re.findall(r"`([a-z_/]+\.py)`", PAGE)))
PARTICIPANTS = dict(re.findall(r"participant (\w) as (.+)", DIAGRAM))
IN_THE_DIAGRAM = sorted(set(re.findall(r"\b([a-z]+_[a-z_]+|[A-Z][a-z]+[A-Z]\w+|guard|claim|announce)\b", DIAGRAM)))
ELSEWHERE = {"sequenceDiagram"}
CLASSES = ("Observer", "Applier", "Deliverer", "ProgressReader")


@pytest.mark.parametrize("named", NAMED_FILES)
def test_every_module_that_the_page_names_is_there(named: str) -> None:
    assert any(PurePosixPath(path).match(named) for path in CODE)


@pytest.mark.parametrize("name", [name for name in IN_THE_DIAGRAM if name not in ELSEWHERE])
def test_every_function_of_the_diagram_is_there(name: str) -> None:
    defined = re.compile(rf"^ *(?:async )?(?:def|class) {name}\b", re.MULTILINE)

    assert any(defined.search(text) for text in CODE.values())


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_of_the_diagram_is_there(name: str) -> None:
    assert name in DIAGRAM
    assert any(re.search(rf"^class {name}\b", text, re.MULTILINE) for text in CODE.values())


def test_the_doors_and_the_queue_have_their_real_names() -> None:
    assert f"def {PARTICIPANTS['E']}(" in CODE["handlers/events.py"]
    assert f"def {PARTICIPANTS['R']}(" in CODE["handlers/reconcile.py"]
    assert f'"{PARTICIPANTS["Q"]}"' in CODE["shared/settings.py"]


def ordered(function: str, *steps: str) -> bool:
    """Whether *function* of the engine's pass takes these steps, each once the one before is there."""
    body = CODE["shared/engine/reconcile.py"].partition(f"async def {function}(")[2].partition("\n    async def ")[0]
    places = [body.index(step) for step in steps]
    return places == sorted(places)


def test_the_order_of_a_pass_is_that_of_the_code() -> None:
    assert ordered("_advance", "self._continue(", "self._observer.observe(", "self._plan_and_apply(")
    assert ordered("_plan_and_apply", "make_plan(", "guarded(", "work.claim(", "self._applier.apply(")
    assert ordered("_finish", "queue.send(", "work.finish(")
