"""A storm is what it says: so many events, one in twenty about a registry, in bursts, each twice; and it tells of double work."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rows import ReferenceFailed, Row, Verdict
from bench.several_hosts import SeveralHosts
from bench.sizes import Storms
from bench.storm import Storm, deliveries, section
from local.crash import worlds
from local.simulator import scenery
from local.stage_scene import APP_PRINCIPAL

NAMES = ["models-a", "models-b", "models-c"]


@given(events=st.integers(1, 3000), seed=st.integers(0, 99))
def test_one_event_in_twenty_is_about_a_registry(events: int, seed: int) -> None:
    sent = [event for batch in deliveries(events, NAMES, seed) for event in batch]
    assert len(sent) == events
    assert sum(is_relevant(event) for event in sent) == round(events / 20)


def test_relevant_events_come_in_bursts_of_equal_ones() -> None:
    about = Counter(str(event) for batch in deliveries(4000, NAMES) for event in batch if is_relevant(event))
    assert all(count % 8 == 0 for _, count in about.most_common()[:-1])
    assert len(about) > 1


def test_the_same_seed_is_the_same_storm() -> None:
    assert list(deliveries(500, NAMES)) == list(deliveries(500, NAMES))


def is_relevant(event: object) -> bool:
    return "/registries/" in str(event)


@pytest.mark.parametrize(("path", "found"), [("zone", 0), ("endpoint", 1)])
def test_a_second_write_is_told_unless_all_registries_share_it(tmp_path: Path, path: str, found: int) -> None:
    several = SeveralHosts(tmp_path, 2)
    azure = several.azure = worlds.build(worlds.Scenery(webhook="", header="x", scale=0.01))
    scope = (
        f"/subscriptions/{next(iter(azure.subscriptions.values()))}/resourceGroups/rg-dns/providers/Microsoft.Network"
    )
    written = {
        "zone": f"{scope}/privateDnsZones/privatelink.api.azureml.ms",
        "endpoint": f"{scope}/privateEndpoints/pe",
    }
    for _ in range(2):
        write_as_the_app(several, written[path])
    assert len(several.repeated()) == found
    assert several.repeated_for_all() == 1 - found


def write_as_the_app(several: SeveralHosts, resource: str) -> None:
    azure = several.azure
    if "privateDnsZones" in resource:
        body: dict[str, object] = {"location": "global"}
        scenery.send(azure, "PUT", resource, body, api_version="2024-06-01", principal=APP_PRINCIPAL)
        scenery.rest(azure)
        return
    registry = scenery.create_registry(azure, "models-a") if not azure.world.get(resource) else None
    target = registry.id if registry else worlds.registry_id("models-a")
    network = worlds.policy()["networks"][0]["subnet"]
    connection = {"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": ["amlregistry"]}}
    body = {
        "location": "westeurope",
        "properties": {"subnet": {"id": network}, "privateLinkServiceConnections": [connection]},
    }
    scenery.send(azure, "PUT", resource, body, api_version="2024-05-01", principal=APP_PRINCIPAL)
    scenery.rest(azure)


STORM = Storm(
    hosts=2,
    events=4000,
    more=4000,
    registries=3,
    seconds=20.0,
    taken=(2100, 1950),
    passes=(30, 40),
    waits=(5.0, 6.0, 9.0),
    depth=(0, 7, 3),
    before=(78.0, 61.0),
    after=(162.0, 164.0),
    later=(166.0, 168.0),
    repeated=(),
    shared=33,
    redelivered=3,
    settled=2.0,
)


def rows(storm: Storm) -> dict[str, Row]:
    return {row.measure.strip(): row for row in section(Storms(events=4000, registries=3), [storm]).rows}


def test_a_storms_figures_are_told() -> None:
    found = rows(STORM)

    assert {name: row.ours for name, row in found.items()} == {
        "2 hosts: events taken in a second, each": "100.0",
        "registries lost": "0",
        "writes for a registry done more than once": "0",
        "writes of zones and links that all share, repeated": "33",
        "slowest registry to be isolated": "9 s",
        "deepest queue, messages hidden for later included": "7",
        "deliveries that had to be sent again": "3",
        "all work done after the last event": "2 s",
        "memory of each host before, after, later": "78, 162, 166; 61, 164, 168 MiB",
    }
    assert {row.verdict for row in found.values()} == {Verdict.MET, Verdict.INFORMATION}
    assert found["slowest registry to be isolated"].reference == "median 6 s"
    assert "4,000 more events" in found["memory of each host before, after, later"].note


def test_a_storm_of_which_an_event_was_lost_has_no_figures() -> None:
    with pytest.raises(ReferenceFailed, match="hosts took 3999 of 4000 events"):
        rows(replace(STORM, taken=(2100, 1899)))


def test_a_storm_that_was_over_before_anybody_looked_at_the_queue_has_rows_as_well() -> None:
    row = rows(replace(STORM, depth=()))["deepest queue, messages hidden for later included"]

    assert (row.ours, row.reference) == ("0", "median 0")


def test_a_registry_that_was_lost_and_a_write_that_was_done_twice_miss() -> None:
    found = rows(replace(STORM, waits=(5.0, 6.0), repeated=("pe-a again after 1.0 s",)))

    assert (found["registries lost"].ours, found["registries lost"].verdict) == ("1", Verdict.MISSED)
    twice = found["writes for a registry done more than once"]
    assert (twice.ours, twice.verdict, twice.note) == ("1", Verdict.MISSED, "pe-a again after 1.0 s")
