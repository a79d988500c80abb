"""
From words to scalar expressions: precedence, member access, lists, literals.

Binding from loose to tight: or; and; comparison, string operators and membership; sum; product; sign; member access.
"""

from typing import Any

from local.simulator.resource_graph_syntax import (
    Binary,
    Column,
    Expression,
    FunctionCall,
    Item,
    Literal,
    Member,
    Membership,
    Negative,
    Star,
)
from local.simulator.resource_graph_tokens import QueryError, Token, TokenKind, tokenize

_COMPARISONS = frozenset(("==", "!=", "=~", "!~", "<", ">", "<=", ">="))
_STRING_OPERATORS = frozenset(
    f"{sign}{name}{case}"
    for sign in ("", "!")
    for name in ("has", "contains", "startswith", "endswith")
    for case in ("", "_cs")
)
_MEMBERSHIPS = frozenset(("in", "in~", "!in", "!in~"))
_CASTS = {"int": "toint", "long": "tolong", "bool": "tobool", "real": "toreal", "double": "toreal"}
_RESERVED = frozenset(
    (
        "where",
        "project",
        "extend",
        "summarize",
        "join",
        "union",
        "order",
        "sort",
        "distinct",
        "by",
        "on",
        "and",
        "or",
        "in",
    )
)
"""Words that name no column unless they are in brackets."""
_DEPTH = 100
"""Nesting that no query of a person or program needs; deeper ones would exhaust the stack."""


class Words:
    """The words of a query, read from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._at = 0
        self._depth = 0

    @property
    def current(self) -> Token:
        return self._tokens[self._at]

    @property
    def following(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Step over the current word, which is not the end: callers have looked at it."""
        token = self.current
        self._at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Whether the current word is one of these symbols or key words (not a string of that text)."""
        return self.current.kind in (TokenKind.SYMBOL, TokenKind.NAME) and self.current.text in texts

    def takes(self, *texts: str) -> bool:
        """Step over the current word if it is one of these."""
        if self.sees(*texts):
            self.advance()
            return True
        return False

    def demand(self, *texts: str) -> Token:
        if not self.sees(*texts):
            raise self.unexpected(" or ".join(repr(each) for each in texts))
        return self.advance()

    def name(self) -> str:
        """A plain column name, or one in brackets: ['odd name']."""
        if self.takes("["):
            text = self.string()
            self.demand("]")
            return text
        if self.current.kind is not TokenKind.NAME:
            raise self.unexpected("a name")
        return self.advance().text

    def string(self) -> str:
        if self.current.kind is not TokenKind.STRING:
            raise self.unexpected("a string")
        return str(self.advance().value)

    def count(self) -> int:
        token = self.current
        if token.kind is not TokenKind.NUMBER or not isinstance(token.value, int):
            raise self.unexpected("a whole number")
        return int(self.advance().value)

    def unexpected(self, expected: str) -> QueryError:
        token = self.current
        return QueryError(f"expected {expected}, found {token.text}", token=token, expected=expected)

    # -- expressions -------------------------------------------------------------------------------------------------

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH:
            raise QueryError("the expression is nested too deeply", token=self.current, expected="fewer parentheses")
        left = self._conjunction()
        while self.takes("or"):
            left = Binary(operator="or", left=left, right=self._conjunction())
        self._depth -= 1
        return left

    def _conjunction(self) -> Expression:
        left = self._comparison()
        while self.takes("and"):
            left = Binary(operator="and", left=left, right=self._comparison())
        return left

    def _comparison(self) -> Expression:
        left = self._sum()
        while True:
            text = self.current.text
            if self.current.kind not in (TokenKind.SYMBOL, TokenKind.NAME):
                return left
            if text in _MEMBERSHIPS:
                self.advance()
                left = Membership(operator=text, value=left, choices=self._choices())
            elif text in _COMPARISONS or text in _STRING_OPERATORS:
                self.advance()
                left = Binary(operator=text, left=left, right=self._sum())
            else:
                return left

    def _choices(self) -> tuple[Expression, ...]:
        """The list behind `in`. A list of ten thousand ids is usual, so strings take the short way."""
        self.demand("(")
        found: list[Expression] = []
        while not self.takes(")"):
            if found:
                self.demand(",")
            token = self.current
            if token.kind is TokenKind.STRING and self.following.text in (",", ")"):
                self.advance()
                found.append(Literal(kind="string", value=token.value))
            else:
                found.append(self.expression())
        return tuple(found)

    def _sum(self) -> Expression:
        left = self._product()
        while self.sees("+", "-"):
            left = Binary(operator=self.advance().text, left=left, right=self._product())
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self.sees("*", "/", "%"):
            left = Binary(operator=self.advance().text, left=left, right=self._signed())
        return left

    def _signed(self) -> Expression:
        if self.takes("-"):
            return Negative(of=self._signed())
        self.takes("+")
        return self._path()

    def _path(self) -> Expression:
        of = self._primary()
        while True:
            if self.takes("."):
                of = self._dotted(of)
            elif self.takes("["):
                of = self._bracketed(of)
            else:
                return of

    def _dotted(self, of: Expression) -> Expression:
        if self.takes("["):
            name = self.string()
            self.demand("]")
            return Member(of=of, name=name)
        return Member(of=of, name=self.name())

    def _bracketed(self, of: Expression) -> Expression:
        token = self.current
        if token.kind is TokenKind.STRING and self.following.text == "]":
            self.advance()
            self.demand("]")
            return Member(of=of, name=str(token.value))
        index = self.expression()
        self.demand("]")
        return Item(of=of, index=index)

    def _primary(self) -> Expression:
        token = self.current
        match token.kind:
            case TokenKind.STRING:
                self.advance()
                return Literal(kind="string", value=token.value)
            case TokenKind.NUMBER:
                self.advance()
                return Literal(kind="long" if isinstance(token.value, int) else "real", value=token.value)
            case TokenKind.NAME:
                return self._named()
            case _:
                return self._punctuated()

    def _punctuated(self) -> Expression:
        if self.takes("("):
            inner = self.expression()
            self.demand(")")
            return inner
        if self.sees("["):
            return Column(name=self.name())
        if self.takes("*"):
            return Star()
        raise self.unexpected("an expression")

    def _named(self) -> Expression:
        if self.current.text in _RESERVED:
            raise self.unexpected("an expression")
        name = self.advance().text
        if name in ("true", "false"):
            return Literal(kind="bool", value=name == "true")
        if not self.sees("("):
            return Column(name=name)
        self.advance()
        if name == "dynamic":
            value = self._json()
            self.demand(")")
            return Literal(kind="dynamic", value=value)
        arguments: list[Expression] = []
        while not self.takes(")"):
            if arguments:
                self.demand(",")
            if self.sees("null") and name in _CASTS:
                self.advance()
                arguments.append(Literal(kind="dynamic", value=None))
            else:
                arguments.append(self.expression())
        return FunctionCall(name=_CASTS.get(name, name), arguments=tuple(arguments))

    def _json(self) -> Any:
        """What stands inside dynamic(...): JSON, whose strings may have single quotes."""
        token = self.current
        if token.kind in (TokenKind.STRING, TokenKind.NUMBER):
            self.advance()
            return token.value
        if self.takes("-"):
            return -self._number()
        if self.takes("true", "false"):
            return token.text == "true"
        if self.takes("null"):
            return None
        if self.takes("["):
            return self._json_items()
        if self.takes("{"):
            return self._json_members()
        raise self.unexpected("a JSON value")

    def _number(self) -> Any:
        if self.current.kind is not TokenKind.NUMBER:
            raise self.unexpected("a number")
        return self.advance().value

    def _json_items(self) -> list[Any]:
        found: list[Any] = []
        while not self.takes("]"):
            if found:
                self.demand(",")
            found.append(self._json())
        return found

    def _json_members(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.takes("}"):
            if found:
                self.demand(",")
            name = self.string()
            self.demand(":")
            found[name] = self._json()
        return found
