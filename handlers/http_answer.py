"""What an action of the HTTP API answers with, before it becomes a response."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    An answer that is no problem.

    Attributes:
        body: A model of the wire, or a text that is written already, in the form that *media* says.
        etag: It may be asked for again with If-None-Match.
    """

    body: BaseModel | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: bool = False
    media: str = JSON
