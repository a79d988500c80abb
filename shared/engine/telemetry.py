"""
The engine's view of traces and metrics: a role, and who plays it in the invocation at hand.

Whoever opens a door says once who listens (`listening`); everything below measures and opens spans without knowing to whom,
as it writes log lines. Where nobody listens, nothing is kept and nothing is imported.

Implementers **must not** raise, wait or do I/O in any of these calls, and **must** be usable from every task of the process.
"""

import functools
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Protocol

from shared.engine.metrics import Metric

type Attribute = str | bool | int | float


class SpanKind(StrEnum):
    """Which end of a conversation a span is."""

    INTERNAL = "internal"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """A piece of work under way."""

    def note(self, **attributes: Attribute) -> None:
        """Say more about it; never a token, a key, or the query of a URL."""
        ...

    def fail(self, name: str) -> None:
        """Mark it as failed, by the error's name."""
        ...


class Telemetry(Protocol):
    """Who keeps what is measured."""

    def measure(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        """Add *value* to a counter or a histogram, or set a gauge; *attributes* are exactly those of *metric*."""
        ...

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        trace: str | None = None,
        links: Sequence[str] = (),
        attributes: Mapping[str, Attribute] | None = None,
    ) -> AbstractContextManager[Span]:
        """
        Open a span for the length of a `with`; an exception that passes through marks it as failed and goes on.

        Args:
            trace: The parent's trace context; "" begins a trace, None goes on with the span that is open here, or else with
                the invocation.
            links: Trace contexts of what it belongs with.
        """
        ...

    def here(self) -> str:
        """The trace context of the span that is open here; "" if there is none."""
        ...


class _NoSpan:
    def note(self, **attributes: Attribute) -> None:
        """Keep nothing."""

    def fail(self, name: str) -> None:
        """Keep nothing."""


class Silence:
    """`Telemetry` where nobody listens."""

    def measure(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        """Keep nothing."""

    @contextmanager
    def span(
        self,
        name: str,  # noqa: ARG002 -- the role's signature
        *,
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002
        trace: str | None = None,  # noqa: ARG002
        links: Sequence[str] = (),  # noqa: ARG002
        attributes: Mapping[str, Attribute] | None = None,  # noqa: ARG002
    ) -> Iterator[Span]:
        """Open nothing."""
        yield _NoSpan()

    def here(self) -> str:
        """Nothing is open."""
        return ""


_listener: ContextVar[Telemetry] = ContextVar("telemetry", default=Silence())  # noqa: B039 -- it has no state
_host: ContextVar[str] = ContextVar("host_trace", default="")


@contextmanager
def listening(telemetry: Telemetry, host_trace: str = "") -> Iterator[None]:
    """
    Have *telemetry* keep what is measured until the end of the `with`.

    Args:
        host_trace: The invocation's trace context as the host gave it, to link to.
    """
    before, host = _listener.set(telemetry), _host.set(host_trace)
    try:
        yield
    finally:
        _host.reset(host)
        _listener.reset(before)


def telemetry() -> Telemetry:
    """Who listens here."""
    return _listener.get()


def host_trace() -> str:
    """The invocation's own trace context; "" if the host gave none."""
    return _host.get()


def host_links() -> tuple[str, ...]:
    """What a span that begins or continues a chain is linked to: the invocation that it runs in."""
    return (_host.get(),) if _host.get() else ()


def measure(metric: Metric, value: float = 1, **attributes: str) -> None:
    """Tell the listener of *value*."""
    _listener.get().measure(metric, value, attributes)


def stage(name: str) -> AbstractContextManager[Span]:
    """Open the span of a stage, within the pass that is under way."""
    return _listener.get().span(name)


def staged[**Given, Result](
    name: str,
) -> Callable[[Callable[Given, Awaitable[Result]]], Callable[Given, Awaitable[Result]]]:
    """Give every call of a coroutine function the span of the stage *name*."""

    def decorate(call: Callable[Given, Awaitable[Result]]) -> Callable[Given, Awaitable[Result]]:
        @functools.wraps(call)
        async def within(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            with stage(name):
                return await call(*args, **kwargs)

        return within

    return decorate


def begin_chain(reason: str) -> str:
    """
    Begin the trace of a request; gives the trace context that its message carries.

    It is a trace of its own, linked to the invocation: one step of a sweep asks for hundreds of registries, and a registry's
    way should not have to be picked from among theirs.
    """
    links, listener = host_links(), _listener.get()
    with listener.span("request", kind=SpanKind.PRODUCER, trace="", links=links, attributes={"reason": reason}):
        return listener.here() or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
