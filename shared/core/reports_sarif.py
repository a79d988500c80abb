"""
The report as SARIF 2.1.0, for code scanning and security dashboards.

A finding is a result of the rule that is called like its code. Its place is the resource: as a logical location by its
id, and, because many readers know only files, as an artifact that lies below Resource Manager's address. Fingerprints
let a reader recognise it in the next report.
"""

import json
import re
from typing import Any
from urllib.parse import quote

from shared.core.findings import CATALOGUE
from shared.core.posture import Noted, Posture
from shared.core.report import Severity
from shared.core.reports import Ending, Origin, Summary, moment
from shared.core.reports_json import TOOL

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
FINGERPRINT = "registryIsolation/v1"
_BASE = "RESOURCEMANAGER"
_RULE_AT = {code: at for at, code in enumerate(CATALOGUE)}
_SENTENCE = "{sentence}"
_PLACEHOLDER = re.compile(r"\{\d+\}")

type Json = dict[str, Any]


class SarifRendering:
    """One run, written result by result."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._summary = Summary()
        self._results: list[str] = []
        self.length = 0

    def add(self, posture: Posture) -> None:
        """Write one registry's findings."""
        self._summary.add(posture)
        texts = [_text(_result(noted, posture)) for noted in posture.findings]
        self._results += texts
        self.length += sum(map(len, texts))

    def finish(self, ending: Ending) -> str:
        """Give the log: the run is written without results, and they are put into their place."""
        run = {
            "tool": {"driver": self._driver()},
            "invocations": [self._invocation(ending)],
            "automationDetails": {"id": "registry-isolation/posture/"},
            "originalUriBaseIds": {_BASE: {"uri": f"{self._origin.resource_manager}/"}},
            "columnKind": "utf16CodeUnits",
            "properties": {
                "registries": self._summary.registries,
                "phases": dict(sorted(self._summary.phases.items())),
                "filters": dict(self._origin.filters),
                "after": ending.after,
            },
        }
        head = f'{{"$schema":{_text(SCHEMA)},"version":"2.1.0","runs":['
        return f'{head}{_text(run)[:-1]},"results":[{",\n".join(self._results)}]}}]}}\n'

    def _driver(self) -> Json:
        driver: Json = {
            "name": TOOL,
            "semanticVersion": self._origin.version,
            "rules": [self._rule(code) for code in CATALOGUE],
        }
        if self._origin.findings_page:
            driver["informationUri"] = self._origin.findings_page
        return driver

    def _rule(self, code: str) -> Json:
        kind = CATALOGUE[code]
        title = code.replace("-", " ").capitalize()
        explained = f"See the section {code} of the documentation's page of findings (docs/findings.md)."
        rule: Json = {
            "id": code,
            "name": "".join(part.capitalize() for part in code.split("-")),
            "shortDescription": {"text": f"{title}."},
            "fullDescription": {"text": _without_values(kind.template) or f"{title}."},
            "defaultConfiguration": {"level": LEVELS[kind.severity]},
            "help": {"text": explained},
            "properties": {"tags": ["security", "network", "azure-machine-learning"]},
        }
        if address := self._origin.help_for(code):
            rule["helpUri"] = address
            rule["help"]["markdown"] = f"[{code}]({address})"
        return rule

    def _invocation(self, ending: Ending) -> Json:
        """The looks that the findings come from, from the first to the last one."""
        invocation: Json = {"executionSuccessful": not ending.missed}
        for name, at in (("startTimeUtc", self._summary.oldest), ("endTimeUtc", self._summary.newest)):
            if at is not None:
                invocation[name] = moment(at)
        told = [{"level": "error", "message": {"text": plain(why)}} for why in ending.missed]
        if ending.after:
            told.append(
                {"level": "warning", "message": {"text": f"This is not all; the rest begins at {ending.after}."}}
            )
        return invocation | ({"toolExecutionNotifications": told} if told else {})


def _result(noted: Noted, posture: Posture) -> Json:
    found = noted.finding
    resource = found.resource or posture.registry
    index = {"ruleIndex": _RULE_AT[found.code]} if found.code in _RULE_AT else {}  # a row may be of another version
    return {
        "ruleId": found.code,
        **index,
        "kind": "fail",
        "level": LEVELS[found.severity],
        "message": {"text": plain(found.sentence)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(resource.text.lstrip("/"), safe="/"), "uriBaseId": _BASE},
                    "region": {"startLine": 1},  # code scanning refuses results without a line, and a resource has none
                },
                "logicalLocations": [{"name": resource.name, "fullyQualifiedName": resource.text, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {FINGERPRINT: noted.fingerprint},
        "properties": {"registry": posture.registry.text, "phase": posture.phase},
    }


def plain(sentence: str) -> str:
    """*sentence* as a message text in which nothing is a link or a placeholder (SARIF 2.1.0, messages)."""
    if "](" in sentence:
        sentence = sentence.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return sentence.replace("{", "{{").replace("}", "}}") if _PLACEHOLDER.search(sentence) else sentence


def _without_values(template: str) -> str:
    """What a rule says of itself: its sentence with names in place of values; "" if it has no sentence of its own."""
    return "" if template == _SENTENCE else re.sub(r"\{(\w+)\}", r"<\1>", template)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
