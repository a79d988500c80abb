"""
One host among several fires the timers, as in Azure, where a blob lease decides which.

Here a lock on a file in the data folder does. The kernel frees it when its holder ends, however it ends; another host
that shares the folder then takes over.
"""

import asyncio
import fcntl
from datetime import timedelta
from pathlib import Path

TRY_AGAIN = timedelta(seconds=1)


class Singleton:
    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def try_acquire(self) -> bool:
        """Whether this host is the one now; harmless to ask again."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def acquire(self) -> None:
        """Wait until this host is the one."""
        while not self.try_acquire():  # noqa: ASYNC110 -- the other holder is another process
            await asyncio.sleep(TRY_AGAIN.total_seconds())

    def close(self) -> None:
        """Give it up."""
        self._file.close()
