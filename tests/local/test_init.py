"""A first policy from flags or questions: valid by the product's own rules, explained in place, and never overwritten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from local.__main__ import main as command
from local.init import DONE, NOT_WRITTEN, Ask, parse_arguments, run
from local.init_answers import Answers
from local.init_text import policy_text
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Network
from shared.policy_file import load_policy, read_policy
from tests.core.worlds import SUB, group_id, subnet_id

SUBNET = subnet_id().text
WORKSPACE = f"{group_id('rg-ml').text}/providers/Microsoft.MachineLearningServices/workspaces/ws-fraud"
EXAMPLE = Path(__file__).parents[2] / "policy.example.yaml"


class Person:
    """Somebody at a terminal who has prepared their answers."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.asked: list[str] = []
        self.heard: list[str] = []

    def ask(self, question: str) -> str:
        self.asked.append(question)
        try:
            return next(self._answers)
        except StopIteration:
            raise EOFError from None


def init(file: Path, *arguments: str, person: Person | None = None) -> tuple[int, str]:
    """Exit status, and everything that was said."""
    heard: list[str] = []
    ask: Ask | None = person.ask if person else None
    status = run(parse_arguments([*arguments, "--output", str(file)]), ask, heard.append)
    return status, "\n".join(heard)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


# --- flags ------------------------------------------------------------------------------------------------------------


def test_a_subnet_is_enough(file: Path) -> None:
    status, told = init(file, "--subnet", SUBNET)

    policy = load_policy(file)
    (network,) = policy.networks
    assert status == DONE
    assert (policy.mode, policy.scope.subscriptions) == ("audit", (SUB,))
    assert (network.subnet, network.dns.zones_resource_group) == (subnet_id(), subnet_id().group)
    assert "make audit" in told


def test_every_flag_finds_its_place(file: Path) -> None:
    other = "99999999-9999-4999-8999-999999999999"

    init(
        file,
        *("--subnet", SUBNET, "--zones-resource-group", "rg-zones", "--endpoints-resource-group", "rg-endpoints"),
        *("--subscription", SUB, "--subscription", other, "--workspace", WORKSPACE, "--enforce"),
        *("--registries", "ml-*", "--exclude", "ml-scratch-*"),
    )

    policy = load_policy(file)
    assert policy.mode == "enforce"
    assert policy.scope.subscriptions == (SUB, other)
    assert policy.scope.registries.include == ("ml-*",)
    assert policy.scope.registries.exclude == ("ml-scratch-*",)
    assert policy.networks[0].dns.zones_resource_group == group_id("rg-zones")
    assert policy.networks[0].endpoints_group == group_id("rg-endpoints")
    assert [workspace.text for workspace in policy.sharing[0].workspaces] == [WORKSPACE]


def test_names_can_be_left_to_somebody_else(file: Path) -> None:
    init(file, "--subnet", SUBNET, "--zones-resource-group", "none")

    assert load_policy(file).networks[0].dns.manage is False


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--subnet is needed"),
        (("--subnet", "endpoints"), "--subnet: "),
        (("--subnet", group_id("x").text), "--subnet: is the id of a Microsoft.Resources/resourceGroups"),
        (("--subnet", SUBNET, "--subscription", "mine"), "--subscription: 'mine' is not a subscription id"),
        (("--subnet", SUBNET, "--workspace", SUBNET), "--workspace: is the id of a"),
        (("--subnet", SUBNET, "--zones-resource-group", "/x"), "--zones-resource-group: "),
        (("--subnet", SUBNET, "--registries", "a b"), "--registries: 'a b' is not a pattern"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_flag_and_nothing_is_written(
    file: Path, arguments: tuple[str, ...], told: str
) -> None:
    status, said = init(file, *arguments)

    assert status == NOT_WRITTEN
    assert told in said
    assert not file.exists()


def test_a_file_that_is_there_is_left_alone_unless_forced(file: Path) -> None:
    file.write_text("mine")

    refused = init(file, "--subnet", SUBNET)

    assert refused == (NOT_WRITTEN, f"{file} is there already; --force overwrites it.")
    assert file.read_text() == "mine"
    assert init(file, "--subnet", SUBNET, "--force")[0] == DONE
    assert load_policy(file).mode == "audit"
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    status, told = init(tmp_path / "no" / "policy.yaml", "--subnet", SUBNET)

    assert status == NOT_WRITTEN
    assert "cannot be written: No such file or directory" in told


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_for_what_no_flag_says(file: Path) -> None:
    person = Person(SUBNET, "", "rg-zones", WORKSPACE)

    status, _ = init(file, person=person)

    policy = load_policy(file)
    assert status == DONE
    assert len(person.asked) == 4
    assert policy.scope.subscriptions == (SUB,)
    assert policy.networks[0].dns.zones_resource_group == group_id("rg-zones")
    assert [workspace.text for workspace in policy.sharing[0].workspaces] == [WORKSPACE]


def test_a_wrong_answer_is_explained_and_asked_for_again(file: Path) -> None:
    person = Person("endpoints", SUBNET, "mine", SUB, "/nonsense", "none", "x", "")

    status, told = init(file, person=person)

    assert status == DONE
    assert [line.split(":")[0] for line in told.splitlines()[:4]] == [
        "--subnet",
        "--subscription",
        "--zones-resource-group",
        "--workspace",
    ]
    assert load_policy(file).networks[0].dns.manage is False


def test_what_a_flag_says_is_not_asked(file: Path) -> None:
    person = Person()

    init(
        file,
        *("--subnet", SUBNET, "--subscription", SUB, "--zones-resource-group", "rg", "--workspace", WORKSPACE),
        person=person,
    )

    assert person.asked == []
    assert file.exists()


def test_nobody_who_answers_writes_nothing(file: Path) -> None:
    assert init(file, person=Person(SUBNET)) == (NOT_WRITTEN, "Nobody answered; nothing was written.")
    assert not file.exists()


# --- the text ---------------------------------------------------------------------------------------------------------


def test_every_key_that_is_written_is_explained_with_the_models_own_words(file: Path) -> None:
    init(file, "--subnet", SUBNET, "--workspace", WORKSPACE)

    said = " ".join(line.strip("# ") for line in file.read_text().splitlines() if line.lstrip().startswith("#"))
    for model, keys in (
        (IsolationPolicy, ("mode", "scope", "networks", "sharing")),
        (Network, ("name", "subnet", "dns")),
    ):
        for key in keys:
            assert " ".join(str(model.model_fields[key].description).split()) in said
    assert "limits: Brakes." in said


def test_the_longest_policy_that_can_be_written_says_what_it_was_made_of() -> None:
    document: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())

    assert read_policy(policy_text(document)) == load_policy(EXAMPLE)


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", fullmatch=True)
PATTERNS = st.lists(
    st.from_regex(r"[A-Za-z0-9*?][A-Za-z0-9*?_-]{0,20}", fullmatch=True), max_size=3, unique_by=str.lower
)


@settings(max_examples=60)
@given(
    network=NAMES,
    zones=st.none() | NAMES,
    include=PATTERNS,
    exclude=PATTERNS,
    mode=st.sampled_from(["audit", "enforce"]),
)
def test_whatever_is_answered_the_text_is_the_policy(
    network: str, zones: str | None, include: list[str], exclude: list[str], mode: str
) -> None:
    subnet = ResourceId.parse(f"{group_id('rg').text}/providers/Microsoft.Network/virtualNetworks/{network}/subnets/x")
    answers = Answers(
        subscriptions=(SUB,),
        subnet=subnet,
        zones=group_id(zones) if zones else None,
        include=tuple(include),
        exclude=tuple(exclude),
        mode=mode,
    )

    document = answers.document()

    assert read_policy(policy_text(document)) == IsolationPolicy.from_document(document)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_runs_what_its_first_argument_names(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["init", "--subnet", SUBNET, "--output", str(file)]) == DONE
    assert "Wrote" in capsys.readouterr().err
    assert load_policy(file).mode == "audit"


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["dance"], 2), ([], 2)])
def test_the_command_tells_what_there_is(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(arguments) == status
    told = capsys.readouterr()
    assert "audit" in told.out + told.err
