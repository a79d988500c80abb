"""What became of one disturbance that the demo makes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """
    One disturbance and its repair.

    Attributes:
        found_by: How the app came to know: "event", "sweep" or "person".
        seconds: From the disturbance until Azure said that all was well; None when that did not happen in time.
    """

    what: str
    found_by: str
    seconds: float | None
