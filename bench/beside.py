"""A measurement in virtual time that goes on in a process of its own, beside others: the machine has a second core."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from bench.rows import ReferenceFailed, Section

_SPAWN = get_context("spawn")
_PATIENCE = 30.0


class Beside:
    """
    One such measurement, from the entry to the exit of a context; left early, it is ended.

    Args:
        measure: A module's function; called in the other process.
    """

    def __init__(self, measure: Callable[[], Section]) -> None:
        self._answers, answers = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_answer, args=(measure, answers), name="beside", daemon=True)
        self._sending = answers

    def __enter__(self) -> Self:
        self._process.start()
        self._sending.close()  # so that the end of the process is the end of its answers
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.join()
        self._answers.close()

    def result(self) -> Section:
        """
        Wait for its rows.

        Raises:
            ReferenceFailed: There are none.
        """
        try:
            found = self._answers.recv()
        except EOFError as error:
            self._process.join()
            raise ReferenceFailed(f"a process of the bench ended with status {self._process.exitcode}") from error
        self._process.join(_PATIENCE)  # it has said everything and ends by itself
        if isinstance(found, Section):
            return found
        raise ReferenceFailed(str(found))


def _answer(measure: Callable[[], Section], answers: "Connection[Section | str, None]") -> None:
    try:
        answers.send(measure())
    except ReferenceFailed as problem:
        answers.send(str(problem))
