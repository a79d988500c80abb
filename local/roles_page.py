"""The table of docs/roles.md, made from the role files: `python -m local.roles_page` prints it, a test compares it."""

import json
import sys
from pathlib import Path

from local.azurite import REPOSITORY

ROLES = {
    "basic": "role.json",
    "deletion": "role-deletion.json",
    "sharing": "role-sharing.json",
    "egress": "role-egress.json",
    "outcomes": "role-outcomes.json",
    "audit": "role-audit.json",
}
"""What the page calls each role, in the order of its columns."""


def granted(file: str, folder: Path = REPOSITORY / "infra") -> tuple[str, ...]:
    """The actions and data actions of a role file."""
    role = json.loads((folder / file).read_text(encoding="utf-8"))
    return (*role["Actions"], *role["DataActions"])


def table() -> str:
    """One line for each right, one column for each role."""
    roles = {name: granted(file) for name, file in ROLES.items()}
    lines = [f"| right | {' | '.join(roles)} |", f"|---|{':-:|' * len(roles)}"]
    for action in sorted({action for actions in roles.values() for action in actions}, key=str.lower):
        marks = " | ".join("x" if action in actions else " " for actions in roles.values())
        lines.append(f"| `{action}` | {marks} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
