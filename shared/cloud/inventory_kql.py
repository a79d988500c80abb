"""
Text that goes into a Resource Graph query.

Names and ids come from Azure's answers and from the policy, which is no reason to trust them: whatever they hold, they
stay inside one string literal. Nothing else of the product puts a value into a query.
"""

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9/._-]*")
"""Nearly everything that is asked for: a page of a sweep asks for half a million characters."""
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LAST_OF_FOUR_DIGITS = 0xFFFF


def literal(text: str) -> str:
    """*text* as a string literal of the Kusto query language (documentation of its string type)."""
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    return "'" + "".join(_escaped(character) for character in text) + "'"


def literals(texts: Iterable[str]) -> str:
    """*texts*, each once and in lower case, as the list that `in` and `in~` take."""
    # A list without members is no valid syntax; nothing that is asked for is called "".
    return "(" + ",".join(literal(text) for text in dict.fromkeys(map(_lower, texts)) or [""]) + ")"


def _lower(text: str) -> str:
    """As `tolower` of the query language: letter by letter, where Python looks at a sigma's neighbours."""
    return text.lower() if text.isascii() else "".join(map(str.lower, text))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or ord(character) > _LAST_OF_FOUR_DIGITS:
        return character
    return f"\\u{ord(character):04x}"
