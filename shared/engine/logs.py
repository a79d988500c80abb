"""
One form for every log line: the event's constant name, then its fields as one JSON object.

The Functions worker ships the text of a line and nothing else, so the fields travel in the text; log queries parse them
with `parse_json`. JSON also takes the line breaks out of whatever Azure or an attacker put into a value.
"""

import json
import logging

from shared.core.registry import Json

_log = logging.getLogger("registry_isolation")


def tell(event: str, *, level: int = logging.INFO, **fields: Json) -> None:
    """Log *event* (a stage's verb, such as `pass` or `receive`) with *fields*."""
    if _log.isEnabledFor(level):
        _log.log(level, "%s %s", event, json.dumps(fields, default=str, sort_keys=True))
