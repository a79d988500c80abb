"""
One form for every log line: the event's constant name, then its fields as one JSON object.

The Functions worker ships the text of a line and nothing else, so the fields travel in the text; log queries parse them
with `parse_json`. JSON also takes the line breaks out of whatever Azure or an attacker put into a value. What names the
chain of work (`engine.chain`) is in every line, and beside the text for handlers that keep attributes.

What is told is also counted, here and nowhere else, so that a line and its metric cannot disagree.

Lines of others (an SDK's, the event loop's, a traceback) say what they say, and get the same object at their end: at night
the line that matters is often one of theirs.
"""

import copy
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


class ForeignLines(logging.Filter):
    """Puts the chain of work at the end of a line that this module has not made."""

    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        """Let every line pass; other handlers see it as it was."""
        chain = known()
        if record.name == _log.name or not chain:
            return True
        mark = json.dumps(dict(chain), default=str, sort_keys=True)
        marked = copy.copy(record)
        # Not formatted here: what cannot be formatted has to fail where the handler expects it, and not in the pass.
        marked.msg = f"{record.msg} {mark.replace('%', '%%') if record.args else mark}"
        return marked


_FOREIGN = ForeignLines()


def mark_foreign_lines() -> None:
    """Have the process's own handlers, which the Functions worker has made, mark what they ship; again does nothing."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_FOREIGN)
