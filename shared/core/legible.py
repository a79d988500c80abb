"""
Text of others as it is shown to a person: nothing in it is invisible, and nothing turns the direction of what it stands in.

A name may hold marks that print as nothing or that reverse what follows, so that it looks like another one (the trick that
is known as Trojan Source). Such a mark is shown as the escape of its number; what a script or an emoji needs of them stays.
Machines are given the text itself, by the JSON answers, the table and the SARIF report: they do not look at it.
"""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties), the other format characters, controls, and lone
# surrogates, which no encoder takes.
_MARKS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
_PRESENTATION = "\ufe0e\ufe0f"
_VIRAMA = 9  # canonical combining class; what joiners follow in the scripts of India (RFC 5892, appendix A)
_FOUR_DIGITS = 0xFFFF


def legible(text: str) -> str:
    """*text* with an escape in place of every mark that a reader could not see."""
    if text.isascii() and text.isprintable():
        return text
    return _MARKS.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    mark = found[0]
    if found.start() and _belongs(mark, found.string[found.start() - 1]):
        return mark
    number = ord(mark)
    return f"\\u{number:04x}" if number <= _FOUR_DIGITS else f"\\U{number:08x}"


def _belongs(mark: str, before: str) -> bool:
    """Whether *mark* is part of how the sign *before* it is written."""
    if mark in _PRESENTATION:
        return unicodedata.category(before) == "So"
    return mark in _JOINERS and (unicodedata.combining(before) == _VIRAMA or unicodedata.bidirectional(before) == "AL")
