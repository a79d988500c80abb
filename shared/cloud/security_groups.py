"""Network security groups and service endpoint policies in Microsoft.Network: read whole, written rule by rule."""

from typing import Any

from azure.mgmt.network.aio import NetworkManagementClient

from shared.cloud.arm_client import ArmClient, begin, body_of, found
from shared.cloud.documents import Document, entries, member, text, texts
from shared.cloud.network import state_of
from shared.cloud.operations import accepted
from shared.core.arm import ResourceId
from shared.core.egress import ALIAS, ALIAS_SERVICE
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.errors import ChangedUnderneath, RegistryIsolationError
from shared.core.report import Done, Started
from shared.core.security import EndpointPolicy, EndpointPolicyDefinition, SecurityGroup, SecurityRule

_PUT_RULE = "create security rule"
_PUT_DEFINITION = "create service endpoint policy definition"
# Somebody took the priority between our read and our write (azurerm and ARM error listings).
_TAKEN = "securityruleconflict"


class SecurityGroups:
    """The way out of networks of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def read_group(self, group: ResourceId) -> SecurityGroup | None:
        """Read a security group with its own rules."""
        document: Document | None = await found(
            self._client(group).network_security_groups.get(group.resource_group, group.name, cls=body_of),
            operation="read network security group",
            resource=group.text,
        )
        return None if document is None else group_of(document, group)

    async def read_policy(self, policy: ResourceId) -> EndpointPolicy | None:
        """Read a service endpoint policy."""
        document: Document | None = await found(
            self._client(policy).service_endpoint_policies.get(policy.resource_group, policy.name, cls=body_of),
            operation="read service endpoint policy",
            resource=policy.text,
        )
        return None if document is None else policy_of(document, policy)

    async def put_rule(self, change: AllowEgress) -> Started | Done:
        """
        Put one outbound rule.

        Raises:
            ChangedUnderneath: Another rule has taken the priority meanwhile; the next plan finds a free one.
        """
        rule = change.rule
        body: Any = {"properties": rule_properties(change)}
        try:
            answer = await begin(
                lambda hook: self._client(rule).security_rules.begin_create_or_update(
                    rule.resource_group, rule.parent.name, rule.name, body, polling=False, raw_response_hook=hook
                ),
                operation=_PUT_RULE,
                resource=rule.text,
            )
        except RegistryIsolationError as error:
            if error.code.lower() != _TAKEN:
                raise
            raise ChangedUnderneath(
                error.sentence, code=error.code, resource_id=rule.text, operation=_PUT_RULE
            ) from error
        return accepted(answer)

    async def put_definition(self, change: AllowSystemRegistry) -> Started | Done:
        """Put the definition that allows the system registry; the policy's other definitions stay."""
        definition = change.definition
        properties = {
            "service": ALIAS_SERVICE,
            "serviceResources": [ALIAS],
            "description": "Microsoft's system registry for Azure Machine Learning",
        }
        body: Any = {"properties": properties}
        operations = self._client(definition).service_endpoint_policy_definitions
        answer = await begin(
            lambda hook: operations.begin_create_or_update(
                definition.resource_group,
                definition.parent.name,
                definition.name,
                body,
                polling=False,
                raw_response_hook=hook,
            ),
            operation=_PUT_DEFINITION,
            resource=definition.text,
        )
        return accepted(answer)

    async def rule_state(self, rule: ResourceId) -> str | None:
        """`provisioningState` of a rule; None if there is no such one."""
        document: Document | None = await found(
            self._client(rule).security_rules.get(rule.resource_group, rule.parent.name, rule.name, cls=body_of),
            operation="read security rule",
            resource=rule.text,
        )
        return None if document is None else state_of(document)

    async def definition_state(self, definition: ResourceId) -> str | None:
        """`provisioningState` of a definition; None if there is no such one."""
        document: Document | None = await found(
            self._client(definition).service_endpoint_policy_definitions.get(
                definition.resource_group, definition.parent.name, definition.name, cls=body_of
            ),
            operation="read service endpoint policy definition",
            resource=definition.text,
        )
        return None if document is None else state_of(document)

    def _client(self, resource: ResourceId) -> NetworkManagementClient:
        return self._arm.service(NetworkManagementClient, resource.subscription)


def rule_properties(change: AllowEgress) -> dict[str, Any]:
    """The body of the app's rule: one port goes alone, several as a list."""
    ports: dict[str, Any] = (
        {"destinationPortRange": change.ports[0]}
        if len(change.ports) == 1
        else {"destinationPortRanges": list(change.ports)}
    )
    return {
        "description": "Way out to public Azure Machine Learning registries, kept by Registry Isolation",
        "direction": "Outbound",
        "access": "Allow",
        "priority": change.priority,
        "protocol": change.protocol,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": change.tag,
        **ports,
    }


def group_of(document: Document, group: ResourceId) -> SecurityGroup:
    """Read a group's GET; its default rules are left out."""
    return SecurityGroup(
        id=group, rules=tuple(_rule(entry) for entry in entries(document, "properties", "securityRules"))
    )


def policy_of(document: Document, policy: ResourceId) -> EndpointPolicy:
    """Read a service endpoint policy's GET."""
    return EndpointPolicy(
        id=policy,
        definitions=tuple(
            EndpointPolicyDefinition(
                name=text(entry, "name"),
                service=text(entry, "properties", "service"),
                resources=texts(entry, "properties", "serviceResources"),
            )
            for entry in entries(document, "properties", "serviceEndpointPolicyDefinitions")
        ),
    )


def _rule(entry: Document) -> SecurityRule:
    priority = member(entry, "properties", "priority")
    return SecurityRule(
        name=text(entry, "name"),
        priority=priority if isinstance(priority, int) else 0,
        outbound=text(entry, "properties", "direction").lower() == "outbound",
        allows=text(entry, "properties", "access").lower() == "allow",
        protocol=text(entry, "properties", "protocol"),
        sources=_both(entry, "sourceAddressPrefix", "sourceAddressPrefixes"),
        source_ports=_both(entry, "sourcePortRange", "sourcePortRanges"),
        destinations=_both(entry, "destinationAddressPrefix", "destinationAddressPrefixes"),
        ports=_both(entry, "destinationPortRange", "destinationPortRanges"),
    )


def _both(entry: Document, single: str, several: str) -> tuple[str, ...]:
    """Azure shows one value under one member and several under another, and leaves the other one empty."""
    alone = text(entry, "properties", single)
    return (*((alone,) if alone else ()), *texts(entry, "properties", several))
