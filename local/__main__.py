"""`python -m local COMMAND`: what a developer does at a terminal, each command in a module of its own."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "init": ("local.init", "write a policy file from questions or flags"),
    "doctor": ("local.doctor", "say what the policy needs of Azure and does not find, and what to run"),
    "audit": ("local.audit", "look at your registries with your own `az login`, read-only"),
}
_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names."""
    name = arguments[0] if arguments else ""
    if name in COMMANDS:
        return int(importlib.import_module(COMMANDS[name][0]).main(arguments[1:]))
    asked = name in {"-h", "--help"}
    lines = ["usage: python -m local COMMAND [options]", ""]
    lines += [f"  {command:<8} {what}" for command, (_, what) in COMMANDS.items()]
    lines += ["", "python -m local COMMAND --help tells more."]
    print("\n".join(lines), file=sys.stdout if asked else sys.stderr)
    return 0 if asked else _USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
