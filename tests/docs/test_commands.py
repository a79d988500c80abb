"""No page shows a command that nobody has tried: each is run, or checked as far as it can be where a reason says why not."""

import re

import pytest

from local.azurite import REPOSITORY
from tests.docs.commands import PAGES, Command, Fate, all_commands, commands_of

COMMANDS = all_commands()
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PARAMETERS = set(re.findall(r"\$\{(AZURE_\w+)", (REPOSITORY / "infra" / "main.parameters.json").read_text()))


def shown(command: Command) -> str:
    return f"{command.page}: {command.text.splitlines()[0][:60]}"


def test_there_are_commands_of_every_fate() -> None:
    assert {command.fate for command in COMMANDS} == set(Fate)
    assert len(COMMANDS) > 60


@pytest.mark.parametrize("command", COMMANDS, ids=shown)
def test_somebody_has_thought_of_the_command(command: Command) -> None:
    assert command.fate is not None, f"add a line to tests/docs/commands.py for {command.text!r}"


def test_every_target_of_make_that_a_page_names_is_there() -> None:
    said = re.compile(r"(?:`|^|^    |^\$ )make ([a-z-]+)", re.MULTILINE)
    named = {(page.name, target) for page in PAGES for target in said.findall(page.read_text(encoding="utf-8"))}

    assert {target for _, target in named} >= {"demo", "up", "audit", "test"}
    assert {each for each in named if each[1] not in TARGETS} == set()


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.fate is Fate.NEEDS_AZURE], ids=shown)
def test_a_command_for_azure_names_files_and_parameters_that_are_there(command: Command) -> None:
    for file in re.findall(r"(?:--template-file|--role-definition) (\S+)", command.text):
        assert (REPOSITORY / file).is_file()
    for name in re.findall(r"azd env set (\w+)", command.text):
        assert name in PARAMETERS or name in (REPOSITORY / "docs" / "deploying.md").read_text()
    if "infra/subscription.bicep" in command.text:
        declared = re.findall(r"^param (\w+) ", (REPOSITORY / "infra" / "subscription.bicep").read_text(), re.MULTILINE)
        given = re.findall(r"(?:^|\s)(\w+)=", command.text.partition("--parameters")[2])
        assert given
        assert set(given) <= set(declared)


def test_every_program_that_a_page_names_is_there() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"python -m ((?:bench|local|handlers)\b(?:\.\w+)*)", page.read_text(encoding="utf-8"))
    }
    paths = {name: REPOSITORY / name.replace(".", "/") for name in named}

    assert {"bench.dashboard", "local"} <= named
    assert {
        name
        for name, path in paths.items()
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file()
    } == set()


MEASURED = re.compile(r"\b(?:took|measured)\b[^.]*\d[\d.,]* ?(?:ms|s|kB|MB|seconds|milliseconds)\b")


def test_a_measured_number_stands_where_the_command_that_prints_it_is_named() -> None:
    """docs/bench.md names its commands at the top of sections, measured.md is what they print; elsewhere the paragraph does."""
    measured = [
        (page.name, paragraph)
        for page in PAGES
        if page.name not in {"bench.md", "measured.md"}
        for paragraph in page.read_text(encoding="utf-8").split("\n\n")
        if MEASURED.search(paragraph)
    ]

    assert "dashboard.md" in {name for name, _ in measured}
    assert [
        each for each in measured if not re.search(r"(?:make|python -m) (?:bench|local|campaign|crash)", each[1])
    ] == []


@pytest.mark.parametrize(
    ("block", "commands"),
    [
        ("$ make demo\n$ make up\n", ["make demo", "make up"]),
        ("make demo   # a comment\n\nmake up\n", ["make demo", "make up"]),
        ("az x \\\n  --y z\naz w\n", ["az x \\\n  --y z", "az w"]),
        ("curl -d '{\n \"a\": 1}' x\n", ["curl -d '{\n \"a\": 1}' x"]),
    ],
)
def test_a_block_is_cut_into_commands(block: str, commands: list[str]) -> None:
    assert list(commands_of(block)) == commands
