"""The writes of the egress rule: one security rule at a time, so that nobody else's rule can get lost."""

from dataclasses import dataclass
from typing import Literal

from shared.core.arm import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowEgress:
    """Put outbound rule *rule* of a network security group: allow *ports* of *tag* from everywhere in the network."""

    kind: Literal["allow-egress"] = "allow-egress"
    rule: ResourceId
    tag: str
    protocol: str
    ports: tuple[str, ...]
    priority: int
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.rule

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return (
            f"allow {self.protocol.upper()} {', '.join(self.ports)} to {self.tag} in network security group "
            f"{self.rule.parent.name} (priority {self.priority})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowSystemRegistry:
    """Put *definition* of a service endpoint policy: allow Azure Machine Learning's own storage by its alias."""

    kind: Literal["allow-system-registry"] = "allow-system-registry"
    definition: ResourceId
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.definition

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"allow the system registry in service endpoint policy {self.definition.parent.name}"
