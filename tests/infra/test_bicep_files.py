"""The deployment's files fit together: nothing is given that is not taken, and no key opens anything."""

import json
import re
from collections import defaultdict

import pytest
import yaml

from tests.infra.bicep import INFRA, Bicep, at, files, read, text, walk

ROOT = INFRA.parent
ENTRANCES = ("main.bicep", "subscription.bicep")
OURS = re.compile(r"\b(?:APP|OUTCOME)_[A-Z_]+\b|\bAZURE_RESOURCE_GROUP\b")
every_file = pytest.mark.parametrize("bicep", [read(file) for file in files()], ids=lambda one: one.file.name)


@every_file
def test_every_file_can_be_read(bicep: Bicep) -> None:
    assert bicep.errors() == []
    assert not bicep.root.has_error


@every_file
def test_every_file_says_first_why_it_exists(bicep: Bicep) -> None:
    assert re.match(r"// [A-Z]", bicep.text)


@every_file
def test_a_module_is_given_what_it_declares(bicep: Bicep) -> None:
    for module in bicep.modules:
        declared = read(bicep.file.parent / module.path).params
        needed = {name for name, has_default in declared.items() if not has_default}

        assert module.given <= declared.keys(), module.symbol
        assert needed <= module.given, module.symbol


@every_file
def test_every_parameter_is_used(bicep: Bicep) -> None:
    unused = [name for name in bicep.params if len(re.findall(rf"\b{name}\b", bicep.text)) < 2]

    assert unused == []


@every_file
def test_an_output_of_a_module_that_is_read_exists(bicep: Bicep) -> None:
    places = {module.symbol: module.path for module in bicep.modules}
    for symbol, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", bicep.text):
        assert output in read(bicep.file.parent / places[symbol]).outputs, f"{symbol}.{output}"


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_whoever_deploys_is_told_what_each_parameter_means(entrance: str) -> None:
    bicep = read(INFRA / entrance)
    described = re.findall(r"@description\('.+'\)\n(?:@.+\n)*param (\w+)", bicep.text)

    assert set(described) == bicep.params.keys()


def test_every_module_is_deployed_by_somebody() -> None:
    used = {module.path for entrance in ENTRANCES for module in read(INFRA / entrance).modules}

    assert used == {f"modules/{file.name}" for file in (INFRA / "modules").glob("*.bicep")}


def test_each_resource_type_has_one_api_version_everywhere() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for file in files():
        for resource in read(file).resources:
            versions[resource.type].add(resource.api_version)

    assert {kind: found for kind, found in versions.items() if len(found) > 1} == {}
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", one) for found in versions.values() for one in found)


def test_what_azd_fills_in_are_the_parameters_of_the_deployment() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]

    assert given.keys() == read(INFRA / "main.bicep").params.keys()


def test_the_values_that_azd_falls_back_to_are_the_defaults_of_the_parameters() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    main = read(INFRA / "main.bicep")
    defaults = dict(re.findall(r"^param (\w+) \w+ = (.+)$", main.text, re.MULTILINE))
    fallbacks = {name: re.fullmatch(r"\$\{\w+=(.*)\}", one["value"]) for name, one in given.items()}

    assert {name: found[1] for name, found in fallbacks.items() if found} == {
        name: value.strip("'") for name, value in defaults.items()
    }


def test_what_the_hooks_read_is_put_out_by_the_deployment() -> None:
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text())["hooks"]
    wanted = {name for hook in hooks.values() for name in OURS.findall((ROOT / hook["run"]).read_text())}

    assert wanted
    assert wanted <= read(INFRA / "main.bicep").outputs.keys()


def test_the_hooks_give_the_subscription_parameters_that_it_has() -> None:
    script = (INFRA / "hooks" / "postdeploy.sh").read_text()
    given = set(re.findall(r"^ +(\w+)=.* \\$", script, re.MULTILINE))

    assert given
    assert given <= read(INFRA / "subscription.bicep").params.keys()


@every_file
def test_no_role_is_retyped(bicep: Bicep) -> None:
    actions = [
        text(node)
        for node in walk(bicep.root)
        if node.type == "string_content" and re.search(r"Microsoft\.\w+/.*/(read|write|delete|action|\*)$", text(node))
    ]

    assert actions == []


def test_every_role_file_is_loaded() -> None:
    loaded = {
        name for file in files() for name in re.findall(r"loadJsonContent\('(?:\.\./)?([^']+)'\)", read(file).text)
    }
    roles = {file.name for file in INFRA.glob("role*.json")}

    assert roles <= loaded
    assert all((INFRA / name).is_file() for name in loaded)


@every_file
def test_nobody_asks_for_a_key(bicep: Bicep) -> None:
    assert not re.search(r"\blist[A-Z]\w*\(|AccountKey=|SharedAccess|sharedKey:|instrumentationKey", bicep.text)


@every_file
def test_no_output_tells_a_secret(bicep: Bicep) -> None:
    told = " ".join([*bicep.outputs, *bicep.outputs.values()])

    assert not re.search(r"(?i)connection|key|secret|password|token|sas\b", told)


def test_every_service_that_could_take_a_key_refuses_it() -> None:
    storage = read(INFRA / "modules" / "state.bicep").resource("account").body
    topic = read(INFRA / "modules" / "outcomes.bicep").resource("topic").body
    monitoring = read(INFRA / "modules" / "monitoring.bicep")

    assert text(at(storage, "properties", "allowSharedKeyAccess")) == "false"
    assert text(at(storage, "properties", "allowBlobPublicAccess")) == "false"
    assert text(at(topic, "properties", "disableLocalAuth")) == "true"
    assert text(at(monitoring.resource("insights").body, "properties", "DisableLocalAuth")) == "true"
    assert text(at(monitoring.resource("logs").body, "properties", "features", "disableLocalAuth")) == "true"


def test_the_app_deploys_and_runs_without_a_key() -> None:
    app = read(INFRA / "modules" / "app.bicep")
    authentication = at(
        app.resource("app").body, "properties", "functionAppConfig", "deployment", "storage", "authentication"
    )

    assert text(at(authentication, "type")) == "'UserAssignedIdentity'"
    assert text(at(app.resource("publishing").body, "properties", "allow")) == "false"


def test_private_storage_closes_the_public_door() -> None:
    account = read(INFRA / "modules" / "state.bicep").resource("account").body

    assert text(at(account, "properties", "publicNetworkAccess")) == "public ? 'Enabled' : 'Disabled'"
    assert text(at(account, "properties", "networkAcls", "defaultAction")) == "public ? 'Allow' : 'Deny'"
    assert "public: !privateStorage" in read(INFRA / "main.bicep").text


def test_private_storage_gets_an_endpoint_for_each_service_that_the_app_uses() -> None:
    network = read(INFRA / "modules" / "network.bicep").text

    assert re.search(r"var services = \['blob', 'queue', 'table'\]", network)


def test_the_identity_has_the_roles_that_the_functions_host_needs_on_its_storage() -> None:
    """Documentation of connecting to host storage with an identity: blob owner, queue and table contributor."""
    state = read(INFRA / "modules" / "state.bicep").text

    assert {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    } == set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", state))


def test_the_container_for_dead_letters_is_the_one_that_exists() -> None:
    named = re.search(r"var name = '([\w-]+)'", read(INFRA / "modules" / "dead-letters.bicep").text)
    made = re.search(r"var deadLetters = '([\w-]+)'", read(INFRA / "modules" / "state.bicep").text)

    assert named is not None
    assert made is not None
    assert named[1] == made[1]


def test_the_name_of_the_storage_account_is_a_storage_account_s_name() -> None:
    """Lower case and digits, 24 at most; `uniqueString` gives thirteen (documentation of the function)."""
    prefix = re.search(r"name: '(\w+)\$\{token\}'", read(INFRA / "main.bicep").text)

    assert prefix is not None
    assert re.fullmatch(r"[a-z0-9]{3,11}", prefix[1])


def test_every_check_that_is_skipped_has_a_reason() -> None:
    lines = (INFRA / "checkov.yaml").read_text().splitlines()
    skips = [number for number, line in enumerate(lines) if line.strip().startswith("- CKV")]

    assert skips
    for number in skips:
        before = lines[number - 1].strip()
        assert before.startswith("# ") or number - 1 in skips, lines[number]


def test_whatever_can_be_set_is_documented() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    scripts = [(INFRA / "main.parameters.json"), *(INFRA / "hooks").glob("*.sh")]
    names = {name for file in scripts for name in re.findall(r"\$\{?(AZURE_[A-Z_]+)", file.read_text())}

    assert sorted(name for name in names if f"| `{name}` |" not in page) == []
    assert sorted(name for name in re.findall(r"^\| `(AZURE_\w+)`", page, re.MULTILINE) if name not in names) == []


def test_a_subscription_is_only_read_unless_somebody_says_otherwise() -> None:
    assert "param mode string = 'audit'" in read(INFRA / "subscription.bicep").text
    assert 'mode="${AZURE_ISOLATION_MODE:-audit}"' in (INFRA / "hooks" / "postdeploy.sh").read_text()
