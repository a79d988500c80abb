"""
Every parser of what comes from outside, as a function of bytes that must return.

Each one knows which errors are its promise; whatever else leaves it is a finding. The suite feeds them a bounded number
of derived inputs (tests/security/test_parsers.py), `make fuzz` as many as time allows.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import azure.functions as func

from handlers.http_query import MOST_ITEMS
from handlers.http_request import read_body, read_ids, read_query, read_registry, read_sweep
from handlers.http_routes import ROUTES
from local.fuzz import answers, visitors
from shared.cloud import container_registries, network, private_dns, registries, security_groups, storage_accounts
from shared.cloud.deny_assignments import assignment_of
from shared.cloud.inventory_graph import Tally
from shared.cloud.inventory_rows import Endpoints, Parts, by_id
from shared.cloud.ledger_entities import (
    from_history_entity,
    from_row_entity,
    history_place,
    row_place,
)
from shared.cloud.sweep_entities import from_sweep_entity, sweep_key, sweep_place
from shared.cloud.workspaces import workspace_of
from shared.core.arm import ResourceId
from shared.core.azure_error_body import read_answer, told_delay
from shared.core.azure_errors import classify
from shared.core.errors import InvalidInput, InvalidPolicy, InvalidSettings, Refused
from shared.core.events import read_event
from shared.core.outcome_messages import OutcomeMessage
from shared.core.requests import WorkMessage, registry_id
from shared.core.secrets import without_secrets
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules, ResourceRule, addition, removal
from shared.core.sweeps import SweepMessage
from shared.policy_file import read_policy
from shared.settings import Settings, setting_names

_SUBSCRIPTION = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers"
_REGISTRY = ResourceId.parse(f"{_SUBSCRIPTION}/Microsoft.MachineLearningServices/registries/alpha")
_ACCOUNT = ResourceId.parse(f"{_SUBSCRIPTION}/Microsoft.Storage/storageAccounts/account")
_NOW = datetime(2026, 1, 5, tzinfo=UTC)
_RULES = (ResourceRule(tenant="22222222-2222-4333-8444-555555555555", resource=_REGISTRY),)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


def _json(data: bytes) -> Any:
    """What the platform would have parsed, {} if it could not have."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return {}


def _object(data: bytes) -> dict[str, Any]:
    document = _json(data)
    return document if isinstance(document, dict) else {"properties": document, "value": document}


def parse_event(data: bytes) -> None:
    """An Event Grid event in either schema, its claims included."""
    with suppress(InvalidInput):
        read_event(_json(data), own_principal="x", subscriptions=(), received=_NOW)


def parse_messages(data: bytes) -> None:
    """Messages of the three queues."""
    for decode in (WorkMessage.decode, OutcomeMessage.decode, SweepMessage.decode):
        for body in (data, _text(data)):
            with suppress(InvalidInput):
                decode(body)


def parse_ids(data: bytes) -> None:
    """Ids of resources and of registries, and the keys made of them."""
    with suppress(InvalidInput):
        found = ResourceId.parse(_text(data))
        if ResourceId.parse(found.key) != found or (not found.text.isascii() and not found.text.strip()):
            raise AssertionError(f"{found.text!r} is not the id that it is")
    with suppress(InvalidInput):
        registry_id(_text(data))


def parse_policy(data: bytes) -> None:
    """A policy file."""
    with suppress(InvalidPolicy):
        read_policy(_text(data))


def parse_settings(data: bytes) -> None:
    """App settings: the same text in every variable."""
    with suppress(InvalidSettings):
        Settings.from_environ(dict.fromkeys(setting_names(), _text(data)))


def parse_azure_errors(data: bytes) -> None:
    """Error bodies, parsed or not, and the waits that headers and texts ask for."""
    for body in (data, _text(data), _json(data)):
        read_answer(body, {})
        for status in (None, 200, 403, 404, 409, 429, 500):
            classify(status, body, {"Retry-After": _text(data)}, operation="read registry", resource_id=_text(data))
    for name in ("Retry-After", "retry-after-ms", "x-ms-user-quota-resets-after", "Date"):
        delay = told_delay({name: _text(data), "retry-after": _text(data)}, _text(data))
        if delay is not None and not 0 < delay.total_seconds() <= 3600:
            raise AssertionError(f"a wait of {delay}")


def parse_resources(data: bytes) -> None:
    """Answers of Resource Manager."""
    document = _object(data)
    registries.document_of(document, _REGISTRY)
    storage_accounts.target_of(document, _ACCOUNT)
    container_registries.target_of(document, _ACCOUNT)
    network.endpoint_of(document)
    network.zone_group_of(document)
    private_dns.link_of(document)
    private_dns.record_of(document)
    workspace_of(document, _ACCOUNT)
    assignment_of(document)
    security_groups.group_of(document, _ACCOUNT)
    security_groups.policy_of(document, _ACCOUNT)


def parse_graph_rows(data: bytes) -> None:
    """Rows of Resource Graph."""
    document = _object(data)
    rows = [document, {"rows": [document], "held": 1}]
    Parts().take_in(rows, Tally())
    Endpoints().take_in(rows, Tally())
    by_id(rows)


def parse_storage_rules(data: bytes) -> None:
    """Network rules of a storage account: what is merged keeps every foreign rule."""
    document = _object(data)
    added = addition(document, AddResourceRules(account=_ACCOUNT, rules=_RULES, select_networks=True))
    if added is not None and removal(document, RemoveResourceRules(account=_ACCOUNT, rules=_RULES)) is None:
        body = removal(added, RemoveResourceRules(account=_ACCOUNT, rules=_RULES))
        if body is not None and "resourceAccessRules" in document.get("networkAcls", {}):
            kept = document["networkAcls"]["resourceAccessRules"]
            if isinstance(kept, list) and body["networkAcls"]["resourceAccessRules"] != kept:
                raise AssertionError("a foreign rule was lost")


def parse_ledger(data: bytes) -> None:
    """Entities of the ledger and of sweeps that somebody else wrote, and cursors."""
    entity: dict[str, object] = {"PartitionKey": "p", "RowKey": "1-2-3"}
    for columns in ({"json00": _text(data)}, {"zlib00": data}, _object(data)):
        with suppress(Refused):
            from_row_entity({**columns, **entity}, _REGISTRY)
        from_history_entity({**columns, **entity}, _REGISTRY)
        with suppress(Refused):
            from_sweep_entity({**columns, **entity})
    for place in (row_place, history_place, sweep_place):
        with suppress(InvalidInput):
            place(_text(data))
    sweep_key(_text(data))


def parse_requests(data: bytes) -> None:
    """HTTP requests: the same text in the path, the query and the body of every operation."""
    text = _text(data)
    for route in ROUTES:
        request = func.HttpRequest(
            method=route.method,
            url="https://app.example/api/x",
            headers={"content-type": "application/json"},
            params=dict.fromkeys((*route.query, text), text),
            route_params=dict.fromkeys(route.parameters, text),
            body=data,
        )
        for read in (read_registry, read_sweep, read_body):
            with suppress(InvalidInput):
                read(route, request)
        with suppress(InvalidInput):
            if any(isinstance(value, int) and value > MOST_ITEMS for value in read_query(route, request).values()):
                raise AssertionError(f"a number without bound in {text!r}")
    with suppress(InvalidInput):
        read_ids("registries", [text])


def parse_secrets(data: bytes) -> None:
    """Texts that may hold secrets: taking them out ends, and a second time changes nothing."""
    once = without_secrets(_text(data))
    if without_secrets(once) != once:
        raise AssertionError(f"a second look finds more in {once!r}")


PARSERS: MappingProxyType[str, Callable[[bytes], None]] = MappingProxyType(
    {
        name.removeprefix("parse_").replace("_", "-"): function
        for name, function in {**vars(answers), **vars(visitors), **globals()}.items()
        if name.startswith("parse_") and callable(function)
    }
)
