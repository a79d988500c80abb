"""
Load the policy file: YAML in, `IsolationPolicy` or every problem with its line and column out.

YAML has traps that a security policy must not fall into: a key given twice silently wins, an alias can blow a small
file up to gigabytes, a tag can name Python code. Keys given twice are refused here, the file's size is bounded, and so
is what merges (`<<`) copy; only plain values and plain keys exist, and a value that its tag cannot mean is told with its
place. Called by the composition root and by `python -m`
tools; the pure rules are in `shared.core.policy`.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath

import yaml

from shared.core.errors import InvalidPolicy
from shared.core.policy import IsolationPolicy, Path, Place, shown

MOST_BYTES = 262_144
"""A policy with thousands of entries stays far below this."""
MOST_MERGED = 10_000
"""Keys that merges may copy, all together; a key that is merged into a hundred sections counts a hundred times."""
_MERGE = "tag:yaml.org,2002:merge"
_MOST_DIGITS = 100
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


class _Loader(yaml.SafeLoader):
    """The safe loader, whose own mistakes (`!!bool x`, `!!timestamp x`, numbers to the base of 60) are errors with a place."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002 -- PyYAML's signature
        if node.tag in _NUMBERS and len(str(node.value)) > _MOST_DIGITS:
            raise yaml.constructor.ConstructorError(problem="found a number without end", problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            what = node.tag.rpartition(":")[2][:_MOST_DIGITS]
            why = f": {error}"[:_MOST_DIGITS] if isinstance(error, ValueError) else ""
            raise yaml.constructor.ConstructorError(
                problem=f"found what is no {what}{why}", problem_mark=node.start_mark
            ) from error


def load_policy(file: FilePath) -> IsolationPolicy:
    """Read the policy at *file*; raises InvalidPolicy if it cannot be read or used."""
    source = str(file)
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidPolicy([f"it cannot be read: {error.strerror or error}"], source=source) from error
    if len(content) > MOST_BYTES:
        raise InvalidPolicy([f"it is larger than {MOST_BYTES} bytes"], source=source)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidPolicy([f"it is not UTF-8 text (byte {error.start})"], source=source) from error
    return read_policy(text, source=source)


def read_policy(text: str, *, source: str = "policy") -> IsolationPolicy:
    """Read a policy from YAML (or JSON, which is YAML) *text*; raises InvalidPolicy with every problem."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            places = dict(_places(root, (), set()))
            repeated = list(_repeated(root, set()))
            if not repeated and _merged(root) > MOST_MERGED:
                repeated = [f"its merges (<<) copy more than {MOST_MERGED} keys; write the sections out"]
            document = loader.construct_document(root) if root is not None and not repeated else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{shown(_of(mark))}: " if mark else ""
        raise InvalidPolicy([f"{place}{error.problem or error.context}"], source=source) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidPolicy([f"it is not YAML: {error}"], source=source) from error
    except RecursionError as error:
        raise InvalidPolicy(["it is nested too deeply"], source=source) from error
    if repeated:
        raise InvalidPolicy(repeated, source=source)
    return IsolationPolicy.from_document(document, source=source, places=places)


def _of(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


def _places(node: yaml.Node | None, path: Path, seen: set[int]) -> Iterator[tuple[Path, Place]]:
    """Where each path stands. An aliased node is walked once: its second place is told by the place of what holds it."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield path, _of(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value) if isinstance(key, yaml.ScalarNode) else "?")  # a list's text can be endless
            yield inner, _of(key.start_mark)
            yield from ((deeper, place) for deeper, place in _places(value, inner, seen) if deeper != inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _places(value, (*path, index), seen)


def _repeated(node: yaml.Node | None, seen: set[int]) -> Iterator[str]:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in first:
                yield f"{shown(_of(key.start_mark))}: {name} is given twice, first on line {first[name]}"
            elif name:
                first[name] = key.start_mark.line + 1
            yield from _repeated(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value, seen)


def _merged(root: yaml.Node | None) -> int:
    """How many keys the merges below *root* copy, what was copied being copied on."""
    known: dict[int, int] = {}
    return sum(_keys(node, known) for node in _nodes(root) if isinstance(node, yaml.MappingNode) and _sources(node))


def _keys(node: yaml.Node, known: dict[int, int]) -> int:
    """How many keys *node* has once its merges are made."""
    if not isinstance(node, yaml.MappingNode):
        return 0
    if id(node) not in known:
        known[id(node)] = len(node.value)  # what it counts for within itself
        known[id(node)] += sum(_keys(source, known) for source in _sources(node))
    return known[id(node)]


def _sources(node: yaml.MappingNode) -> list[yaml.Node]:
    merged = (value for key, value in node.value if key.tag == _MERGE)
    return [each for value in merged for each in (value.value if isinstance(value, yaml.SequenceNode) else [value])]


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node once, without recursion."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
