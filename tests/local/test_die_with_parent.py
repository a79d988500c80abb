"""A program that asks to die with its parent either does, or does not start."""

import ctypes
import os
import signal
from collections.abc import Iterator

import pytest

from local.die_with_parent import bind_to_parent, main

PR_GET_PDEATHSIG = 2  # linux/prctl.h
NONE = 0


def death_signal() -> int:
    """What the kernel will send this process when its parent dies."""
    found = ctypes.c_int()
    assert ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(found), 0, 0, 0) == 0
    return found.value


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The process of the tests keeps what it had asked for."""
    before = death_signal()
    yield
    bind_to_parent(os.getppid(), before)


def test_the_kernel_is_asked_for_the_signal() -> None:
    bind_to_parent(os.getppid(), signal.SIGUSR1)
    assert death_signal() == signal.SIGUSR1

    bind_to_parent(os.getppid(), NONE)
    assert death_signal() == NONE


def test_a_parent_that_is_gone_already_is_told() -> None:
    somebody_else = os.getpid()

    with pytest.raises(SystemExit, match="the process that asked for this program is gone already"):
        bind_to_parent(somebody_else, NONE)


def test_a_signal_that_is_none_is_told_instead_of_going_on_unbound() -> None:
    with pytest.raises(SystemExit, match=r"prctl\(PR_SET_PDEATHSIG\) failed: Invalid argument"):
        bind_to_parent(os.getppid(), 9999)


def test_a_program_that_cannot_be_started_is_named_with_the_reason() -> None:
    with pytest.raises(SystemExit, match="cannot start /no/such/program: No such file or directory"):
        main([str(os.getppid()), str(NONE), "/no/such/program", "--flag"])
