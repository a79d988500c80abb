"""
`python -m local audit` (`make audit`): where your registries stand, and what the app would change, before it exists.

Reads Azure with your own sign-in and changes nothing. Exit status: 0 nothing at or above `--fail-on` was found, 1 something
was, 2 something could not be looked at.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from handlers.http_health import VERSION
from local.audit_policy import Yardstick, by_file, without_file
from local.audit_show import TableRendering
from local.auditor import Auditor
from local.auditor import Progress as Looked
from local.developer import DeveloperCredential, add_cloud
from shared.cloud.arm_policies import create_transport
from shared.core.arm import is_guid
from shared.core.clouds import CLOUDS
from shared.core.errors import MissingPermission, RegistryIsolationError
from shared.core.posture import rank
from shared.core.report import Severity
from shared.core.report_forms import FORMS
from shared.core.reports import Ending, Origin, Rendering

CLEAN, FOUND, NOT_LOOKED = 0, 1, 2
USUAL_POLICY = Path("policy.yaml")
NEVER = "never"
_SEVERITIES = [severity.value for severity in reversed(Severity)]


def _subscription(text: str) -> str:
    if not is_guid(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a subscription id (a GUID)")
    return text.lower()


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Understand the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local audit",
        description="Look at your registries with your own `az login`, read-only, and say what is open and what the app would "
        "change.",
        epilog="Exit status: 0 nothing at or above --fail-on, 1 something, 2 something could not be looked at.",
    )
    parser.add_argument("--policy", type=Path, help=f"policy file; default: {USUAL_POLICY} if there is one")
    parser.add_argument("--no-policy", action="store_true", help="findings only, even if there is a policy file")
    parser.add_argument(
        "--subscription",
        type=_subscription,
        action="append",
        default=[],
        metavar="ID",
        help="look here (may be repeated); default: the policy's subscriptions, or all that you can see",
    )
    parser.add_argument("--format", choices=["table", *FORMS], default="table", help="default: a table for people")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there; default: standard output")
    parser.add_argument(
        "--fail-on",
        choices=[*_SEVERITIES, NEVER],
        default=Severity.ERROR.value,
        help="least severity of a finding that makes the exit status 1; default: error",
    )
    add_cloud(parser)
    parser.add_argument(
        "--findings-page",
        default=os.environ.get("ISOLATION_FINDINGS_PAGE", ""),
        metavar="ADDRESS",
        help="where docs/findings.md is published, for links in files",
    )
    simulated = parser.add_argument_group("a simulated Azure")
    simulated.add_argument("--arm-endpoint", default="", metavar="ADDRESS", help="its Resource Manager")
    simulated.add_argument("--arm-ca", default="", metavar="FILE", help="certificate authority that signed it")
    return parser.parse_args(arguments)


async def audit(options: argparse.Namespace, auditor: Auditor, rendering: Rendering, notes: Console) -> int:
    """Look, write what was found, and give the exit status."""
    yardstick = await _yardstick(options, auditor, notes)
    threshold = None if options.fail_on == NEVER else rank(Severity(options.fail_on))
    status = CLEAN
    async for posture in auditor.look(yardstick):
        rendering.add(posture)
        if threshold is not None and posture.worst is not None and rank(posture.worst) >= threshold:
            status = FOUND
    missed = tuple(auditor.progress.missed)
    write(rendering.finish(Ending(missed=missed)), options.output)
    notes.print(f"{auditor.requests} requests, all of them reads. Nothing was changed.", style="dim", highlight=False)
    if not auditor.progress.found:
        notes.print(
            "No registry was found. Azure leaves out what you may not read: Reader on a subscription suffices.",
            highlight=False,
        )
    return NOT_LOOKED if missed else status


async def _yardstick(options: argparse.Namespace, auditor: Auditor, notes: Console) -> Yardstick:
    file = policy_file(options)
    if file is not None:
        notes.print(f"By the policy {file}.", style="dim", highlight=False, markup=False)
        return by_file(file, options.subscription)
    subscriptions = tuple(options.subscription) or await auditor.subscriptions()
    if not subscriptions:
        raise MissingPermission("Your sign-in sees no subscription. Run `az login`, with --tenant if you have several.")
    told = "1 subscription" if len(subscriptions) == 1 else f"{len(subscriptions)} subscriptions"
    notes.print(f"Without a policy, in {told}: what is open, not what would be changed.", style="dim", highlight=False)
    return without_file(subscriptions)


def policy_file(options: argparse.Namespace) -> Path | None:
    """The policy to look by; None for none."""
    if options.no_policy:
        return None
    return options.policy or (USUAL_POLICY if USUAL_POLICY.exists() else None)


def write(text: str, file: Path | None) -> None:
    """Write *text* as it is: a table keeps its line ends on every system."""
    if file is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        with file.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)


async def run(options: argparse.Namespace) -> int:
    """Audit with the sign-in of this machine; says why where that is impossible."""
    notes = Console(stderr=True)
    cloud = CLOUDS[options.cloud]
    origin = Origin(
        version=VERSION,
        filters={"subscription": ",".join(options.subscription)} if options.subscription else {},
        findings_page=options.findings_page,
        resource_manager=cloud.resource_manager,
    )
    colours = options.output is None and sys.stdout.isatty()
    rendering = (
        TableRendering(origin, colours=colours)
        if options.format == "table"
        else FORMS[options.format].rendering(origin)
    )
    bar = Progress(
        TextColumn("looking at registries"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=notes, transient=True, disable=not notes.is_terminal,
    )  # fmt: skip
    task = bar.add_task("look", total=None)

    def told(looked: Looked) -> None:
        bar.update(task, total=looked.found, completed=looked.looked)

    try:
        auditor = Auditor(
            credential=DeveloperCredential(cloud),
            cloud=cloud,
            transport=create_transport(options.arm_ca),
            endpoint=options.arm_endpoint.rstrip("/"),
            told=told,
        )
        async with auditor:
            with bar:
                return await audit(options, auditor, rendering, notes)
    except RegistryIsolationError as error:
        notes.print(f"Could not look: {error.sentence}", style="bold red", highlight=False, markup=False)
        return NOT_LOOKED
    except OSError as error:
        notes.print(f"Could not write: {error}", style="bold red", highlight=False, markup=False)
        return NOT_LOOKED


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    return asyncio.run(run(parse_arguments(arguments)))
