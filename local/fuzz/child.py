"""One fuzzing process: `python -m local.fuzz.child PARSER [libFuzzer's options]`; started by `local.fuzz`."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

_OURS = ["shared", "handlers", "local.fuzz"]


def main(arguments: Sequence[str]) -> None:
    """Load the parsers with atheris watching which lines run, and hand over to it."""
    atheris: Any = importlib.import_module("atheris")  # installed beside the app by `make fuzz` only
    name, *options = arguments
    with atheris.instrument_imports(include=_OURS):
        parsers = importlib.import_module("local.fuzz.parsers").PARSERS
    atheris.Setup([sys.argv[0], *options], parsers[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
