"""
One sweep in a process of its own, which tells what it needed: `python -m bench.sweep_child`, started by `sweep_process`.

The app is composed by its own composition root from the environment, as in a Functions worker, and works its steps off
a real queue. Whatever the process needs beyond the app is a loop that receives messages.
"""

import asyncio
import json
import sys
import time

from bench.resident import peak_mib
from handlers.runtime import Runtime, runtime
from shared.core.sweeps import SweepRecord, SweepState

_LOOK_AGAIN = 0.2
_PATIENCE = 900.0


async def sweep() -> dict[str, object]:
    """
    Sweep once; gives what it took and what was found.

    Raises:
        TimeoutError: It did not end.
    """
    app = await runtime()
    _load(app)
    loaded, processor, began = peak_mib(), time.process_time(), time.perf_counter()
    async with asyncio.timeout(_PATIENCE):
        begun = await app.sweeper.begin("timer", "bench")
        record = await _to_its_end(app, begun)
    return {
        "state": record.state.value,
        "seen": record.seen,
        "verdicts": dict(record.verdicts),
        "enqueued": record.enqueued,
        "steps": record.step - 1,
        "loaded_mib": loaded,
        "peak_mib": peak_mib(),
        "processor_seconds": time.process_time() - processor,
        "seconds": time.perf_counter() - began,
    }


def _load(app: Runtime) -> tuple[object, ...]:
    """Whatever a process loads once, so that it is not held against the sweep."""
    return app.sweeper, app.inventory, app.sweep_queue, app.queue, app.ledger


async def _to_its_end(app: Runtime, record: SweepRecord) -> SweepRecord:
    async with app.account.queue(f"{app.settings.state.work_queue}-sweep") as queue:
        while record.state is SweepState.RUNNING:
            message = await queue.receive_message()
            if message is None:
                await asyncio.sleep(_LOOK_AGAIN)
                continue
            await app.sweeper.work(str(message.content).encode())
            await queue.delete_message(message)
            read = await app.sweeper.read(record.id)
            if read is None:
                raise LookupError(f"sweep {record.id} has no record")
            record = read
    return record


def main() -> int:
    """Sweep and print one line of JSON."""
    print(json.dumps(asyncio.run(sweep())), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
