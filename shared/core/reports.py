"""
A report over many registries, written piece by piece: whatever its form, a registry is added and forgotten.

Nothing here knows the time at which the report was asked for. It speaks of the looks that it is made of, so the same
postures always give the same bytes, and a reader who has them need not get them again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from shared.core.posture import Posture
from shared.core.report import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    What a report says of its own making.

    Attributes:
        version: Of the app.
        filters: What was asked for, by name; "" is never among them.
        findings_page: Address of the page that explains findings; "" if nobody has said it.
        resource_manager: Base address of the cloud that ids are relative to.
    """

    version: str
    filters: Mapping[str, str] = field(default_factory=dict)
    findings_page: str = ""
    resource_manager: str = "https://management.azure.com"

    def help_for(self, code: str) -> str:
        """Absolute address of the section about *code*; "" if nobody has said where that page is."""
        return f"{self.findings_page}#{code}" if self.findings_page else ""


@dataclass(slots=True, kw_only=True)
class Summary:
    """Counts of everything that was added."""

    registries: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    open_doors: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, posture: Posture) -> None:
        """Count *posture*."""
        self.registries += 1
        self.phases[posture.phase] += 1
        self.severities.update(noted.finding.severity.value for noted in posture.findings)
        self.open_doors += len(posture.open_doors)
        if posture.looked is not None:
            self.oldest = min(self.oldest or posture.looked, posture.looked)
            self.newest = max(self.newest or posture.looked, posture.looked)

    def by_severity(self) -> dict[str, int]:
        """How many findings of each severity, the worst first, zeros included."""
        return {severity.value: self.severities[severity.value] for severity in reversed(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    How a report ends.

    Attributes:
        after: Where the rest begins if this is not all; "" after the last registry.
        missed: Why what should be in it is not; () when everything could be looked at.
    """

    after: str = ""
    missed: tuple[str, ...] = ()


class Rendering(Protocol):
    """One form of a report while it is written; *length* is how many characters of registries it holds."""

    @property
    def length(self) -> int: ...

    def add(self, posture: Posture) -> None:
        """Write one registry."""
        ...

    def finish(self, ending: Ending) -> str:
        """Give the whole text; nothing may be added afterwards."""
        ...


def moment(at: datetime | None) -> str:
    """A moment for machines, in UTC to the second; "" for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
