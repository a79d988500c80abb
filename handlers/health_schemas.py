"""Health on the wire: what was looked at, and with `deep=1` what to run where something is missing."""

from typing import Literal

from handlers.http_schemas import Wire


class Check(Wire):
    """One thing that the app needs."""

    name: str
    """What kind of thing; stable."""
    ok: bool
    """Nothing has to be done about it."""
    sentence: str = ""
    verdict: Literal["ok", "warn", "fail", "unknown"] | None = None
    """Of a deep look: `warn` keeps no registry open, `unknown` could not be looked at. Null: not looked at deeply."""
    subject: str = ""
    """Which one: an ARM path or a name."""
    fix: str = ""
    """The command that puts it right, or what to change where."""


class Health(Wire):
    """Whether the app can work."""

    status: Literal["ok", "failing"]
    version: str
    mode: str = ""
    """`enforce` or `audit`; empty while the policy cannot be read."""
    policy_digest: str = ""
    checks: list[Check]
