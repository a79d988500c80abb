"""
`python -m local.crash`: kill the host at every step of the path, one after another, and see that it finishes all the same.

Exit status: 0 when it always did, 1 when it did not once, 2 for arguments that mean nothing.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from local.azurite import Azurite, AzuriteMissing, start_azurite
from local.crash.points import Point, chosen, points_of
from local.crash.rig import Rig, Trial
from local.crash.stories import CREATE, STORIES, Story
from local.crash.tally import Tally
from local.demo import scale_factor, work_folder
from local.processes import ChildFailed, ended_by_signals

SCALE = 0.02


def main(
    arguments: Sequence[str] | None = None,
    *,
    storage: Callable[[Path], Azurite] = start_azurite,
    rig_type: type[Rig] = Rig,
) -> int:
    """
    Run the command line; gives the exit status.

    Args:
        storage: Starts a storage account in a folder.
        rig_type: What is played on.
    """
    asked = _parser().parse_args(arguments)
    try:
        with ended_by_signals(), work_folder("crash", keep=asked.keep) as folder:
            status = _campaign(asked, folder.path, storage, rig_type)
            folder.keep = folder.keep or status == 1
            return status
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    except (AzuriteMissing, ChildFailed) as problem:
        print(f"The crash campaign did not get to its end. {problem}", file=sys.stderr)
        return 1


def _campaign(asked: argparse.Namespace, folder: Path, storage: Callable[[Path], Azurite], rig_type: type[Rig]) -> int:
    with ExitStack() as ending:
        azurites = [ending.enter_context(storage(folder / f"azurite-{number}")) for number in range(1, asked.jobs + 1)]
        return asyncio.run(
            play(
                azurites,
                folder,
                points=asked.points,
                scale=asked.scale,
                only_list=asked.list,
                story=STORIES[asked.story],
                rig_type=rig_type,
            )
        )


async def play(
    azurites: Sequence[Azurite],
    folder: Path,
    *,
    points: str,
    scale: float,
    only_list: bool = False,
    story: Story = CREATE,
    rig_type: type[Rig] = Rig,
) -> int:
    """
    Play on one rig for each of *azurites*; gives the exit status.

    Raises:
        ValueError: *points* means nothing.
        ChildFailed: A host ended by itself.
    """
    async with AsyncExitStack() as ending:
        rigs = [
            await ending.enter_async_context(
                rig_type(folder / f"rig-{number}", azurite, scale=scale, label=str(number), story=story)
            )
            for number, azurite in enumerate(azurites, start=1)
        ]
        await asyncio.gather(*(rig.play() for rig in rigs))  # so that what only a first process does is done
        undisturbed = await rigs[0].play()
        tally = Tally(undisturbed, story)
        if tally.wrong_from_the_start:
            print(tally.wrong_from_the_start)
            return 1
        every = points_of(undisturbed.steps)
        if only_list:
            print("\n".join(f"{number:4} {point}" for number, point in enumerate(every, start=1)))
            return 0
        writes_first = sorted(chosen(points, every), key=lambda point: " GET " in point.step.what)
        async for trial in _trials(rigs, writes_first):
            print(tally.add(trial, every), flush=True)
        print(tally.summary())
        return 1 if tally.failed else 0


async def _trials(rigs: Sequence[Rig], points: Sequence[Point]) -> AsyncIterator[Trial]:
    """Whoever is free takes the next point; results come as they are ready."""
    waiting, done = iter(points), asyncio.Queue[Trial]()

    async def work(rig: Rig) -> None:
        for point in waiting:
            await done.put(await rig.play(point))

    try:
        async with asyncio.TaskGroup() as group:
            for rig in rigs:
                group.create_task(work(rig))
            for _ in points:
                yield await done.get()
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def _jobs(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.crash", description=__doc__)
    parser.add_argument(
        "--points", default="all", help="all, or numbers, ranges and points as printed, separated by commas (all)"
    )
    parser.add_argument("--story", choices=STORIES, default=CREATE.name, help="what happens to the registry (create)")
    parser.add_argument("--jobs", type=_jobs, default=1, help="hosts that are killed side by side (1)")
    parser.add_argument("--scale", type=scale_factor, default=SCALE, help=f"factor on Azure's durations ({SCALE})")
    parser.add_argument("--list", action="store_true", help="only say which points there are")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs, settings and data")
    return parser


if __name__ == "__main__":
    sys.exit(main())
