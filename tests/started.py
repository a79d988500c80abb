"""
Programs that a test runs to their end, with everything they wrote in the search for secrets.

Tests start programs through here, through `tests.local.playing` or through `local.processes`, and so does nothing of theirs
go unheard; a test says who may start one by other means.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.emitted import note

PATIENCE = 120
"""Seconds; a program that takes longer hangs."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
    check: bool = True,
    asks_for_a_token: bool = False,
) -> subprocess.CompletedProcess[str]:
    """
    Run *command* and give what it wrote.

    Args:
        asks_for_a_token: What it writes is the very secret that it was asked for, and is not searched.

    Raises:
        subprocess.CalledProcessError: It failed, and *check* says that it must not.
        subprocess.TimeoutExpired: It hung.
    """
    done = subprocess.run(  # noqa: S603 -- programs of this repository, and those that its pages tell to be typed
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    note(done.stderr)
    if not asks_for_a_token:
        note(done.stdout)
    if check:
        done.check_returncode()
    return done
