"""What a compiler would say first: every name that is used is declared."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree_sitter import Node

from tests.infra.bicep import Bicep, files, read, text, walk

FUNCTIONS = {
    "deployment",
    "empty",
    "environment",
    "guid",
    "items",
    "last",
    "loadJsonContent",
    "resourceGroup",
    "resourceId",
    "split",
    "string",
    "subscription",
    "subscriptionResourceId",
    "toLower",
    "union",
    "uniqueString",
}
DECLARATIONS = {f"{kind}_declaration" for kind in ("parameter", "variable", "resource", "module", "output")}
DECORATORS = {"description", "minLength", "maxLength", "minValue", "maxValue", "allowed"}


def declared(root: Node) -> set[str]:
    names = {
        text(child)
        for node in walk(root)
        if node.type in DECLARATIONS
        for child in node.named_children[:1]
        if child.type == "identifier"
    }
    return names | set(loop_names(root))


def loop_names(root: Node) -> Iterator[str]:
    for node in walk(root):
        if node.type == "for_statement":
            initializer = node.child_by_field_name("initializer")
            yield from [text(initializer)] if initializer else []
        elif node.type in {"loop_variable", "loop_enumerator"}:
            yield text(node)


def used(node: Node) -> Iterator[str]:
    """Identifiers in the places of values: not a declared name, not a key, not what follows a dot."""
    children = node.named_children
    if node.type in DECLARATIONS or (node.type == "object_property" and children[0].type != "string"):
        children = children[1:]
    for child in children:
        if child.type == "identifier":
            yield text(child)
        elif child.type != "type":
            yield from used(child)


def undeclared(bicep: Bicep) -> set[str]:
    return set(used(bicep.root)) - declared(bicep.root) - FUNCTIONS - DECORATORS - {"targetScope"}


@pytest.mark.parametrize("bicep", [read(file) for file in files()], ids=lambda one: one.file.name)
def test_every_name_that_is_used_is_declared(bicep: Bicep) -> None:
    assert undeclared(bicep) == set()


@pytest.mark.parametrize("place", ["plan.id", "for kind in ['ftp'", "? null : subnetId", "'ClientId=${clientId}"])
def test_a_misspelt_name_is_found(tmp_path: Path, place: str) -> None:
    right = next(file for file in files() if file.name == "app.bicep").read_text()
    wrong = tmp_path / "app.bicep"
    wrong.write_text(right.replace(place, re.sub(r"(plan|kind|subnetId|clientId)", r"\1s", place)))

    assert wrong.read_text() != right
    assert undeclared(read(wrong)) <= {"plans", "kind", "subnetIds", "clientIds"}
    assert len(undeclared(read(wrong))) == 1
