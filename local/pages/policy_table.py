"""The table of docs/policy.md, made from the schema: `python -m local.pages.policy_table` prints it, a test compares it."""

import json
import sys
from collections.abc import Iterator

from local.azurite import REPOSITORY
from local.pages.schema_words import Schema, default, kind, line, table


def policy_table() -> str:
    """One line for each key that holds a value: what it may be, what it is by default."""
    schema = json.loads((REPOSITORY / "docs" / "policy.schema.json").read_text(encoding="utf-8"))
    lines = table("key", "value", "default")
    for key, said, required in _values(schema, schema["$defs"], "", needed=True):
        anchor = "".join(letter for letter in key if letter.isalnum() or letter in "_-")
        name = f"[`{key}`](#{anchor})"
        lines.append(line(name, kind(said, lambda name: _named(name, schema["$defs"])), default(said) or required))
    return "\n".join(lines)


def _values(model: Schema, models: Schema, before: str, *, needed: bool) -> Iterator[tuple[str, Schema, str]]:
    for name, said in model["properties"].items():
        must = name in model.get("required", ())
        inner = _model(said, models)
        if inner is None:
            yield f"{before}{name}", said, _required(must=must, needed=needed)
        else:
            listed = said.get("type") == "array"
            yield from _values(inner, models, f"{before}{name}.", needed=needed and must and not listed)


def _required(*, must: bool, needed: bool) -> str:
    if not must:
        return ""
    return "required" if needed else "required in an entry"


def _model(said: Schema, models: Schema) -> Schema | None:
    """The definition behind a key that holds further keys."""
    for part in (said, said.get("items", {}), *said.get("anyOf", ())):
        found = models.get(str(part.get("$ref", "")).rpartition("/")[2])
        if found and found.get("type") == "object":
            return dict(found)
    return None


def _named(name: str, models: Schema) -> str:
    return kind(models[name], lambda inner: inner)


if __name__ == "__main__":
    sys.stdout.write(f"{policy_table()}\n")
