"""A measurement in another process gives its rows, or says why there are none."""

import os
from collections.abc import Callable
from multiprocessing import Pipe

import pytest

from bench.beside import Beside, _answer
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


@pytest.mark.parametrize(("measure", "said"), [(measured, measured()), (useless, "nothing was isolated")])
def test_the_other_process_answers_with_its_rows_or_with_why_there_are_none(
    measure: Callable[[], Section], said: Section | str
) -> None:
    answers, sending = Pipe(duplex=False)

    _answer(measure, sending)

    assert answers.recv() == said
    answers.close()
    sending.close()


@pytest.mark.slow
@pytest.mark.parametrize(("measure", "said"), [(useless, "nothing was isolated"), (gone, "ended with status 7")])
def test_a_run_that_did_not_do_its_work_gives_no_rows(measure: Callable[[], Section], said: str) -> None:
    with Beside(measure) as beside, pytest.raises(ReferenceFailed, match=said):
        beside.result()
