"""`make docs`: stages the pages, lets ProperDocs build them strictly, and reads the result once more."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.azurite import REPOSITORY
from local.pages.staging import stage
from local.pages.verify import faults

BUILDER = Path(".local/docs/bin/properdocs")


def build(repository: Path, work: Path) -> tuple[str, ...]:
    """Build the site into *work*/html, and tell what is wrong with it."""
    stage(repository, work / "source")
    command = [str(REPOSITORY / BUILDER), "build", "--strict", "--clean", "--config-file", "properdocs.yml"]
    environment = os.environ | {"DOCS_SOURCE": str(work / "source"), "DOCS_SITE": str(work / "html")}
    done = subprocess.run(  # our own tool, our own folder
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0:
        told = (done.stdout + done.stderr).splitlines()
        return tuple(line for line in told if line.strip() and not line.startswith("INFO"))
    return faults(work / "html")


def main(arguments: Sequence[str] | None = None, *, repository: Path = REPOSITORY) -> int:
    """Build, print what is wrong, and answer 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m local.pages", description=__doc__)
    parser.add_argument("--work", type=Path, default=REPOSITORY / ".local" / "site", help="where to build")
    work: Path = parser.parse_args(arguments).work.resolve()
    if found := build(repository, work):
        print("\n".join(found), file=sys.stderr)
        return 1
    print(f"The documentation is in {work / 'html' / 'index.html'}")
    print(f"Its search needs a server: python3 -m http.server --bind 127.0.0.1 --directory {work / 'html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
