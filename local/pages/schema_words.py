"""Says in a few words of a table what a JSON Schema allows: for the reference pages, which are made from schemas."""

import json
from collections.abc import Callable, Mapping
from typing import Any

type Schema = Mapping[str, Any]
type Link = Callable[[str], str]
"""How a page shows the name of another schema."""

_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
)


def kind(schema: Schema, link: Link) -> str:
    """The type, with its bounds: `integer, at least 1, at most 1000`."""
    bounds = [sentence.format(schema[key]) for key, sentence in _BOUNDS if key in schema]
    return ", ".join([_type(schema, link), *bounds])


def _type(schema: Schema, link: Link) -> str:
    if "$ref" in schema:
        return link(str(schema["$ref"]).rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(kind(part, link) for part in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}), link)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"names to {kind(schema['additionalProperties'], link)}"
    return str(schema.get("format") or schema.get("type") or "anything")


def default(schema: Schema) -> str:
    """The value that is taken when nothing is said, as YAML and JSON both write it; empty without one."""
    if "default" not in schema or isinstance(schema["default"], Mapping):
        return ""
    return "" if schema["default"] in (None, "") else f"`{json.dumps(schema['default'], ensure_ascii=False)}`"


def line(*cells: str) -> str:
    """One line of a table; whatever would end a cell or the line does not."""
    return f"| {' | '.join(' '.join(cell.replace('|', '\\|').split()) for cell in cells)} |"


def table(*heads: str) -> list[str]:
    """The first two lines of a table."""
    return [line(*heads), f"|{'---|' * len(heads)}"]
