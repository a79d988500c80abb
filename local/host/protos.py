"""
The message types that the worker exchanges with its host, as plain classes.

In Azure they are generated from the host's protobuf contract. The worker takes the namespace that holds them as an
argument and uses only constructors, attributes and `WhichOneof`, so that this module can be that namespace. Names and
numbers are the contract's (azure-functions-language-worker-protobuf, FunctionRpc.proto); fields that only the host
would read are kept as given.
"""

from types import SimpleNamespace
from typing import Any


class TypedData:
    """One value: exactly one of its fields is set (string, json, bytes, http, int, double)."""

    FIELDS = frozenset({"string", "json", "bytes", "http", "int", "double"})

    def __init__(self, **field: Any) -> None:
        if len(field) > 1 or not field.keys() <= self.FIELDS:
            raise TypeError(f"TypedData takes one of {sorted(self.FIELDS)}, not {sorted(field)}.")
        self._kind: str | None = next(iter(field), None)
        self._value: Any = next(iter(field.values()), None)

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 -- protobuf's name
        if group != "data":
            raise ValueError(f"TypedData has no group {group!r}.")
        return self._kind

    @property
    def value(self) -> Any:
        return self._value

    @property
    def string(self) -> Any:
        return self._of("string")

    @property
    def json(self) -> Any:
        return self._of("json")

    @property
    def bytes(self) -> Any:
        return self._of("bytes")

    @property
    def http(self) -> Any:
        return self._of("http")

    def _of(self, kind: str) -> Any:
        return self._value if self._kind == kind else None


class ParameterBinding:
    """A named value on its way into or out of a function."""

    def __init__(self, *, name: str, data: TypedData | None) -> None:
        self.name = name
        self.data = data

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 -- protobuf's name
        if group != "rpc_data":
            raise ValueError(f"ParameterBinding has no group {group!r}.")
        return None if self.data is None else "data"


class BindingInfo(SimpleNamespace):
    """What a function declares; the numbers are the contract's enumerations of direction and data type."""

    out = 1
    inout = 2
    undefined = 0


class StatusResult(SimpleNamespace):
    """How a request to the worker ended."""

    Failure = 0
    Success = 1


class RpcHttp(SimpleNamespace):
    """An HTTP request or response."""


class _SameSite(SimpleNamespace):
    Lax = 1
    Strict = 2
    ExplicitNone = 3


setattr(_SameSite, "None", 0)  # a field of the contract that Python's grammar cannot spell


class RpcHttpCookie(SimpleNamespace):
    """A cookie that a response sets."""

    SameSite = _SameSite


class NullableString(SimpleNamespace):
    """A string that may be absent."""


class NullableBool(SimpleNamespace):
    """A boolean that may be absent."""


class NullableDouble(SimpleNamespace):
    """A number that may be absent."""


class NullableTimestamp(SimpleNamespace):
    """A point in time that may be absent."""


class Timestamp(SimpleNamespace):
    """A point in time, in seconds since 1970."""


class RpcException(SimpleNamespace):
    """An exception of the app: `message` and `stack_trace`."""


class RpcFunctionMetadata(SimpleNamespace):
    """One indexed function: name, id, raw bindings (JSON texts), retry options."""


class RpcRetryOptions(SimpleNamespace):
    """A function's retry policy: strategy, number of retries, and intervals as durations."""


class WorkerMetadata(SimpleNamespace):
    """Which worker this is."""


class WorkerInitResponse(SimpleNamespace):
    """Answer to the first request: the app is indexed, or why not."""


class FunctionMetadataResponse(SimpleNamespace):
    """Answer to: which functions are there?"""


class FunctionLoadResponse(SimpleNamespace):
    """Answer to: is this function ready?"""


class InvocationResponse(SimpleNamespace):
    """Answer to an invocation: result, return value, outputs."""
