"""A measurement in another process gives its rows, or says why there are none."""

import os
from collections.abc import Callable

import pytest

from bench.beside import Beside
from bench.rows import ReferenceFailed, Section, told


def measured() -> Section:
    return Section(title="measured", rows=(told("process", str(os.getpid())),))


def useless() -> Section:
    raise ReferenceFailed("nothing was isolated")


def gone() -> Section:
    os._exit(7)


@pytest.mark.slow
def test_rows_come_from_another_process() -> None:
    with Beside(measured) as beside:
        found = beside.result()

    assert found.title == "measured"
    assert found.rows[0].ours != str(os.getpid())


@pytest.mark.slow
@pytest.mark.parametrize(("measure", "said"), [(useless, "nothing was isolated"), (gone, "ended with status 7")])
def test_a_run_that_did_not_do_its_work_gives_no_rows(measure: Callable[[], Section], said: str) -> None:
    with Beside(measure) as beside, pytest.raises(ReferenceFailed, match=said):
        beside.result()
