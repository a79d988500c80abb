"""The reference pages say everything there is: each policy key, each finding, each reason to be blocked."""

import re
import string
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from shared.core.arm import ResourceId
from shared.core.errors import Fate, RegistryIsolationError
from shared.core.findings import CATALOGUE, finding
from shared.core.policy import IsolationPolicy

SUBSCRIPTION = "6d3f0000-0000-4000-8000-000000000001"
ROOT = Path(__file__).parents[2]
POLICY = (ROOT / "docs" / "policy.md").read_text()
FINDINGS = (ROOT / "docs" / "findings.md").read_text()
SOURCES = {
    file: file.read_text() for room in ("core", "engine") for file in sorted((ROOT / "shared" / room).glob("*.py"))
}


def keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield before + name
        for part in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from keys(part, f"{before}{name}.")


def sections(page: str, level: str) -> dict[str, str]:
    """Heading to text of the sections of one level."""
    found = re.split(rf"^{level} (.+)$", page, flags=re.MULTILINE)
    return {
        title.strip("`"): re.split(r"^#", text, flags=re.MULTILINE)[0]
        for title, text in zip(found[1::2], found[2::2], strict=True)
    }


def test_every_policy_key_has_a_section_and_every_section_a_key() -> None:
    assert sorted(sections(POLICY, "###")) == sorted(keys(IsolationPolicy))


@pytest.mark.parametrize("key", sorted(keys(IsolationPolicy)))
def test_every_section_says_something(key: str) -> None:
    assert len(sections(POLICY, "###")[key].split()) >= 5


def is_leaf(key: str) -> bool:
    return not any(other.startswith(f"{key}.") for other in keys(IsolationPolicy))


@pytest.mark.parametrize("key", sorted(key for key in keys(IsolationPolicy) if is_leaf(key)))
def test_the_section_of_a_key_that_holds_a_value_gives_an_example_and_says_what_it_does(key: str) -> None:
    text = sections(POLICY, "###")[key]
    example = re.search(rf"`{key.rpartition('.')[2]}: [^`]+`", text)

    assert example is not None, "an example of the key with a value"
    assert len(text.replace(example[0], "").split()) >= 5


def whole_ids(block: str) -> str:
    """*block* with everything that its ids leave out."""
    providers = {
        "virtualNetworks": "/resourceGroups/rg/providers/Microsoft.Network/",
        "networkSecurityGroups": "/resourceGroups/rg/providers/Microsoft.Network/",
        "workspaces": "/resourceGroups/rg/providers/Microsoft.MachineLearningServices/",
    }

    def whole(found: re.Match[str]) -> str:
        return f"/subscriptions/{SUBSCRIPTION}{providers.get(found[1], '/')}{found[1]}/"

    return re.sub(r"/subscriptions/…/(\w+)/", whole, block).replace("6d3f…", SUBSCRIPTION)


def test_the_examples_of_the_sections_are_a_policy() -> None:
    document: dict[str, Any] = {"version": 1, "mode": "audit"}
    for block in re.findall(r"(?:^    .*\n)+", POLICY, flags=re.MULTILINE):
        document |= yaml.safe_load(whole_ids(block))

    policy = IsolationPolicy.from_document(document)

    assert sorted(document) == sorted(set(IsolationPolicy.model_fields) - {"limits"})
    assert policy.networks[0].name == "hub-weu"


def test_every_finding_has_a_section_and_every_section_a_finding() -> None:
    assert sorted(sections(FINDINGS, "###")) == sorted(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_section_gives_the_severity_of_its_finding(code: str) -> None:
    assert sections(FINDINGS, "###")[code].strip().startswith(f"*{CATALOGUE[code].severity.value}.*")


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_finding_is_filled_and_links_to_its_section(code: str) -> None:
    names = [name for _, name, _, _ in string.Formatter().parse(CATALOGUE[code].template) if name]
    resource = ResourceId.parse(f"/subscriptions/{'1' * 8}-2222-4333-8444-555555555555/resourceGroups/rg")

    made = finding(code, resource, **{name: f"<{name}>" for name in names})

    assert all(f"<{name}>" in made.sentence for name in names)
    assert made.link == f"docs/findings.md#{code}"
    assert (made.code, made.severity, made.resource) == (code, CATALOGUE[code].severity, resource)


def test_every_code_in_the_sources_is_in_the_catalogue_and_every_line_of_the_catalogue_is_used() -> None:
    literals = {
        literal
        for file, text in SOURCES.items()
        if file.name != "findings.py"
        for literal in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)
    }
    spelled = {code for text in SOURCES.values() for code in re.findall(r'(?:finding\(\s*|code=)"([a-z-]+)"', text)}

    assert spelled <= set(CATALOGUE)
    assert set(CATALOGUE) <= literals


def leaves(error: type[RegistryIsolationError]) -> Iterator[type[RegistryIsolationError]]:
    for leaf in error.__subclasses__():
        yield leaf
        yield from leaves(leaf)


def test_every_error_that_needs_a_person_is_explained() -> None:
    names = {leaf.__name__ for leaf in leaves(RegistryIsolationError) if leaf.fate is Fate.BLOCKED} - {"Blocked"}

    assert {name for name in names if f"`{name}`" not in FINDINGS} == set()


SAID = (
    r'Reason\(\s*name="(\w+)"',
    r'\.(?:wait|block)\(\s*"(\w+)"',
    r'_(?:again|waiting)\([^"]*"([A-Z]\w+)"',
    r'_stuck\("(\w+)"',
)
"""How the sources spell the name of a reason."""


def test_every_reason_to_wait_or_to_be_blocked_is_explained() -> None:
    names = {name for text in SOURCES.values() for pattern in SAID for name in re.findall(pattern, text)}

    assert {"ZoneMissing", "ApprovalPending", "GracePeriod", "ChangesDone", "EgressGroupUnreadable"} <= names
    assert {name for name in names - {"Exempt", "Paused"} if f"`{name}`" not in FINDINGS} == set()


def test_links_inside_the_pages_lead_somewhere() -> None:
    pages = [
        ROOT / "docs" / "policy.md",
        ROOT / "docs" / "findings.md",
        *sorted((ROOT / "docs" / "rules").glob("*.md")),
    ]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]

    assert broken == []
