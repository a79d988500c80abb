"""
No key opens anything that is deployed, and none is asked for, given or told on the way.

A type of resource that nobody has judged yet fails here: whoever adds one says how it refuses keys, or that it has none.
"""

import re
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, Bicep, Resource, at, files, properties, read, text

REFUSALS: dict[str, dict[tuple[str, ...], str]] = {
    "Microsoft.EventGrid/topics": {("disableLocalAuth",): "true"},
    "Microsoft.Insights/components": {("DisableLocalAuth",): "true"},
    "Microsoft.OperationalInsights/workspaces": {("features", "disableLocalAuth"): "true"},
    "Microsoft.Storage/storageAccounts": {("allowSharedKeyAccess",): "false", ("allowBlobPublicAccess",): "false"},
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {("allow",): "false"},
}
"""What a resource has to say below `properties`, by its type."""
KEYLESS = frozenset(
    {
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Authorization/roleDefinitions",
        "Microsoft.EventGrid/systemTopics",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "Microsoft.Insights/actionGroups",
        "Microsoft.Insights/metricAlerts",
        "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/workbooks",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Resources/resourceGroups",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Web/serverfarms",
        "Microsoft.Web/sites",
        "Microsoft.Web/sites/config",
    }
)
"""What no key opens, or only through the types above; an app's function keys are the app's doors (docs/security.md)."""
CONNECTIONS = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "insights.properties.ConnectionString"}
"""Settings that connect by a text: where telemetry goes, with a key that opens nothing there."""
KEY_COMMANDS = re.compile(
    r"\bkeys?\s+(?:list|show|renew|set|create)|list-?keys|connection-string|generate-sas|publishing-(?:profiles|credentials)"
)
MODULES = INFRA / "modules"
every_file = pytest.mark.parametrize("bicep", [read(file) for file in files()], ids=lambda one: one.file.name)
every_hook = pytest.mark.parametrize("hook", sorted((INFRA / "hooks").iterdir()), ids=lambda one: one.name)


def lets_keys_in(resource: Resource) -> list[str]:
    """What is missing for *resource* to refuse every key."""
    if resource.type in KEYLESS:
        return []
    if resource.type not in REFUSALS:
        return [f"{resource.symbol}: nobody has judged {resource.type}"]
    missing = []
    for path, value in REFUSALS[resource.type].items():
        try:
            found = text(at(resource.body, "properties", *path))
        except KeyError:
            found = "nothing"
        if found != value:
            missing.append(f"{resource.symbol}: {'.'.join(path)} is {found}")
    return missing


@every_file
def test_whatever_is_deployed_refuses_keys_or_has_none(bicep: Bicep) -> None:
    deployed = [resource for resource in bicep.resources if not resource.existing]

    assert [problem for resource in deployed for problem in lets_keys_in(resource)] == []


def test_every_judged_type_is_deployed() -> None:
    deployed = {resource.type for file in files() for resource in read(file).resources if not resource.existing}

    assert REFUSALS.keys() | KEYLESS == deployed


def test_neither_way_to_publish_takes_a_password() -> None:
    """Credentials of FTP and of the deployment site are two policies (documentation of basic authentication)."""
    loop = re.search(r"'Microsoft\.Web/sites/basicPublishing.+?\[\s*for kind in \[(.+?)\]", _app().text, re.DOTALL)

    assert loop is not None
    assert set(re.findall(r"'(\w+)'", loop[1])) == {"ftp", "scm"}


def test_the_app_reaches_storage_and_telemetry_with_its_identity() -> None:
    settings = properties(at(_app().resource("settings").body, "properties"))
    storage = {name for name in settings if name.startswith("AzureWebJobsStorage")}
    named = {name: text(value) for name, value in settings.items() if re.search(r"(?i)connection.?string", name)}

    assert text(settings["AzureWebJobsStorage__credential"]) == "'managedidentity'"
    assert {name for name in storage if "__" not in name} == set(), "without a service it would be a connection string"
    assert named == CONNECTIONS
    assert text(settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]).endswith(";Authorization=AAD'")


def test_events_are_delivered_to_the_function_itself_and_not_to_an_address_with_a_key() -> None:
    destination = at(read(MODULES / "event-subscription.bicep").resource("delivery").body, "properties", "destination")

    assert text(at(destination, "endpointType")) == "'AzureFunction'"
    assert properties(at(destination, "properties")).keys() == {"resourceId", "maxEventsPerBatch"}


@every_file
def test_the_deployment_is_given_no_secret(bicep: Bicep) -> None:
    assert not re.search(r"@secure\(|\bgetSecret\(|Microsoft\.KeyVault", bicep.text)


@every_hook
def test_no_hook_asks_for_a_key(hook: Path) -> None:
    assert KEY_COMMANDS.findall(hook.read_text()) == []


def _app() -> Bicep:
    return read(MODULES / "app.bicep")
