"""
Route templates of HTTP functions: `registries/{subscription}/{name:alpha}/{version?}` or `files/{*path}`.

ASP.NET Core's rules, as far as HTTP triggers use them: literals match in any case, a literal wins over a parameter
with a constraint, that over one without, and a catch-all comes last; an encoded slash stays encoded. A constraint that
is not known here is a problem, not something to overlook.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"(?i:true|false)",
    "guid": r"(?i:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})",
    "alpha": r"(?i:[a-z]+)",
}
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)(?::([^{}?]+))?(\?)?\}")


class InvalidRoute(ValueError):
    """A route template that this host does not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    literal: str = ""
    parameter: str = ""
    constraints: tuple[str, ...] = ()
    optional: bool = False
    catch_all: bool = False

    @property
    def rank(self) -> int:
        """Lower wins."""
        if self.literal:
            return 0
        return 3 if self.catch_all else 1 if self.constraints else 2

    @property
    def shape(self) -> str:
        if self.literal:
            return self.literal.lower()
        return "{*}" if self.catch_all else "{" + ":".join(self.constraints) + "}"

    def accepts(self, value: str) -> bool:
        if self.literal:
            return value.lower() == self.literal.lower()
        return all(re.fullmatch(_CONSTRAINTS[name], value) for name in self.constraints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    template: str
    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, template: str) -> "Route":
        """
        Understand *template*.

        Raises:
            InvalidRoute: It has a form or a constraint that is not served here.
        """
        texts = template.strip("/").split("/")
        segments = tuple(_parse(text, template) for text in texts if text or len(texts) > 1)
        for segment in segments[:-1]:
            if segment.catch_all or segment.optional:
                raise InvalidRoute(f"The route {template!r} has {segment.parameter} before its last segment.")
        return cls(template=template.strip("/"), segments=segments)

    @property
    def precedence(self) -> tuple[int, ...]:
        """Routes are tried in ascending order of this."""
        return tuple(segment.rank for segment in self.segments)

    @property
    def shape(self) -> str:
        """Equal for two routes that no request can tell apart."""
        return "/".join(segment.shape for segment in self.segments)

    def match(self, path: str) -> Mapping[str, str] | None:
        """The parameters that the raw (still encoded) *path* gives, or None when the route is another one."""
        values = [_decode(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        parameters: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.catch_all:
                parameters[segment.parameter] = "/".join(values[index:])
                return parameters
            if index >= len(values):
                return parameters if segment.optional else None
            if not values[index] or not segment.accepts(values[index]):
                return None
            if segment.parameter:
                parameters[segment.parameter] = values[index]
        return parameters if len(values) <= len(self.segments) else None


def _parse(text: str, template: str) -> _Segment:
    if "{" not in text and "}" not in text:
        if not text:
            raise InvalidRoute(f"The route {template!r} has an empty segment.")
        return _Segment(literal=text)
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise InvalidRoute(f"The route {template!r} has the segment {text!r}, a form the local host does not know.")
    stars, parameter, constraints, optional = match.groups()
    names = tuple((constraints or "").split(":")) if constraints else ()
    unknown = [name for name in names if name not in _CONSTRAINTS]
    if unknown:
        raise InvalidRoute(
            f"The route {template!r} has the constraint {', '.join(unknown)}, which the local host does not know."
        )
    return _Segment(parameter=parameter, constraints=names, optional=bool(optional), catch_all=bool(stars))


def _decode(part: str) -> str:
    """Percent-decode, except the slash: ASP.NET Core keeps %2F so that it cannot be taken for a separator."""
    return unquote(re.sub(r"%2[fF]", lambda slash: "%25" + slash.group()[1:], part))
