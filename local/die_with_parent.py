"""
Become another program that cannot outlive the process that asked for it.

`local.processes` starts every child through this file: it asks the kernel for a signal at the parent's death, then
replaces itself by the command. It is a program rather than a hook between fork and exec because such hooks are unsafe
in a process that has threads.

Linux only; elsewhere the command simply starts, and only an orderly end of the parent stops it.

Usage: die_with_parent.py PARENT_PID SIGNAL COMMAND [ARGUMENT ...]
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def bind_to_parent(parent: int, death_signal: int) -> None:
    """Ask for *death_signal* when *parent* dies; exits at once if it has died already."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        sys.exit(f"prctl(PR_SET_PDEATHSIG) failed: {os.strerror(number)}")
    if os.getppid() != parent:  # it died between the fork and the call above: no signal will ever come
        sys.exit("the process that asked for this program is gone already")


def main(arguments: list[str]) -> None:
    parent, death_signal, *command = arguments
    bind_to_parent(int(parent), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 -- the command comes from local.processes, never from outside
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
