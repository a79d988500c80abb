"""
Put on the Azure CLI's path by the bench, so that its waiting costs no real time.

Python imports a module of this name at its start. From then on a pause of the CLI asks the bench to let that much time
pass in the simulated Azure and returns at once: everything else about the CLI is as anybody installs it. Its main thread
watches over a poller that waits in another thread; that pause is the same one and is not counted twice.
"""

import os
import threading
import time
from typing import SupportsIndex
from urllib.request import ProxyHandler, build_opener

_really_pause = time.sleep
_opener = build_opener(ProxyHandler({}))
_LOOK_AGAIN = 0.005
_ADDRESS = os.environ.get("BENCH_TIME", "")


def _pause(seconds: float | SupportsIndex) -> None:
    polling = any(thread.name.startswith("LROPoller") for thread in threading.enumerate())
    if polling and threading.current_thread() is threading.main_thread():
        _really_pause(_LOOK_AGAIN)
        return
    with _opener.open(f"{_ADDRESS}/{max(float(seconds), 0.0):.3f}", timeout=30) as answer:
        answer.read()


if _ADDRESS:
    time.sleep = _pause
