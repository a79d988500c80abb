"""
The frame around an invocation: the process's services, who listens to what is measured, and the door's name in every line.

Until the work at hand has a chain of its own, the invocation's trace is its correlation id, so that no line is without one.

The host's trace context comes with the invocation. The worker would look at it by itself only if OpenTelemetry's packages
were imported at its start, which a cold start should not pay for.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import azure.functions as func

from handlers.runtime import Runtime, runtime

# ruff: noqa: PLC0415 -- cold start: the engine is imported at the first knock


@asynccontextmanager
async def invocation(context: func.Context, door: str) -> AsyncIterator[Runtime]:
    """
    The services, for one invocation.

    Args:
        door: What knocked, for the log.
    """
    with composing(context, door) as compose:
        yield await compose()


@contextmanager
def composing(context: func.Context, door: str) -> Iterator[Callable[[], Awaitable[Runtime]]]:
    """The same for a door that decides itself whether it needs the services; gives what makes them."""
    from shared.core.errors import RegistryIsolationError
    from shared.core.traces import correlation_of, traceparent
    from shared.engine.chain import within
    from shared.engine.logs import mark_foreign_lines, tell
    from shared.engine.telemetry import listening

    host_trace = traceparent(context.trace_context.trace_parent)
    with ExitStack() as frame:
        mark_foreign_lines()
        frame.enter_context(within(door=door, correlation=correlation_of(host_trace)))

        async def compose() -> Runtime:
            try:
                app = await runtime()
            except RegistryIsolationError as error:
                tell("start-failed", level=logging.ERROR, error=error.name, sentence=error.sentence)
                raise
            frame.enter_context(listening(app.telemetry, host_trace))
            return app

        yield compose
