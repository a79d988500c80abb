"""
What every log line of a piece of work has in common: the registry, the request's correlation id, its generation, the door.

Whoever opens a door, or takes up a message, says it once; `engine.logs` puts it into each line below. A member that is not
known is left out, and what a line says itself comes first.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from shared.core.registry import Json
from shared.core.requests import WorkMessage
from shared.core.traces import correlation_of

_known: ContextVar[Mapping[str, Json]] = ContextVar("chain", default={})  # noqa: B039 -- replaced, never changed


@contextmanager
def within(**members: Json) -> Iterator[None]:
    """Say *members* in every line until the end of the `with`, besides what is said already."""
    token = _known.set({**_known.get(), **{name: value for name, value in members.items() if value != ""}})
    try:
        yield
    finally:
        _known.reset(token)


@contextmanager
def following(message: WorkMessage) -> Iterator[None]:
    """The same for the chain that *message* belongs to."""
    with within(
        registry=message.registry.text, generation=message.generation, correlation=correlation_of(message.trace)
    ):
        yield


def known() -> Mapping[str, Json]:
    """What is said in every line here."""
    return _known.get()
