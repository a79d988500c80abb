"""
The schema of SARIF 2.1.0 as its editors publish it: Microsoft's SARIF Multitool, which npm installs, brings it along.

Beside the tests rather than in them, because it is theirs: a newer one comes with a newer Multitool.
"""

import json
from typing import Any

from jsonschema import Draft202012Validator

from local.azurite import REPOSITORY

_PACKAGES = REPOSITORY / "node_modules" / "@microsoft"


def sarif_validator() -> Draft202012Validator:
    """The one of whichever platform's package is installed; FileNotFoundError before `make setup`."""
    found = sorted(_PACKAGES.glob("sarif-multitool-*/sarif-2.1.0.json"))
    if not found:
        raise FileNotFoundError(f"{_PACKAGES} holds no schema of SARIF: run `make setup`.")
    schema: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8-sig"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
