"""
One form for every log line: the event's constant name, then its fields as one JSON object.

The Functions worker ships the text of a line and nothing else, so the fields travel in the text; log queries parse them
with `parse_json`. JSON also takes the line breaks out of whatever Azure or an attacker put into a value. What names the
chain of work (`engine.chain`) is in every line, and beside the text for handlers that keep attributes.

What is told is also counted, here and nowhere else, so that a line and its metric cannot disagree.
"""

import json
import logging

from shared.core.registry import Json
from shared.engine.chain import known
from shared.engine.counting import count

_log = logging.getLogger("registry_isolation")


def tell(event: str, *, level: int = logging.INFO, **fields: Json) -> None:
    """Log *event* (a stage's verb, such as `pass` or `receive`) with *fields*."""
    count(event, fields)
    if _log.isEnabledFor(level):
        chain = known()
        text = json.dumps({**chain, **fields}, default=str, sort_keys=True)
        _log.log(level, "%s %s", event, text, extra=dict(chain))
