"""
The eye on every write of the app: what must never happen, decided from the simulated world alone.

No code of the app takes part. A violation is a sentence; the run ends with a problem for each.
"""

import json
from typing import Any

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.wire import Request
from local.simulator.world import Resource
from local.verdict import connections, endpoint_problems, endpoints_of

REGISTRIES = "Microsoft.MachineLearningServices/registries"
_ENDPOINT = "/providers/microsoft.network/privateendpoints/"


class Watch:
    """
    What is promised of every write.

    Attributes:
        violations: What was broken, in order.
        kept: Storage accounts, by key, and the resource rules of others that must never be missing there.
        subnets: Each part of a registry needs a working endpoint in all of these, lower-cased, before a door closes.
        theirs: Beginnings of the ids of what is somebody else's among that, lower-cased.
        places: Beginnings of the ids that the app may write to, lower-cased; beside them only managed groups.
        may_open: A person has asked for it.
        may_write: The policy lets the app write at all.
    """

    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure
        self.violations: list[str] = []
        self.kept: dict[str, list[str]] = {}
        self.theirs: list[str] = []
        self._around: dict[str, Any] = {}
        """What else the network rules of those accounts said before anything was written to them."""
        self.subnets: list[str] = []
        self.places: list[str] = []
        self.may_open = False
        self.may_write = True

    def before(self, request: Request) -> None:
        """Look at a call of the app that has not taken effect yet."""
        if not writes(request):
            return
        path = request.path.lower()
        if not self.may_write:
            self.violations.append(f"{request.method} {request.path} although nothing may be written")
        if not self._concerns_us(path):
            self.violations.append(f"{request.method} {request.path} concerns somebody else")
        if request.method == "DELETE" and _ENDPOINT in path and path.count("/") == _ENDPOINT.count("/") + 4:
            self._watch_deletion(path)
        if path in self.kept and path not in self._around:
            self._around[path] = self._rules(path)[1]
        asked = _access(request)
        if asked == "enabled" and not self.may_open:
            self.violations.append(f"{request.path} was opened")
        if asked == "disabled":
            self.violations += self._unready(path)

    def after(self, request: Request) -> None:
        """Look at what a call of the app has left behind."""
        found = self._azure.world.get(request.path)
        if request.method not in {"PUT", "PATCH"} or found is None or found.key not in self.kept:
            return
        rules, around = self._rules(found.key)
        lost = [rule for rule in self.kept[found.key] if rule.lower() not in rules]
        self.violations += [f"{found.name} lost the rule of {rule}" for rule in lost]
        before = self._around.setdefault(found.key, around)
        if around != before:
            self.violations.append(f"{found.name} has {around} beside its resource rules, not {before} as before")

    def _rules(self, account: str) -> tuple[set[str], dict[str, Any]]:
        """Whose resource rules a storage account has, and what else says who is let in."""
        properties = self._azure.require(account).properties
        acls = {name: value for name, value in properties["networkAcls"].items() if value != []}
        rules = {one["resourceId"].lower() for one in acls.pop("resourceAccessRules", [])}
        return rules, acls | {"publicNetworkAccess": properties.get("publicNetworkAccess")}

    def _concerns_us(self, path: str) -> bool:
        if any(path.startswith(beginning) for beginning in self.theirs):
            return False
        return any(path.startswith(place) for place in self.places) or self._owner(path) is not None

    def _watch_deletion(self, path: str) -> None:
        endpoint = self._azure.world.get(path)
        if endpoint is None or endpoint_problems(self._azure, endpoint):
            return
        targets = [str(one["properties"]["privateLinkServiceId"]) for one in connections(endpoint)]
        if any(self._azure.world.get(one) and self._owner(one.lower()) for one in targets):
            self.violations.append(f"{endpoint.name} was deleted although it worked")

    def _owner(self, path: str) -> Resource | None:
        """The registry that *path* is, or is a part of."""
        for registry in self._azure.world.of_type(REGISTRIES):
            group = str((registry.properties.get("managedResourceGroup") or {}).get("resourceId", "-")).lower()
            if path == registry.key or path.startswith((f"{registry.key}/", f"{group}/")):
                return registry
        return None

    def _unready(self, path: str) -> list[str]:
        registry = self._owner(path)
        if registry is None:
            return []
        return [f"{path} was closed while {each}" for each in unreachable(self._azure, registry, self.subnets)]


def unreachable(azure: SimulatedAzure, registry: Resource, subnets: list[str]) -> list[str]:
    """Parts of *registry*, itself included, that lack a working endpoint in one of *subnets*, a clause each."""
    return [
        f"{target.name} had no working endpoint"
        for target in (registry, *scenery.parts_of(azure, registry))
        for subnet in subnets
        if not any(_works(azure, endpoint, subnet) for endpoint in endpoints_of(azure, target))
    ]


def _works(azure: SimulatedAzure, endpoint: Resource, subnet: str) -> bool:
    return endpoint.properties["subnet"]["id"].lower() == subnet and not endpoint_problems(azure, endpoint)


def writes(request: Request) -> bool:
    """Whether a call is there to change something; a question to Resource Graph is not."""
    return request.method in {"PUT", "PATCH", "DELETE"}


def _access(request: Request) -> str:
    """The public access that a write asks for, as "enabled" or "disabled"; "" if it asks for none."""
    if request.method not in {"PUT", "PATCH"} or not request.body:
        return ""
    properties = json.loads(request.body).get("properties") or {}
    asked = str(properties.get("publicNetworkAccess", "")).lower()
    rules = properties.get("networkAcls") or properties.get("networkRuleSet") or {}
    return asked or {"deny": "disabled", "allow": "enabled"}.get(str(rules.get("defaultAction", "")).lower(), "")
