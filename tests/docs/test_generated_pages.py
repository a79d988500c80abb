"""The parts of pages that are made from schemas are what the schemas make today."""

import json
import re
from typing import Any

import pytest

from local.azurite import REPOSITORY
from local.pages.http_reference import http_reference
from local.pages.policy_table import policy_table
from local.pages.schema_words import default, kind, line

DOCS = REPOSITORY / "docs"
OPENAPI: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))


def test_the_table_of_the_policy_is_the_one_that_the_schema_makes() -> None:
    page = (DOCS / "policy.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- generated: python -m local\.pages\.policy_table -->\n(.*)\n<!-- end -->", page, re.DOTALL)

    assert found is not None
    assert found[1] == policy_table(), "put in what `python -m local.pages.policy_table` prints"


def test_the_http_reference_is_the_one_that_the_document_makes() -> None:
    page = (DOCS / "http-reference.md").read_text(encoding="utf-8")

    assert page == http_reference(), "run: python -m local.pages.http_reference > docs/http-reference.md"


def test_every_operation_and_every_document_has_a_section() -> None:
    operations = {operation["operationId"] for verbs in OPENAPI["paths"].values() for operation in verbs.values()}

    headings = re.findall(r"^### (.+)$", http_reference(), re.MULTILINE)

    assert sorted(headings) == sorted([*operations, *OPENAPI["components"]["schemas"]])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer, at least 1, at most 9"),
        ({"type": "array", "items": {"$ref": "#/$defs/Plan"}}, "list of <Plan>"),
        ({"anyOf": [{"format": "date", "type": "string"}, {"type": "null"}]}, "date or null"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"const": "1"}, "`1`"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "names to string"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({}, "anything"),
    ],
)
def test_a_schema_in_words(schema: dict[str, Any], words: str) -> None:
    assert kind(schema, lambda name: f"<{name}>") == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"default": 5}, "`5`"),
        ({"default": False}, "`false`"),
        ({"default": None}, ""),
        ({"default": {}}, ""),
        ({}, ""),
    ],
)
def test_a_default_in_words(schema: dict[str, Any], words: str) -> None:
    assert default(schema) == words


def test_nothing_ends_a_cell_or_a_line_of_a_table() -> None:
    assert line("a|b", "two\nlines") == "| a\\|b | two lines |"
