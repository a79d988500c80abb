"""
Which api-version of Microsoft.MachineLearningServices to speak where the wanted one is not deployed.

Clouds and regions lag behind one another, and a write with an api-version that does not know
`managedResourceGroupSettings` drops it: the registry would lose the principals that its deny assignment spares. So
reads take the newest stable version they can get, writes the newest one that keeps that member.
"""

import re
from collections.abc import Sequence

_VERSION = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:-[a-z]+)?\b")
_LIST = re.compile(r"supported (?:api-)?versions (?:are|is)[^'\"]*['\"]?([^'\"]*)", re.IGNORECASE)

# Swagger: the member appears in this preview, is missing from 2024-10-01, and is there in every 2025 version.
_KEEPING_PREVIEWS = frozenset({"2024-01-01-preview"})
_KEPT_SINCE = "2025"
_FALLBACK_FOR_WRITES = "2025-06-01"
_UNSUPPORTED = frozenset({"noregisteredproviderfound", "invalidapiversionparameter", "invalidresourcetype"})


def is_unsupported(code: str) -> bool:
    """Tell whether an error code of ARM says that the api-version is not deployed there."""
    return code.lower() in _UNSUPPORTED


def keeps_group_settings(version: str) -> bool:
    """Tell whether a full PUT with *version* keeps `managedResourceGroupSettings`."""
    return version >= _KEPT_SINCE or version in _KEEPING_PREVIEWS


def supported_versions(sentence: str) -> tuple[str, ...]:
    """The versions that ARM's refusal lists, newest first; () if it lists none."""
    found = _LIST.search(sentence)
    return tuple(sorted(set(_VERSION.findall(found.group(1))), reverse=True)) if found else ()


def choose(supported: Sequence[str], wanted: str, *, keeping: bool) -> str | None:
    """
    The best of *supported* in place of *wanted*; None if there is nothing else to try.

    Args:
        keeping: Prefer versions that keep the managed group's settings, even previews.
    """
    others = [version for version in sorted(supported, reverse=True) if version != wanted]
    stable = [version for version in others if "-preview" not in version]
    known = [version for version in stable if version <= wanted]
    if keeping:
        keepers = [version for version in (*known, *stable, *others) if keeps_group_settings(version)]
        known = [*keepers, *known]
    return next(iter((*known, *stable, *others)), None)


class ApiVersions:
    """The versions in use against one cloud; what was learned is remembered while the process lives."""

    def __init__(self, wanted: str) -> None:
        self.reading = wanted
        self.writing = wanted if keeps_group_settings(wanted) else _FALLBACK_FOR_WRITES

    def learn(self, refused: str, sentence: str) -> bool:
        """Take in that *refused* is not deployed; tells whether another one is worth a try."""
        supported = supported_versions(sentence)
        if refused in supported:
            return False
        reading = choose(supported, self.reading, keeping=False) if self.reading == refused else self.reading
        writing = choose(supported, self.writing, keeping=True) if self.writing == refused else self.writing
        self.reading, self.writing = reading or self.reading, writing or self.writing
        return refused not in {self.reading, self.writing}
