"""
`python -m local doctor` (`make doctor`): is everything there that the policy needs of Azure, and if not, what to run.

The same looks as `GET /api/health?deep=1`, asked with your own sign-in before anything is deployed; the app's own storage is
left out. Reads only. Exit status: 0 nothing is missing, 1 something is, 2 something could not be looked at.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.developer import DeveloperCredential, add_cloud
from local.memory import MemoryLedger
from local.read_only import ReadOnlyTransport
from shared.cloud.arm_client import ArmClient
from shared.cloud.arm_policies import create_transport
from shared.cloud.clock import SystemClock
from shared.cloud.control_plane import ArmControlPlane
from shared.cloud.credentials import create_credential
from shared.cloud.surroundings import ArmSurroundings
from shared.core.clouds import CLOUDS
from shared.core.diagnosis import Diagnosis, Verdict, worst
from shared.core.errors import RegistryIsolationError
from shared.core.legible import legible
from shared.core.policy import IsolationPolicy
from shared.engine.doctor import Doctor, Patient
from shared.policy_file import load_policy

SOUND, MISSING, NOT_LOOKED = 0, 1, 2
USUAL_POLICY = Path("policy.yaml")
PUBLIC = "AzureCloud"
_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red", Verdict.UNKNOWN: "magenta"}
_NOT_HERE = ("state-", "outcomes")
"""Looks that need the app's own storage, of which a developer's machine knows nothing."""
_TELL = "make doctor ARGS='--principal <object id of the identity>'"
"""Where nobody said who the app is."""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Understand the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m local doctor",
        description="Look, with your own `az login` and read-only, whether everything is there that the policy needs of Azure.",
        epilog="Exit status: 0 nothing is missing, 1 something is, 2 something could not be looked at.",
    )
    parser.add_argument("--policy", type=Path, default=USUAL_POLICY, help=f"policy file; default: {USUAL_POLICY}")
    parser.add_argument("--principal", default="", metavar="ID", help="object id of the app's identity")
    parser.add_argument(
        "--app", default="", metavar="ID", help="resource id of the function app that events shall reach"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    add_cloud(parser)
    simulated = parser.add_argument_group("a simulated Azure, with the IDENTITY_… variables of its identity endpoint")
    simulated.add_argument("--arm-endpoint", default="", metavar="ADDRESS", help="its Resource Manager")
    simulated.add_argument("--arm-ca", default="", metavar="FILE", help="certificate authority that signed it")
    return parser.parse_args(arguments)


async def examine(options: argparse.Namespace, policy: IsolationPolicy, arm: ArmClient) -> tuple[Diagnosis, ...]:
    """Everything that can be looked at from here."""
    zones = CLOUDS[options.cloud].zones
    patient = Patient(policy=policy, zone_table=zones, principal=options.principal, app=options.app)
    plane = ArmControlPlane(arm=arm, now=SystemClock().now)
    found = await Doctor(patient, ArmSurroundings(arm, None, ""), plane, MemoryLedger()).examine()
    told = (each for each in found if not each.check.startswith(_NOT_HERE))
    if options.principal:
        return tuple(told)
    return tuple(replace(each, fix=_TELL) if each.check == "deny-assignment" and each.fix else each for each in told)


async def run(options: argparse.Namespace, policy: IsolationPolicy) -> tuple[Diagnosis, ...]:
    """Examine with the sign-in of this machine."""
    cloud = CLOUDS[options.cloud]
    credential: Any = (
        create_credential(cloud, ca_file=options.arm_ca) if options.arm_endpoint else DeveloperCredential(cloud)
    )
    transport = ReadOnlyTransport(create_transport(options.arm_ca))
    try:
        arm = ArmClient(credential=credential, cloud=cloud, transport=transport, endpoint=options.arm_endpoint)
        return await examine(options, policy, arm)
    finally:
        await transport.close()
        await credential.close()


def status_of(found: Sequence[Diagnosis]) -> int:
    """The exit status; a warning is no reason to stop a pipeline."""
    return {Verdict.FAIL: MISSING, Verdict.UNKNOWN: NOT_LOOKED}.get(worst(found), SOUND)


def show(found: Sequence[Diagnosis], console: Console, cloud: str = PUBLIC) -> None:
    """A table, and below it the commands, whole lines for copying; for another cloud, the one that turns `az` to it."""
    table = Table(pad_edge=False)
    for name in ("", "Check", "What"):
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(
            Text(each.verdict.value, style=_STYLES[each.verdict]), Text(each.check), Text(_plain(each.sentence))
        )
    console.print(table)
    fixes = dict.fromkeys(_plain(each.fix) for each in found if each.fix)
    if fixes:
        console.print("\nTo put it right:\n")
    for fix in (*([f"az cloud set --name {cloud}"] if fixes and cloud != PUBLIC else ()), *fixes):
        console.print(f"  {fix}", markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str], console: Console | None = None) -> int:
    """The command."""
    options = parse_arguments(arguments)
    try:
        found = asyncio.run(run(options, load_policy(options.policy)))
    except RegistryIsolationError as error:
        print(error.sentence, file=sys.stderr)
        return NOT_LOOKED
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        show(found, console or Console(), options.cloud)
    return status_of(found)


def _plain(text: str) -> str:
    """Names come from Azure: nothing in them may move the terminal's cursor, or be there unseen."""
    return "".join(each if each.isprintable() else "?" for each in legible(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
