"""
docs/http-reference.md, made from openapi.json: `python -m local.pages.http_reference > docs/http-reference.md`.

A test compares the page. The prose about the API is in docs/http.md; this page is for looking things up.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from local.azurite import REPOSITORY
from local.pages.schema_words import Schema, default, kind, line, table

_HEAD = """# HTTP reference

<!-- generated from openapi.json: python -m local.pages.http_reference > docs/http-reference.md -->

Every route and every document, made from [openapi.json](openapi.json). How the API is meant to be used is told in
[http.md](http.md). Paths begin with `/api`; every route but `/ping` needs a function key, in the header `x-functions-key` or
the parameter `code`.

| route | what it does |
|---|---|"""
_USUAL = {"400", "401", "413", "415", "422", "500", "503"}
"""Statuses that mean the same everywhere; docs/http.md explains them."""


def http_reference() -> str:
    """The whole page."""
    document = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))
    routes = list(_routes(document))
    parts = ["\n".join([_HEAD, *(_short(*route) for route in routes)])]
    parts += [_operation(*route) for route in routes]
    parts.append("## Documents")
    parts += [_document(name, said) for name, said in sorted(document["components"]["schemas"].items())]
    return "\n\n".join(parts) + "\n"


def _routes(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def _short(verb: str, path: str, operation: Schema) -> str:
    return line(f"[{verb} {path}](#{operation['operationId']})", operation["summary"])


def _operation(verb: str, path: str, operation: Schema) -> str:
    parts = [f"### {operation['operationId']}", f"`{verb} /api{path}`", f"{operation['summary']}."]
    parameters = [each for each in operation.get("parameters", ()) if each["in"] != "path"]
    if parameters:
        parts.append("\n".join([*table("parameter", "value", "default", "meaning"), *map(_parameter, parameters)]))
    if body := operation.get("requestBody"):
        parts.append(
            f"The body, which may be left out, is {_content(body)}." if not body.get("required") else _must(body)
        )
    answers = [line(status, answer["description"], _content(answer)) for status, answer in _unusual(operation)]
    parts.append("\n".join([*table("status", "meaning", "document"), *answers]))
    return "\n\n".join(parts)


def _must(body: Schema) -> str:
    return f"The body is {_content(body)}."


def _unusual(operation: Schema) -> list[tuple[str, Any]]:
    return [(status, answer) for status, answer in operation["responses"].items() if status not in _USUAL]


def _parameter(said: Schema) -> str:
    where = " (header)" if said["in"] == "header" else ""
    return line(f"`{said['name']}`{where}", kind(said["schema"], _link), default(said["schema"]), said["description"])


def _content(holder: Schema) -> str:
    names = [
        _link(each["schema"]["$ref"].rpartition("/")[2]) if "$ref" in each["schema"] else f"`{medium}`"
        for medium, each in holder.get("content", {}).items()
    ]
    return ", ".join(names)


def _document(name: str, said: Schema) -> str:
    parts = [f"### {name}"]
    if "description" in said:
        parts.append(" ".join(said["description"].split()))
    if "properties" in said:
        required = said.get("required", ())
        rows = [
            line(f"`{member}`", kind(each, _link), default(each) or ("" if member in required else "may be absent"))
            for member, each in said["properties"].items()
        ]
        parts.append("\n".join([*table("member", "value", "default"), *rows]))
    else:
        parts.append(f"One of {kind(said, _link)}." if "enum" in said else f"{kind(said, _link).capitalize()}.")
    return "\n\n".join(parts)


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


if __name__ == "__main__":
    sys.stdout.write(http_reference())
