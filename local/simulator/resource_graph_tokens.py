"""
Words of a Resource Graph query: the first of three steps from text to rows (tokens, tree, evaluation).

The language is the Kusto Query Language as Resource Graph accepts it. Strings are decoded here, comments dropped, and
every token remembers where it stood, because the service's syntax errors name line and position.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class QueryError(Exception):
    """
    The query cannot be run; the service answers 400.

    Args:
        message: What is wrong, for the person who wrote the query.
        token: The word at which a syntax error was noticed; `None` for an error of meaning.
        expected: What would have been right there.
    """

    def __init__(self, message: str, *, token: "Token | None" = None, expected: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.token = token
        self.expected = expected


class TokenKind(StrEnum):
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `text` is as written, `value` decoded; `line` counts from 1, `column` from 0."""

    kind: TokenKind
    text: str
    value: Any
    line: int
    column: int


_PATTERN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<verbatim>[hH]?@(?:"(?:[^"]|"")*"|'(?:[^']|'')*'))
    | (?P<string>[hH]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<real>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    | (?P<number>\d+(?![A-Za-z_]))
    | (?P<dashed>(?:project-away|project-rename|project-keep|project-reorder|mv-expand|mv-apply|make-series)\b)
    | (?P<negated>!(?:in~|in|has_cs|has|contains_cs|contains|startswith_cs|startswith|endswith_cs|endswith)(?![A-Za-z_0-9]))
    | (?P<membership>in~)
    | (?P<name>\$left\b|\$right\b|[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>==|!=|=~|!~|<=|>=|\.\.|[|.,;()\[\]{}<>=+\-*/%:])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_LITERAL = frozenset("\\'\"")


def tokenize(text: str) -> list[Token]:
    """
    The words of *text*, the last one END.

    Raises:
        QueryError: At a character that begins no word, or a string that does not end.
    """
    found: list[Token] = []
    at, line, start = 0, 1, 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            stray = Token(TokenKind.SYMBOL, text[at], text[at], line, at - start)
            raise QueryError(f"unexpected character {text[at]!r}", token=stray, expected="a word of the language")
        kind, word = str(match.lastgroup), match.group()
        if kind != "space":
            found.append(_token(kind, word, line, at - start))
        if "\n" in word:
            line += word.count("\n")
            start = at + word.rindex("\n") + 1
        at = match.end()
    found.append(Token(TokenKind.END, "<EOF>", None, line, at - start))
    return found


def _token(kind: str, word: str, line: int, column: int) -> Token:
    match kind:
        case "string":
            return Token(TokenKind.STRING, word, _decoded(word.lstrip("hH")[1:-1], word, line, column), line, column)
        case "verbatim":
            body = word.lstrip("hH")[1:]
            return Token(TokenKind.STRING, word, body[1:-1].replace(body[0] * 2, body[0]), line, column)
        case "real":
            return Token(TokenKind.NUMBER, word, float(word), line, column)
        case "number":
            return Token(TokenKind.NUMBER, word, int(word), line, column)
        case "name" | "dashed" | "membership" | "negated":
            return Token(TokenKind.NAME, word, word, line, column)
        case _:
            return Token(TokenKind.SYMBOL, word, word, line, column)


def _decoded(body: str, word: str, line: int, column: int) -> str:
    if "\\" not in body:
        return body

    def character(found: re.Match[str]) -> str:
        code = found.group(1)
        if code[0] in "uUx" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code in _ESCAPES:
            return _ESCAPES[code]
        if code in _LITERAL:
            return code
        stray = Token(TokenKind.STRING, word, word, line, column)
        raise QueryError(
            f"unknown escape \\{code} in a string", token=stray, expected="\\\\ or a verbatim string @'...'"
        )

    return _ESCAPE.sub(character, body)
