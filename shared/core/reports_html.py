"""
The report as one page that needs nothing else: to be read, printed, mailed and filed.

Every value goes through `escape`; there is no script, and the policy in its head allows nothing but its own style sheet,
so even a page that was saved and opened from a disk loads nothing and runs nothing.
"""

import base64
import hashlib
from html import escape as escape_markup

from shared.core.legible import legible
from shared.core.posture import Noted, Posture
from shared.core.report import Severity
from shared.core.reports import Ending, Origin, Summary
from shared.core.reports_json import TOOL

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --soft: #57606a; --error: #a40e26;
  --warning: #7d4e00; --info: #0a5394; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #3d444d; --soft: #9198a1;
  --error: #ff8f88; --warning: #e3b341; --info: #79c0ff; --shade: #161b22; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
td:last-child, .name { overflow-wrap: anywhere; }
thead th { background: var(--shade); } caption { text-align: left; color: var(--soft); padding: .2rem 0; }
.id, .soft { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.error, .open { color: var(--error); font-weight: 600; } .warning { color: var(--warning); font-weight: 600; }
.info { color: var(--info); } a { color: var(--info); } .wide { overflow-x: auto; }
section { border-top: 2px solid var(--line); margin-top: 1.5rem; }
@media print { :root { --ink: #000; --paper: #fff; --line: #999; --soft: #333; --shade: #fff; --error: #900;
  --warning: #640; --info: #036; } body { max-width: none; padding: 0; font-size: 10pt; }
  section, tr { break-inside: avoid; } thead { display: table-header-group; } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""Content security policy of the page; whoever serves it adds that nobody may frame it."""


class HtmlRendering:
    """The page, written registry by registry; what counts them all is written last and stands first."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._summary = Summary()
        self._sections: list[str] = []
        self.length = 0

    def add(self, posture: Posture) -> None:
        """Write one registry."""
        self._summary.add(posture)
        text = _section(posture, self._origin)
        self._sections.append(text)
        self.length += len(text)

    def finish(self, ending: Ending) -> str:
        """Give the page."""
        body = "\n".join(self._sections) or "<p>There is no registry to report on.</p>"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(SECURITY_POLICY)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{TOOL}: report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            f"<h1>{TOOL}: report</h1>\n{self._head(ending)}\n{body}\n</main>\n</body>\n</html>\n"
        )

    def _head(self, ending: Ending) -> str:
        summary = self._summary
        rows = [
            ("Registries", str(summary.registries)),
            ("By phase", ", ".join(f"{phase} {count}" for phase, count in sorted(summary.phases.items()))),
            ("Findings", ", ".join(f"{severity} {count}" for severity, count in summary.by_severity().items())),
            ("Open doors", str(summary.open_doors)),
            ("Looks", _looks(summary)),
            ("Asked for", ", ".join(f"{name}={value}" for name, value in self._origin.filters.items()) or "everything"),
            ("Made by", f"{TOOL} {self._origin.version}"),
        ]
        told = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
        missed = "".join(f"<li>{escape(why)}</li>" for why in ending.missed)
        return "".join(
            (
                f"<table><caption>In short</caption><tbody>{told}</tbody></table>",
                f'<p class="error">Not everything could be looked at:</p><ul>{missed}</ul>' if missed else "",
                f'<p class="warning">This is not all: ask for the rest with after={escape(ending.after)}.</p>'
                if ending.after
                else "",
            )
        )


def escape(text: str) -> str:
    """*text* as words on the page, whatever it holds."""
    return escape_markup(legible(text))


def _looks(summary: Summary) -> str:
    if summary.oldest is None or summary.newest is None:
        return "none yet"
    return f"{_when(summary.oldest)} to {_when(summary.newest)}"


def _when(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _section(posture: Posture, origin: Origin) -> str:
    registry = posture.registry
    looked = f"last look {_when(posture.looked)}" if posture.looked else "no look yet"
    rows = "".join(_row(noted, origin) for noted in posture.findings)
    findings = (
        '<div class="wide"><table><caption>Findings</caption><thead><tr><th scope="col">Severity</th><th scope="col">Code</th>'
        f'<th scope="col">What</th></tr></thead><tbody>{rows}</tbody></table></div>'
        if rows
        else "<p>No finding.</p>"
    )
    return (
        f'<section>\n<h2>{escape(registry.name)}</h2>\n<p class="id">{escape(registry.text)}</p>\n'
        f"<p>{escape(posture.phase)}, {looked}</p>\n{_doors(posture)}{_exemptions(posture)}{findings}\n</section>"
    )


def _doors(posture: Posture) -> str:
    if not posture.doors:
        return ""
    rows = "".join(
        f'<tr><th scope="row" class="name">{escape(door.target.name)}</th><td>{escape(door.kind.value)}</td>'
        f'<td class="{escape(door.access.value)}">{escape(door.access.value)}</td></tr>'
        for door in posture.doors
    )
    return (
        '<table><caption>Public access</caption><thead><tr><th scope="col">Resource</th><th scope="col">Kind</th>'
        f'<th scope="col">Door</th></tr></thead><tbody>{rows}</tbody></table>\n'
    )


def _exemptions(posture: Posture) -> str:
    items = "".join(
        f"<li>Exempt until {exemption.expires.isoformat()}: {escape(', '.join(exemption.targets))}. "
        f"{escape(exemption.reason)} ({escape(exemption.owner)})</li>"
        for exemption in posture.exemptions
    )
    return f"<ul>{items}</ul>\n" if items else ""


def _row(noted: Noted, origin: Origin) -> str:
    found = noted.finding
    address = origin.help_for(found.code)
    code = f'<a href="{escape(address)}">{escape(found.code)}</a>' if address else escape(found.code)
    resource = f'<div class="id">{escape(found.resource.text)}</div>' if found.resource else ""
    return (
        f'<tr><td class="{_class(found.severity)}">{escape(found.severity.value)}</td><td>{code}</td>'
        f"<td>{escape(found.sentence)}{resource}</td></tr>"
    )


def _class(severity: Severity) -> str:
    return severity.value
