import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import InvalidPolicy
from shared.core.policy import IsolationPolicy
from shared.core.policy_schema import schema_text
from shared.policy_file import MOST_BYTES, load_policy, read_policy

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "policy.example.yaml"
SCHEMA = ROOT / "docs" / "policy.schema.json"
HEAD = "version: 1\nmode: audit\nscope: {subscriptions: [11111111-2222-4333-8444-555555555555]}\n"
OFF = "targets: {registry: {endpoint: false}, storage: {endpoint: false}, acr: {endpoint: false}}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidPolicy) as refused:
        read_policy(text)
    return list(refused.value.problems)


def as_json(text: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_example_is_a_policy_that_only_audits() -> None:
    assert load_policy(EXAMPLE).mode == "audit"


def test_the_example_shows_every_key() -> None:
    document = yaml.safe_load(EXAMPLE.read_text("utf-8"))

    assert document.keys() == IsolationPolicy.model_fields.keys()
    for name in ("targets", "lockdown", "deletion", "limits"):
        section = getattr(load_policy(EXAMPLE), name)
        assert document[name].keys() == type(section).model_fields.keys()


def test_the_schema_in_docs_is_the_models_own() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text(), (
        "run: python -m shared.core.policy_schema > docs/policy.schema.json"
    )


def test_the_schema_accepts_the_example_and_refuses_a_wrong_key() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    example = as_json(EXAMPLE.read_text("utf-8"))

    jsonschema.Draft202012Validator.check_schema(validator.schema)
    assert list(validator.iter_errors(example)) == []
    assert list(validator.iter_errors(example | {"netwroks": []}))
    assert list(validator.iter_errors(example | {"mode": "on"}))


def test_every_key_of_the_schema_is_described() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))

    bare = [
        f"{name}.{key}"
        for name, section in [("policy", schema), *schema["$defs"].items()]
        for key, value in section.get("properties", {}).items()
        if not (value.get("description") or "$ref" in value)  # what is referred to carries the text
    ]
    assert bare == []


def test_json_is_read_as_well() -> None:
    assert read_policy(json.dumps(as_json(HEAD + OFF))) == read_policy(HEAD + OFF)


def test_problems_name_their_lines_and_columns() -> None:
    assert problems(HEAD + "networks:\n  - name: a\n    subnets: x\nlimits:\n  changes_per_registry: 0\n") == [
        "line 5, column 5: networks[0].subnet: is needed",
        "line 5, column 5: networks[0].dns: is needed",
        "line 6, column 5: networks[0].subnets: is not a known key; did you mean subnet?",
        "line 8, column 3: limits.changes_per_registry: input should be greater than 0",
    ]


def test_a_key_given_twice_is_refused_wherever_it_is() -> None:
    assert problems(HEAD + OFF + "mode: enforce\nlimits: {changes_per_registry: 1, changes_per_registry: 2}\n") == [
        "line 5, column 1: mode is given twice, first on line 2",
        "line 6, column 35: changes_per_registry is given twice, first on line 6",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- a\n", "holds a list"),
        ("a: [\n", "line 2, column 1: "),
        ("a: b: c\n", "line 1, column 5: mapping values are not allowed here"),
        ("a: 1\n--- \nb: 2\n", "line 2, column 1: but found another document"),
        ("\tversion: 1\n", "line 1, column 1: "),
        ("version: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("version: \x07\n", "not YAML"),
        ("? [a, b]\n: 1\n", "line 1, column 3: "),
        ("a: 2027-99-99\n", "line 1, column 4: found what is no timestamp: month must be in 1..12"),
        ("version: !!timestamp x\n", "line 1, column 10: found what is no timestamp"),
        ("version: !!bool x\n", "line 1, column 10: found what is no bool"),
        ("version: !!int ''\n", "line 1, column 10: found what is no int"),
        ("? !!int a\n: 1\n", "line 1, column 3: found what is no int"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_a_text_that_is_no_policy_is_refused_with_the_place(text: str, told: str) -> None:
    assert told in problems(text)[0]


def test_an_alias_that_grows_without_end_stays_small() -> None:
    levels = "".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]\n" for level in range(1, 60))

    assert len(problems(HEAD + OFF + "l0: &l0 [x]\n" + levels)) == 60


def test_an_alias_to_itself_is_refused() -> None:
    assert "exemptions[0]" in problems(HEAD + OFF + "exemptions: &a [*a]\n")[0]


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>'\"#\n ", max_size=60))
def test_whatever_the_file_holds_the_answer_is_a_policy_or_its_problems(text: str) -> None:
    assert problems(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, huge, binary = tmp_path / "no.yaml", tmp_path / "huge.yaml", tmp_path / "binary.yaml"
    huge.write_text("#" * (MOST_BYTES + 1))
    binary.write_bytes(b"version: \xff\n")

    for file, told in (
        (missing, "No such file"),
        (tmp_path, "Is a directory"),
        (huge, "larger than"),
        (binary, "byte 9"),
    ):
        with pytest.raises(InvalidPolicy, match=told) as refused:
            load_policy(file)
        assert str(file) in refused.value.sentence


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(HEAD + OFF, "utf-8-sig")

    assert load_policy(file).mode == "audit"
