"""A client of the simulated Resource Manager for tests of its providers: calls, polls, and virtual time."""

import json
from datetime import timedelta
from typing import Any

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.rbac import OWNER
from local.simulator.wire import Request, Response

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-ml"


class ArmClient:
    """Speaks for one principal; time stands still unless `wait` is called."""

    def __init__(
        self, azure: SimulatedAzure | None = None, *, version: str = "2025-06-01", principal: str = ""
    ) -> None:
        self.azure = azure or SimulatedAzure(seed=5)
        self.version = version
        self.principal = principal or OWNER

    def group(self, name: str = "rg-ml", location: str = "westeurope") -> str:
        """A resource group, made through the door."""
        group = f"{SUB}/resourceGroups/{name}"
        assert self.put(group, {"location": location, "tags": {}}, version="2021-04-01").status == 201
        return group

    def call(self, method: str, path: str, body: Any = None, *, version: str = "") -> Response:
        url = path
        if not path.startswith("https://"):
            mark = "&" if "?" in path else "?"
            url = f"{self.azure.endpoint}{path}{mark}api-version={version or self.version}"
        content = b"" if body is None else json.dumps(body).encode()
        headers = self.azure.headers(self.principal)
        return self.azure.handle(Request(method, url, headers, content), self.azure.world.now)

    def get(self, path: str, *, version: str = "") -> Response:
        return self.call("GET", path, version=version)

    def put(self, path: str, body: Any, *, version: str = "") -> Response:
        return self.call("PUT", path, body, version=version)

    def patch(self, path: str, body: Any, *, version: str = "") -> Response:
        return self.call("PATCH", path, body, version=version)

    def post(self, path: str, body: Any = None, *, version: str = "") -> Response:
        return self.call("POST", path, body, version=version)

    def delete(self, path: str, *, version: str = "") -> Response:
        return self.call("DELETE", path, version=version)

    def wait(self, seconds: float) -> None:
        self.azure.advance(self.azure.world.now + timedelta(seconds=seconds))

    def rest(self) -> None:
        """Let everything happen that is under way."""
        while (due := self.azure.next_due()) is not None:
            self.azure.advance(due)

    def error(self, answer: Response) -> tuple[int, str]:
        """Status and code of a refusal."""
        return answer.status, answer.json()["error"]["code"]
