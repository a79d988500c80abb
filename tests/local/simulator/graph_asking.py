"""Asking the simulated Resource Graph in tests."""

from typing import Any

from local.simulator.wire import Response
from tests.local.simulator.arm_client import ArmClient

PATH = "/providers/Microsoft.ResourceGraph/resources"


def ask(client: ArmClient, query: str, *, subscriptions: list[str] | None = None, **options: Any) -> Response:
    """The answer to a query; options without their dollar sign."""
    body: dict[str, Any] = {"query": query}
    if subscriptions is not None:
        body["subscriptions"] = subscriptions
    dollars = {"top", "skip", "skipToken"}
    body["options"] = {f"${name}" if name in dollars else name: value for name, value in options.items()}
    return client.call("POST", PATH, body, version="2024-04-01")


def rows(client: ArmClient, query: str, **options: Any) -> list[dict[str, Any]]:
    """The rows of one page."""
    answer = ask(client, query, **options)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def reason(answer: Response) -> str:
    """Why a query was refused."""
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")
    return str(answer.json()["error"]["details"][-1]["message"])
