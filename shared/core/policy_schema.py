"""
Print the JSON Schema of the policy file, for editors: `python -m shared.core.policy_schema > docs/policy.schema.json`.

The schema is made from the models, so it cannot know what only code can check (types inside ids, contradictions
between sections); whatever it refuses, the app refuses too.
"""

import json
import sys
from typing import Any

from shared.core.policy import IsolationPolicy


def schema_text() -> str:
    """The schema as it lies in docs/."""
    schema = _without_titles(IsolationPolicy.model_json_schema(mode="validation"))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Registry Isolation policy"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _without_titles(schema: Any) -> Any:
    """Drop the titles that only repeat the key in other letters."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title"}


if __name__ == "__main__":
    sys.stdout.write(schema_text())
