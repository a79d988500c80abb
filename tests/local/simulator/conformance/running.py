"""
Runs a conformance case: a few calls against a fresh simulated Azure, with what the real service was seen to answer.

A case is data (cases/*.json), so that a new recording becomes a new case without a line of Python. Values are invented;
statuses, header names, key paths, words and error bodies are what the service showed.

    {"name": "a sentence", "source": "where it was seen", "options": {...}, "given": ["names of setups.json"],
     "steps": [step, ...]}

A step calls, or polls an operation to its end, or lets time pass:

    {"call": "PUT {group}/providers/Microsoft.X/things/a", "version": "2024-01-01", "body": {...}, "headers": {...},
     "status": 201, "has": ["Azure-AsyncOperation"], "lacks": ["Location"], "content_type": "application/json",
     "keys": ["exact", "key.paths", "of[].body"], "values": {"properties.provisioningState": "Updating"},
     "among": {"properties.x": ["A", "B"]}, "save": {"name": "properties.etag"}}
    {"poll": "Azure-AsyncOperation", "states": ["InProgress", "Succeeded"], "pending": 202, "done": 200,
     "waits": [10, 20], "keys": [...]}
    {"wait": "settled"}   or   {"wait": 5}

`{group}` and `{sub}` are filled in, and so is everything saved. `keys` lists every key path; without it keys are free.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.likeness_compare import key_paths
from local.simulator.options import Options
from local.simulator.wire import Request, Response

HERE = Path(__file__).parent
SETUPS: dict[str, list[dict[str, Any]]] = json.loads((HERE / "setups.json").read_text(encoding="utf-8"))
_LAST_MOMENT = timedelta(milliseconds=1)


class Run:
    """One case on its way."""

    def __init__(self, options: dict[str, Any], azure: SimulatedAzure | None = None) -> None:
        self.azure = azure or SimulatedAzure(seed=3, options=Options(**options))
        subscription = f"/subscriptions/{SUBSCRIPTION}"
        self.names = {"sub": subscription, "group": f"{subscription}/resourceGroups/Rg-One"}
        self.last = Response(200)

    def play(self, case: dict[str, Any]) -> None:
        for setup in case.get("given", []):
            for step in SETUPS[setup]:
                self.step({"status": None, **step})
        for step in case["steps"]:
            self.step(step)

    def step(self, step: dict[str, Any]) -> None:
        if "wait" in step:
            self._wait(step["wait"])
        elif "poll" in step:
            self._poll(step)
        else:
            self._call(step)

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, step: dict[str, Any]) -> None:
        method, _, path = self._filled(step["call"]).partition(" ")
        url = f"{self.azure.endpoint}{path}"
        if step.get("version"):
            url += f"{'&' if '?' in path else '?'}api-version={step['version']}"
        body = self._filled(step["body"]) if "body" in step else None
        content = b"" if body is None else json.dumps(body).encode()
        who = {} if step.get("anonymous") else self.azure.headers()
        headers = {**who, **self._filled(step.get("headers", {}))}
        self.last = self.azure.handle(Request(method, url, headers, content), self.azure.world.now)
        self._check(step)
        for name, place in step.get("save", {}).items():
            self.names[name] = str(_at(self.last.json(), place))

    def _check(self, step: dict[str, Any]) -> None:
        answer, where = self.last, step.get("call") or step.get("poll")
        told = f"{where}: {answer.status} {answer.body.decode('utf-8', 'replace')[:600]}"
        if step.get("status") is None:
            assert answer.status < 300, told
        else:
            assert answer.status == step["status"], told
        for name in step.get("has", []):
            assert answer.header(name), f"{where}: header {name} is missing"
        for name in step.get("lacks", []):
            assert not answer.header(name), f"{where}: header {name} should not be there"
        if "content_type" in step:
            assert answer.header("Content-Type") == step["content_type"], where
        body = answer.json() if answer.body else None
        if "keys" in step:
            assert sorted(key_paths(body)) == sorted(step["keys"]), where
        for place, value in self._filled(step.get("values", {})).items():
            assert _at(body, place) == value, f"{where}: {place}"
        for place, values in step.get("among", {}).items():
            assert _at(body, place) in values, f"{where}: {place}"

    # -- polls and time ----------------------------------------------------------------------------------------------

    def _poll(self, step: dict[str, Any]) -> None:
        """Poll to the end: as often as the case says while the operation runs, once when it is over."""
        url = self.last.header(step["poll"])
        assert url, f"no header {step['poll']} to poll"
        seen: list[str] = []
        waits: list[int] = []
        for position, wanted in enumerate(step["states"]):
            final = position == len(step["states"]) - 1
            if final:
                self._wait("settled")
            self.last = self.azure.handle(Request("GET", url, self.azure.headers()), self.azure.world.now)
            assert self.last.status == step.get("done" if final else "pending", 200), f"{step['poll']}: {wanted}"
            body = self.last.json() if self.last.body else None
            seen.append(str(body.get("status", "")) if isinstance(body, dict) else "")
            if not final and self.last.header("Retry-After"):
                waits.append(int(self.last.header("Retry-After")))
            if step.get("renewed") and not final:
                assert self.last.header(step["poll"]) != url
                url = self.last.header(step["poll"])
        assert seen == step["states"], f"{step['poll']}: states"
        if "waits" in step:
            assert waits == step["waits"], f"{step['poll']}: Retry-After of the pending polls"
        self._check({**step, "status": step.get("done", 200)})

    def _wait(self, what: Any) -> None:
        if what != "settled":
            self.azure.advance(self.azure.world.now + timedelta(seconds=float(what)))
            return
        end = self.azure.world.now + timedelta(hours=3)
        while (due := self.azure.next_due()) is not None and due < end:
            self.azure.advance(due)

    # -- names -------------------------------------------------------------------------------------------------------

    def _filled(self, value: Any) -> Any:
        """Replace {group}, {sub} and saved names everywhere; other braces stay."""
        if isinstance(value, str):
            for name, text in self.names.items():
                value = value.replace("{" + name + "}", text)
            return value
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if isinstance(value, dict):
            return {self._filled(key): self._filled(each) for key, each in value.items()}
        return value


def _at(body: Any, place: str) -> Any:
    """The value at a dotted place; a number is a position in a list."""
    for step in place.split("."):
        if isinstance(body, list):
            body = body[int(step)]
        else:
            assert isinstance(body, dict), f"{place} leads nowhere"
            assert step in body, f"{place} is not in the body: {json.dumps(body)[:400]}"
            body = body[step]
    return body
