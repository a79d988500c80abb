"""
What `make up` tells its user: how to reach the simulated Azure with curl and with the Azure CLI.

Every command is complete: it can be copied into a shell as it stands, and a test does exactly that.
"""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from local.azurite import REPOSITORY
from local.stage import Stage
from local.stage_scene import API_VERSIONS, REGIONS, registry_body

ANOTHER = "fabrikam-models"
_KEYED = '-H "x-functions-key: $KEY"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Commands for one running stage."""

    environment: Path
    """File with the variables that the commands use."""
    token: str
    create: str
    watch: str
    app: tuple[str, ...]
    azure_cli: tuple[str, ...]
    audit: str
    azure_ai_ml: str

    @property
    def load(self) -> str:
        """Take the variables into the shell."""
        return f". {shlex.quote(str(self.environment))}"

    def text(self) -> str:
        """All of it, as it is printed."""
        return "\n".join(
            [
                "In another shell, first:",
                "",
                f"  {self.load}",
                "",
                "Create another registry with curl, and wait until the app has closed it:",
                "",
                *_indented(self.token),
                *_indented(self.create),
                *_indented(self.watch),
                "",
                "Ask the app itself (docs/http.md): what it knows, its plan, to look now, what it did; or for a sweep:",
                "",
                *(line for command in self.app for line in _indented(command)),
                "",
                "Point the Azure CLI at it (a configuration of its own; yours is not touched; `make cli` installs one",
                "as .local/cli/bin/az):",
                "",
                *(line for command in self.azure_cli for line in _indented(command)),
                "",
                "Audit it with that sign-in, as you would audit your own Azure (docs/audit.md):",
                "",
                *_indented(self.audit),
                "",
                "azure-ai-ml finds it with one more variable, which the Azure CLI must not see:",
                "",
                *_indented(self.azure_ai_ml),
            ]
        )


def guide(stage: Stage) -> Guide:
    """Write the file of variables and word the commands."""
    azure = stage.azure
    registry = f"$SIMULATED_AZURE{azure.scene.registry(ANOTHER)}?api-version={API_VERSIONS['registries']}"
    path = stage.folder / "environment"
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in _variables(stage).items()))
    path.chmod(0o600)
    ca = '--cacert "$SIMULATED_AZURE_CA"'
    authorized = f'{ca} -H "Authorization: Bearer $TOKEN"'
    return Guide(
        environment=path,
        token=(
            f'TOKEN=$(curl -sS {ca} -H "X-IDENTITY-HEADER: $IDENTITY_HEADER" \\\n'
            '  "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=$SIMULATED_AZURE" \\\n'
            """  | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')"""
        ),
        create=(
            f'REGISTRY="{registry}"\n'
            f'curl -sS -i -X PUT {authorized} -H "Content-Type: application/json" "$REGISTRY" \\\n'
            f"  -d '{json.dumps(registry_body(REGIONS[:1]))}'"
        ),
        watch=(
            f'until curl -sS {authorized} "$REGISTRY" \\\n'
            """  | grep -o '"publicNetworkAccess": *"[A-Za-z]*"' | grep Disabled; do sleep 1; done"""
        ),
        app=(
            f'MINE="$APP/api/registries/{azure.scene.subscription}/rg-ml/{ANOTHER}"',
            f'curl -sS {_KEYED} "$APP/api/registries?limit=10"',
            f'curl -sS {_KEYED} "$MINE/plan"',
            f'curl -sS {_KEYED} -X POST "$MINE/remediate?wait=60"',
            f'curl -sS {_KEYED} "$MINE/history?limit=5"',
            f'curl -sS -i {_KEYED} -X POST "$APP/api/sweeps"',
        ),
        azure_cli=(
            'az cloud register --name SimulatedAzure --endpoint-resource-manager "$SIMULATED_AZURE"',
            "az cloud set --name SimulatedAzure",
            "az login --identity",
            "az network private-endpoint list --output table",
            "az resource list --output table",
        ),
        audit=(
            f"make -C {REPOSITORY} audit \\\n"
            f'  ARGS="--policy {stage.folder}/policy.yaml --arm-endpoint $SIMULATED_AZURE --arm-ca $SIMULATED_AZURE_CA"'
        ),
        azure_ai_ml=(
            'ARM_CLOUD_METADATA_URL="$SIMULATED_AZURE/metadata/endpoints?api-version=2022-09-01" \\\n'
            f"  {REPOSITORY}/.local/ai-ml/bin/python -c '"
            "from azure.ai.ml import MLClient; from azure.identity import ManagedIdentityCredential; "
            f'client = MLClient(ManagedIdentityCredential(), "{azure.scene.subscription}", "rg-ml", enable_telemetry=False); '
            "print([each.name for each in client.registries.list()])'"
        ),
    )


def _variables(stage: Stage) -> dict[str, str]:
    azure = stage.azure
    return {
        "SIMULATED_AZURE": azure.endpoint,
        "SIMULATED_AZURE_CA": str(azure.ca),
        "REQUESTS_CA_BUNDLE": str(azure.ca),
        "IDENTITY_ENDPOINT": azure.identity_endpoint,
        "IDENTITY_HEADER": azure.identity_header,
        "AZURE_CONFIG_DIR": str(stage.folder / "azure-cli"),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "APP": stage.host.url,
        "KEY": stage.host.key,
    }


def _indented(command: str) -> list[str]:
    return [f"  {line}" for line in command.splitlines()]
