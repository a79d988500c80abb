"""A report's forms: the same findings in each, and nothing that anybody wrote into Azure can do harm in any."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from shared.core.findings import CATALOGUE
from shared.core.legible import legible
from shared.core.posture import Posture
from shared.core.report_forms import FORMS
from shared.core.reports import Ending, Origin
from shared.core.reports_csv import COLUMNS, harmless
from shared.core.reports_html import SECURITY_POLICY, STYLE
from shared.core.reports_json import PostureReport
from shared.core.reports_sarif import FINGERPRINT
from tests.core.postures import HOSTILE, ORIGIN, a_finding, a_posture, hostile
from tests.core.sarif_schema import sarif_validator
from tests.core.sarif_shape import LOG

SARIF = sarif_validator()
MANY = (a_posture(), a_posture("beta", "converged", doors=False), hostile())
WORDS = st.text(max_size=40) | st.sampled_from([HOSTILE, "=1+1", "\t=1", "a,b", 'a"b', "a\r\nb", "</style>", "{0}](x)"])


def written(
    form: str, postures: Iterable[Posture] = MANY, ending: Ending | None = None, origin: Origin = ORIGIN
) -> str:
    rendering = FORMS[form].rendering(origin)
    for posture in postures:
        rendering.add(posture)
    return rendering.finish(ending or Ending())


def sarif(*postures: Posture, **options: Any) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(written("sarif", postures or MANY, **options))
    SARIF.validate(log)
    Draft7Validator(LOG).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def table(*postures: Posture, **options: Any) -> list[dict[str, str]]:
    text = written("csv", postures or MANY, **options)
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_postures_give_the_same_text(form: str) -> None:
    assert written(form) == written(form)


@pytest.mark.parametrize("form", FORMS)
def test_a_report_knows_how_long_it_has_become(form: str) -> None:
    rendering = FORMS[form].rendering(ORIGIN)
    empty = rendering.length
    for posture in MANY:
        rendering.add(posture)

    assert empty <= len(",".join(COLUMNS)) + 2
    assert 1000 < rendering.length <= len(rendering.finish(Ending()))


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_report_is_a_report(form: str) -> None:
    assert written(form, ())


@pytest.mark.parametrize("form", FORMS)
def test_a_report_that_is_not_all_says_so_and_where_the_rest_begins(form: str) -> None:
    assert "here-goes-on" in written(form, ending=Ending(after="here-goes-on"))


@pytest.mark.parametrize("form", FORMS)
def test_what_could_not_be_looked_at_is_told(form: str) -> None:
    assert "Subscription 7 is silent" in written(form, ending=Ending(missed=("Subscription 7 is silent.",)))


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_the_document_is_of_its_own_schema_and_holds_everything() -> None:
    document = json.loads(written("json"))

    Draft202012Validator(PostureReport.model_json_schema(mode="serialization")).validate(document)
    alpha, beta, other = document["registries"]
    assert [each["name"] for each in (alpha, beta, other)] == ["alpha", "beta", "exempt-1"]
    assert [door["access"] for door in alpha["doors"]] == ["open"] * 3
    assert {found["code"] for found in alpha["findings"]} == {"public-access-open"}
    assert other["exemptions"][0]["owner"] == HOSTILE
    assert document["summary"]["registries"] == 3
    assert document["summary"]["findings"] == {"error": 3, "warning": 2, "info": 0}
    assert document["summary"]["openDoors"] == 3
    assert PostureReport.model_validate(document).registries[0].id == alpha["id"]


def test_a_registry_that_nobody_has_looked_at_counts_but_makes_no_report_older() -> None:
    looked, never = a_posture(), replace(a_posture("beta", "requested", doors=False), looked=None)
    alone, both, nobody = (json.loads(written("json", each)) for each in ([looked], [never, looked], [never]))

    assert [each["summary"]["registries"] for each in (alone, both, nobody)] == [1, 2, 1]
    dates = [[each["summary"][name] for name in ("oldestLook", "newestLook")] for each in (alone, both, nobody)]
    assert dates[0] == dates[1] != [None, None]
    assert dates[2] == [None, None]


def test_a_link_leads_to_the_published_page_or_names_the_file() -> None:
    links = [
        json.loads(written("json", origin=origin))["registries"][0]["findings"][0]["link"]
        for origin in (ORIGIN, replace(ORIGIN, findings_page=""))
    ]

    assert links == ["https://docs.example/findings/#public-access-open", "docs/findings.md#public-access-open"]


@given(st.lists(WORDS, max_size=3))
def test_whatever_a_finding_says_comes_back_from_the_document(sentences: list[str]) -> None:
    posture = a_posture(doors=False, findings=tuple(a_finding(text) for text in sentences))

    (registry,) = json.loads(written("json", [posture]))["registries"]

    assert {found["sentence"] for found in registry["findings"]} == set(sentences)


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_there_is_a_line_for_each_finding_and_one_for_a_registry_without() -> None:
    lines = table()

    assert [line["name"] for line in lines] == ["alpha", "alpha", "alpha", "beta", "exempt-1", "exempt-1"]
    assert (lines[3]["severity"], lines[3]["phase"]) == ("", "converged")
    assert lines[0]["open_doors"].split() == ["alpha", "stwesteurope0", "acralpha"]
    assert written("csv").startswith(",".join(COLUMNS) + "\r\n")


@given(st.lists(WORDS, min_size=1, max_size=3, unique=True))
def test_no_cell_of_the_table_is_a_formula_and_none_loses_its_text(sentences: list[str]) -> None:
    found = tuple(a_finding(text) for text in sentences)
    lines = table(a_posture(doors=False, findings=found, changes=tuple(sentences)))

    for line in lines:
        assert line.keys() == set(COLUMNS)
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert {harmless(text) for text in sentences} <= {line["sentence"] for line in lines}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_begins_a_formula_gets_an_apostrophe(start: str) -> None:
    assert harmless(f"{start}1") == f"'{start}1"
    assert harmless(f"a{start}1") == f"a{start}1"


@pytest.mark.parametrize("before", [" ", "\x00", "\ufeff", "\u200b", "\xa0", "\u3000 \x0b"])
def test_what_a_spreadsheet_drops_hides_no_formula(before: str) -> None:
    assert harmless(f"{before}=1") == f"'{before}=1"
    assert harmless(f"{before}1") == f"{before}1"


@pytest.mark.parametrize("split", [";", "\t", "\n", "\r"])
def test_a_cell_that_another_reader_splits_holds_no_formula_either(split: str) -> None:
    assert harmless(f"one{split} =1{split}two") == f"one{split}' =1{split}two"


# --- SARIF ------------------------------------------------------------------------------------------------------------


def test_every_finding_is_a_result_of_its_rule_at_its_resource() -> None:
    run = sarif()

    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    first = run["results"][0]
    place = first["locations"][0]
    assert first["level"] == "error"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == MANY[0].findings[0].finding.resource.text  # type: ignore[union-attr]
    assert (
        "/" + place["physicalLocation"]["artifactLocation"]["uri"] == place["logicalLocations"][0]["fullyQualifiedName"]
    )
    assert rules[0]["helpUri"] == f"https://docs.example/findings/#{rules[0]['id']}"


def test_a_result_is_recognised_in_the_next_report_and_no_two_are_the_same() -> None:
    first, second = sarif(), sarif()

    prints = [result["partialFingerprints"][FINGERPRINT] for result in first["results"]]
    assert prints == [result["partialFingerprints"][FINGERPRINT] for result in second["results"]]
    assert len(set(prints)) == len(prints) == 5


def test_the_invocation_spans_the_looks_and_fails_when_something_could_not_be_looked_at() -> None:
    (whole,) = sarif()["invocations"]
    (torn,) = sarif(ending=Ending(missed=("No answer.",)))["invocations"]

    assert (whole["executionSuccessful"], torn["executionSuccessful"]) == (True, False)
    assert whole["startTimeUtc"] <= whole["endTimeUtc"]
    assert torn["toolExecutionNotifications"][0]["message"]["text"] == "No answer."


def test_without_a_published_page_there_is_no_help_address_but_a_help_text() -> None:
    run = sarif(origin=replace(ORIGIN, findings_page=""))

    assert all("helpUri" not in rule and rule["help"]["text"] for rule in run["tool"]["driver"]["rules"])


def test_a_finding_of_another_version_needs_no_rule() -> None:
    strange = replace(a_finding("x"), code="made-up-later")

    (result,) = sarif(a_posture(doors=False, findings=(strange,)))["results"]

    assert (result["ruleId"], "ruleIndex" in result) == ("made-up-later", False)


@given(WORDS.filter(bool))
def test_no_message_holds_a_link_or_a_placeholder(sentence: str) -> None:
    (result,) = sarif(a_posture(doors=False, findings=(a_finding(sentence),)))["results"]

    text = result["message"]["text"].replace("\\[", "").replace("\\]", "").replace("{{", "").replace("}}", "")
    assert "](" not in text
    assert "{0}" not in text


# --- HTML -------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said += data


PLAIN = Page(written("html", [a_posture(findings=(a_finding("x"),)), a_posture("exempt-1", doors=False)]))


def test_the_page_says_everything_and_links_to_what_findings_mean() -> None:
    page = Page(written("html"))

    assert all(
        name in page.said for name in ("alpha", "beta", "exempt-1", "public-access-open", "Exempt until 2027-01-31")
    )
    assert ("href", "https://docs.example/findings/#public-access-open") in page.attributes


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    assert PLAIN.tags.isdisjoint({"script", "link", "img", "iframe", "form", "object", "base"})
    assert not [name for name, _ in PLAIN.attributes if name.startswith("on") or name in {"src", "style"}]
    assert "default-src 'none'" in SECURITY_POLICY
    assert ("content", SECURITY_POLICY) in PLAIN.attributes
    assert "url(" not in STYLE
    assert "prefers-color-scheme" in STYLE
    assert "@media print" in STYLE


@given(WORDS)
def test_nothing_that_anybody_wrote_becomes_markup(text: str) -> None:
    posture = a_posture(doors=False, findings=(a_finding(text),), changes=(text,))
    page = Page(written("html", [posture], ending=Ending(missed=(text,), after=text)))

    assert page.tags <= PLAIN.tags | {"p", "ul", "li"}
    assert {name for name, _ in page.attributes} <= {name for name, _ in PLAIN.attributes}
    assert legible(text).strip() in page.said.replace("\r\n", "\n") or "\r" in text


@pytest.mark.parametrize("spoilt", [{"version": "2.0.0"}, {"runs": [{}]}, {"findings": []}])
def test_the_schema_of_sarif_refuses_what_is_no_sarif(spoilt: dict[str, Any]) -> None:
    log = json.loads(written("sarif"))

    assert SARIF.is_valid(log)
    assert not SARIF.is_valid(log | spoilt)
