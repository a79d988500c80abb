"""
A policy as a file for people: every key with a comment that says what it is for.

The comments are the texts under the models' fields, the same that the editor's schema shows, so they cannot
grow old beside the code.
"""

import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from shared.core.policy import IsolationPolicy

type Document = Mapping[str, Any]

_WIDTH = 100
_STEP = "  "
_HEAD = """\
# The policy of Registry Isolation, written by `python -m local init`. docs/policy.md explains every key with examples, and
# policy.example.yaml shows them all. `make audit` tells what this policy would change, and changes nothing.
"""


def policy_text(document: Document) -> str:
    """*document*, which is a policy in the order in which its keys are to stand, as commented YAML."""
    lines = [*_section(document, IsolationPolicy, "", told=True, apart=True), *_left_out(document)]
    return _HEAD + "\n".join(lines) + "\n"


def _section(
    document: Document, model: type[BaseModel], indent: str, *, told: bool, apart: bool = False
) -> Iterator[str]:
    for name, value in document.items():
        if apart:
            yield ""
        yield from _comment(model, name, indent) if told else ()
        yield from _entry(name, value, _inner(model, name), indent, told=told)


def _entry(name: str, value: Any, inner: type[BaseModel] | None, indent: str, *, told: bool) -> Iterator[str]:
    if inner is None:
        yield f"{indent}{name}: {_flow(value)}"
    elif isinstance(value, Mapping):
        yield f"{indent}{name}:"
        yield from _section(value, inner, indent + _STEP, told=told)
    else:
        yield f"{indent}{name}:"
        for at, item in enumerate(value):
            yield from _item(item, inner, indent + _STEP, told=told and at == 0)


def _item(document: Document, model: type[BaseModel], indent: str, *, told: bool) -> Iterator[str]:
    """An item of a list: its first key stands beside the dash, below its comment."""
    lines = list(_section(document, model, indent + _STEP, told=told))
    first = next(at for at, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (line.removeprefix(_STEP) for line in lines[:first])
    yield f"{indent}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _comment(model: type[BaseModel], name: str, indent: str) -> Iterator[str]:
    said = " ".join((model.model_fields[name].description or "").split())
    for line in textwrap.wrap(said, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False):
        yield f"{indent}# {line}"


def _left_out(document: Document) -> Iterator[str]:
    """What else the policy could say, by its sections."""
    rest = {name: field for name, field in IsolationPolicy.model_fields.items() if name not in document}
    if rest:
        yield from ("", "# Left at its defaults:")
        yield from (f"#   {name}: {field.description}" for name, field in rest.items())


def _inner(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of the section, or of the items, that stands under *name*; None for a plain value."""
    annotation = model.model_fields[name].annotation
    parts = (annotation, *typing.get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()
