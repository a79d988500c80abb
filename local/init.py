"""
`python -m local init`: a first policy, from flags or from questions, checked as the app would check it.

Nothing is overwritten without `--force`, and nothing is written that the app would refuse. It begins with `mode: audit`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from local.init_answers import (
    ENDPOINTS,
    NO_ZONES,
    PATTERNS,
    SUBNET,
    SUBSCRIPTIONS,
    WORKSPACES,
    ZONES,
    Answers,
    Question,
    WrongAnswer,
)
from local.init_text import policy_text
from shared.core.arm import ResourceId
from shared.core.errors import InvalidPolicy
from shared.policy_file import read_policy

DONE, NOT_WRITTEN = 0, 2

type Ask = Callable[[str], str]
"""Puts a question to somebody and gives the answer; raises EOFError when nobody answers."""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Understand the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local init",
        description="Write a policy file. What no option says is asked for at a terminal.",
        epilog="Exit status: 0 written, 2 not written.",
    )
    parser.add_argument("--subnet", metavar="ID", help="subnet that receives private endpoints")
    parser.add_argument(
        "--zones-resource-group", metavar="ID", help=f"of the private DNS zones; '{NO_ZONES}': not yours"
    )
    parser.add_argument(
        "--endpoints-resource-group", metavar="ID", help="of the endpoints; default: the virtual network's"
    )
    parser.add_argument(
        "--subscription", metavar="ID", action="append", default=[], help="may be repeated; default: the subnet's"
    )
    parser.add_argument("--workspace", metavar="ID", action="append", default=[], help="that shares; may be repeated")
    parser.add_argument("--registries", metavar="PATTERN", action="append", default=[], help="names; default: all")
    parser.add_argument("--exclude", metavar="PATTERN", action="append", default=[], help="names that are left alone")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--audit", dest="mode", action="store_const", const="audit", help="report only (default)")
    mode.add_argument(
        "--enforce", dest="mode", action="store_const", const="enforce", help="change what is not as asked"
    )
    parser.set_defaults(mode="audit")
    parser.add_argument("--output", type=Path, default=Path("policy.yaml"), metavar="FILE", help="default: policy.yaml")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    return parser.parse_args(arguments)


def answers_of(options: argparse.Namespace, ask: Ask | None, say: Callable[[str], None]) -> Answers:
    """
    Take answers from *options*, and ask for the rest where somebody can be asked.

    Raises:
        WrongAnswer: An option cannot be used, or is missing and nobody can be asked.
    """
    subnet: ResourceId = _one(SUBNET, options.subnet, ask, say)
    home, group = subnet.subscription, subnet.group.text
    subscriptions = SUBSCRIPTIONS.read_all(options.subscription) or _asked(SUBSCRIPTIONS, ask, say, home, home)
    zones = options.zones_resource_group or _asked_text(ZONES, ask, say, group, home)
    workspaces = WORKSPACES.read_all(options.workspace) or _asked(WORKSPACES, ask, say, "", home)
    return Answers(
        subscriptions=subscriptions,
        subnet=subnet,
        zones=None if zones.strip().lower() == NO_ZONES else ZONES.read(zones, home),
        endpoints=ENDPOINTS.read(options.endpoints_resource_group, home) if options.endpoints_resource_group else None,
        workspaces=workspaces,
        include=PATTERNS.read_all(options.registries),
        exclude=PATTERNS.read_all(options.exclude),
        mode=options.mode,
    )


def _one(question: Question, given: str | None, ask: Ask | None, say: Callable[[str], None]) -> Any:
    """An answer without which there is no policy."""
    if given is not None:
        return question.read(given)
    if ask is None:
        raise WrongAnswer(f"{question.flag} is needed, because nobody can be asked here.")
    return _repeated(lambda: question.read(ask(f"{question.asked}: ")), say)


def _asked(question: Question, ask: Ask | None, say: Callable[[str], None], default: str, home: str) -> tuple[Any, ...]:
    """Answers to a question that has a default."""
    if ask is None:
        return question.read_all([default], home)
    return _repeated(lambda: question.read_all([ask(_with_default(question, default)).strip() or default], home), say)


def _asked_text(question: Question, ask: Ask | None, say: Callable[[str], None], default: str, home: str) -> str:
    """The answer as it was given, once it can be used."""
    if ask is None:
        return default

    def attempt() -> str:
        given = ask(_with_default(question, default)).strip() or default
        if given.lower() != NO_ZONES:
            question.read(given, home)
        return given

    return _repeated(attempt, say)


def _with_default(question: Question, default: str) -> str:
    return f"{question.asked} [{default}]: " if default else f"{question.asked}: "


def _repeated[T](attempt: Callable[[], T], say: Callable[[str], None]) -> T:
    while True:
        try:
            return attempt()
        except WrongAnswer as wrong:
            say(str(wrong))


def write(text: str, file: Path, *, force: bool) -> None:
    """
    Write the whole file or nothing of it.

    Raises:
        FileExistsError: It is there already, and *force* is not given.
    """
    if not force:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
        return
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False) as whole:
        whole.write(text)
    Path(whole.name).chmod(0o644)
    os.replace(whole.name, file)  # noqa: PTH105 -- one step, so that nobody ever reads half a policy


def run(options: argparse.Namespace, ask: Ask | None, say: Callable[[str], None]) -> int:
    """Write the policy; says why where that is impossible."""
    if options.output.exists() and not options.force:
        say(f"{options.output} is there already; --force overwrites it.")
        return NOT_WRITTEN
    try:
        text = policy_text(answers_of(options, ask, say).document())
        policy = read_policy(text, source=str(options.output))
        write(text, options.output, force=options.force)
    except WrongAnswer as wrong:
        say(str(wrong))
        return NOT_WRITTEN
    except InvalidPolicy as error:
        say(error.sentence)
        return NOT_WRITTEN
    except EOFError:
        say("Nobody answered; nothing was written.")
        return NOT_WRITTEN
    except OSError as error:
        say(f"{options.output} cannot be written: {error.strerror or error}.")
        return NOT_WRITTEN
    say(f"Wrote {options.output} (mode: {policy.mode}). `make audit` tells what it would change.")
    return DONE


def main(arguments: Sequence[str]) -> int:
    """Run the command; questions go to a terminal only."""
    ask = input if sys.stdin.isatty() and sys.stdout.isatty() else None
    return run(parse_arguments(arguments), ask, lambda told: print(told, file=sys.stderr))
