"""
Read a Bicep file as far as the tests of infra/ ask: what it declares, what it gives to whom, which strings it holds.

There is no compiler here to ask, so this stands on the grammar alone: names and places, no types and no evaluation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).parents[2] / "infra"
_PARSER = Parser(Language(tree_sitter_bicep.language()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A `resource` declaration: *existing* ones are only looked up."""

    symbol: str
    type: str
    api_version: str
    existing: bool
    body: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A `module` declaration and the parameters that it gives."""

    symbol: str
    path: str
    given: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bicep:
    """One file; *params* says of each parameter whether it has a default."""

    file: Path
    root: Node
    params: Mapping[str, bool]
    outputs: Mapping[str, str]
    resources: tuple[Resource, ...]
    modules: tuple[Module, ...]

    @property
    def text(self) -> str:
        return text(self.root)

    def errors(self) -> list[str]:
        """Where the grammar did not understand the file."""
        return [
            f"{self.file.name}:{node.start_point[0] + 1}: {text(node)[:60]}"
            for node in walk(self.root)
            if node.is_error or node.is_missing
        ]

    def resource(self, symbol: str) -> Resource:
        return next(one for one in self.resources if one.symbol == symbol)


def files() -> list[Path]:
    return sorted(INFRA.rglob("*.bicep"))


@cache
def read(file: Path) -> Bicep:
    root = _PARSER.parse(file.read_bytes()).root_node
    return Bicep(
        file=file,
        root=root,
        params={_name(node): any(child.type == "=" for child in node.children) for node in _of(root, "parameter")},
        outputs={_name(node): text(node.named_children[-1]) for node in _of(root, "output")},
        resources=tuple(_resource(node) for node in _of(root, "resource")),
        modules=tuple(_module(node) for node in _of(root, "module")),
    )


def text(node: Node) -> str:
    return (node.text or b"").decode()


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def properties(node: Node) -> dict[str, Node]:
    """Key to value of an object; an interpolated key is left out."""
    pairs = (child.named_children for child in node.named_children if child.type == "object_property")
    return {text(key).strip("'"): value for key, value, *_ in pairs if key.type in {"identifier", "string"}}


def at(node: Node, *path: str) -> Node:
    """The value below *path* of an object."""
    for key in path:
        node = properties(node)[key]
    return node


def _of(root: Node, kind: str) -> list[Node]:
    return [node for node in walk(root) if node.type == f"{kind}_declaration"]


def _name(node: Node) -> str:
    return text(next(child for child in node.named_children if child.type == "identifier"))


def _literal(node: Node) -> str:
    return text(next(child for child in node.named_children if child.type == "string")).strip("'")


def _body(node: Node) -> Node:
    """The object of a declaration, past its loop and its condition."""
    last = node.named_children[-1]
    return last if last.type == "object" else _body(last)


def _resource(node: Node) -> Resource:
    kind, _, version = _literal(node).partition("@")
    existing = any(text(child) == "existing" for child in node.children)
    return Resource(symbol=_name(node), type=kind, api_version=version, existing=existing, body=_body(node))


def _module(node: Node) -> Module:
    given = properties(_body(node)).get("params")
    return Module(symbol=_name(node), path=_literal(node), given=frozenset(properties(given)) if given else frozenset())
