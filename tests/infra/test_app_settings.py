"""The deployed app is given every setting that it reads, or the default is what it should have."""

import json

from shared.dashboard_settings import EVERY_KEY
from shared.settings import Settings, setting_names
from tests.infra.bicep import INFRA, properties, read, text

LEFT = {
    "AzureWebJobsStorage": "a connection string holds a key; the services' URIs and the identity stand in for it",
    "AzureWebJobsStorage__accountName": "the URIs say the same, in every cloud",
    "ISOLATION_REGISTRY_API_VERSION": "belongs to the code, which is tested with its default",
    "ISOLATION_PASS_DEADLINE_SECONDS": "a matter of the code, not of a place where it runs",
    "ISOLATION_ARM_ENDPOINT": "a simulated Azure is refused outside development",
    "ISOLATION_ARM_CA": "the same",
    "ISOLATION_PACE": "the same",
}
SAMPLING = "logging__applicationInsights__samplingSettings__excludedTypes"
PLATFORM = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    f"AzureFunctionsJobHost__{SAMPLING}",
}
REFUSED = {"FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "ENABLE_ORYX_BUILD"}
"""Deprecated in the Flex Consumption plan (documentation of the app settings)."""
GUID = "6d3f0000-0000-4000-8000-000000000001"
VALUES = {
    "blobUri": "https://strixyz.blob.core.windows.net/",
    "queueUri": "https://strixyz.queue.core.windows.net/",
    "tableUri": "https://strixyz.table.core.windows.net/",
    "clientId": GUID,
    "principalId": GUID,
    "environment().name": "AzureCloud",
    "easyAuth ? 'true' : 'false'": "false",
    "keyNames": "",
    "findingsPage": "",
    "app.id": f"/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.Web/sites/func",
    "outcomeTopic": "https://evgt.westeurope-1.eventgrid.azure.net/api/events",
    "sweepSchedule": "0 7 * * * *",
    "readRole": "Registry.Read",
    "actRole": "Registry.Act",
    "actingKeys": "*",
}
"""What Azure, or a default of main.bicep, puts in."""


def deployed() -> dict[str, str]:
    settings = read(INFRA / "modules" / "app.bicep").resource("settings").body
    return {name: text(value) for name, value in properties(properties(settings)["properties"]).items()}


def test_every_setting_is_set_or_left_for_a_reason() -> None:
    given = set(deployed()) - PLATFORM

    assert given | LEFT.keys() == set(setting_names())
    assert given.isdisjoint(LEFT)


def test_no_setting_is_given_that_the_plan_refuses() -> None:
    assert set(deployed()).isdisjoint(REFUSED)


def test_the_app_starts_with_what_it_is_given() -> None:
    environ = {
        name: VALUES[value] if value in VALUES else value.strip("'")
        for name, value in deployed().items()
        if name not in PLATFORM
    }

    settings = Settings.from_environ(environ)

    assert settings.state.connection_string == ""
    assert settings.state.queue_uri == "https://strixyz.queue.core.windows.net"
    assert settings.azure.client_id == GUID
    assert not settings.development
    assert settings.dashboard.acting_keys == (EVERY_KEY,)
    assert {"Registry.Read", "Registry.Act"} == {settings.dashboard.read_role, settings.dashboard.act_role}


def test_no_log_line_is_sampled_away() -> None:
    host: dict[str, object] = json.loads((INFRA.parent / "host.json").read_text())
    *path, last = SAMPLING.split("__")
    for key in path:
        inner = host[key]
        assert isinstance(inner, dict)
        host = inner

    assert last in host
    assert "Trace" in deployed()[f"AzureFunctionsJobHost__{SAMPLING}"]


def test_the_defaults_of_the_deployment_are_those_of_the_sample() -> None:
    sample = json.loads((INFRA.parent / "local.settings.sample.json").read_text())["Values"]
    literal = {name: value.strip("'") for name, value in deployed().items() if value.startswith("'")}

    assert {name: sample[name] for name in literal if name.startswith("ISOLATION_")} == {
        name: value for name, value in literal.items() if name.startswith("ISOLATION_")
    }
    assert sample["ISOLATION_SWEEP_SCHEDULE"] in read(INFRA / "main.bicep").text
