"""What a browser asks of the dashboard: which page, what its form holds, where it comes from; each checked at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

import azure.functions as func

from handlers.http_request import address_of, headers_of
from shared.core.arm import ResourceId, is_guid
from shared.core.errors import CrossSite, MalformedRequest, MalformedResourceId, RequestTooLarge, UnknownPage
from shared.core.registry import REGISTRY_TYPE
from shared.core.requests import registry_id

ROOT = "/api/dashboard"
SWEEP, REPLAY = "sweep", "replay"
ACTIONS = ("remediate", "undo", "pause", "resume", REPLAY)
MOST_FORM_BYTES = 16 * 1024
_LONGEST_VALUE = 4096
_MOST_FIELDS = 20
_GROUP = re.compile(r"[-\w.()]{0,89}[-\w()]")  # documentation of resource naming rules, resourcegroups
_REGISTRY_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """
    A request that was understood.

    Attributes:
        page: "overview", "failed", "findings", "registry", "look", "confirm", "sign-in", "sign-out", or the name of a file.
        action: What a confirmation is about.
    """

    method: str
    page: str
    registry: ResourceId | None = None
    action: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    path: str = ROOT

    @property
    def target(self) -> ResourceId:
        """The registry that the path names; only for pages of one."""
        if self.registry is None:
            raise AssertionError("The page is of no registry.")
        return self.registry

    def cookie(self, name: str) -> str:
        """The cookie called *name*, "" if there is none."""
        try:
            jar = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return ""
        return jar[name].value if name in jar else ""

    def require_same_site(self) -> None:
        """
        Refuse, with CrossSite, a form that another site sent.

        Browsers say where a request comes from in Sec-Fetch-Site; those that do not, in Origin. A page without a referrer
        sends `Origin: null`, and a gateway may stand between, so Origin counts only where nothing better is said.
        """
        site = self.headers.get("sec-fetch-site", "")
        good = site == "same-origin" if site else self.headers.get("origin", "") in self._origins()
        if not good:
            raise CrossSite("This form was not sent by a page of this app; open the dashboard itself and try again.")

    def _origins(self) -> set[str]:
        return {f"https://{self.host}", f"http://{self.host}"}


def read_ask(request: func.HttpRequest) -> Ask:
    """
    Understand *request*.

    Raises:
        UnknownPage: There is no such page.
        MalformedRequest: Its path, its query or its form cannot mean anything.
        RequestTooLarge: Its form is over MOST_FORM_BYTES.
    """
    parts = [part for part in str(request.route_params.get("path", "") or "").split("/") if part]
    page, registry, action = _place(parts)
    method = str(request.method).upper()
    split = address_of(request)
    ask = Ask(
        method=method,
        page=page,
        registry=registry,
        action=action,
        query=_fields(list(request.params.items())),
        form=_form(request) if method == "POST" else {},
        headers=headers_of(request),
        host=split.netloc,
        path=split.path,
    )
    forms = {"confirm", "sign-in", "sign-out"}
    if (method == "POST") != (page in forms) and not (page == "confirm" and method == "GET"):
        raise UnknownPage("There is no such page.")
    return ask


def _place(parts: list[str]) -> tuple[str, ResourceId | None, str]:
    match parts:
        case []:
            return "overview", None, ""
        case ["sign-in" | "sign-out" | "failed" | "findings" | "style.css" | "icon.svg" as name]:
            return name, None, ""
        case ["act", "sweep" | "replay" as action]:
            return "confirm", None, action
        case ["registries", subscription, group, name]:
            return "registry", _registry(subscription, group, name), ""
        case ["registries", subscription, group, name, "look"]:
            return "look", _registry(subscription, group, name), ""
        case ["registries", subscription, group, name, "act", action] if action in ACTIONS:
            return "confirm", _registry(subscription, group, name), action
        case _:
            raise UnknownPage("There is no such page.")


def _registry(subscription: str, group: str, name: str) -> ResourceId:
    if not is_guid(subscription) or not _GROUP.fullmatch(group):
        raise UnknownPage("The address names no registry.")
    try:
        return registry_id(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{REGISTRY_TYPE}/{name}")
    except MalformedResourceId as error:
        raise UnknownPage(error.sentence) from error


def _form(request: func.HttpRequest) -> Mapping[str, str]:
    raw = request.get_body()
    if len(raw) > MOST_FORM_BYTES:
        raise RequestTooLarge(f"The form has {len(raw)} bytes; this app takes at most {MOST_FORM_BYTES}.")
    media = headers_of(request).get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise MalformedRequest("The form is not sent as application/x-www-form-urlencoded.", readable=True)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise MalformedRequest("The form cannot be read.", readable=True) from error
    return _fields(pairs)


def _fields(pairs: list[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found or len(value) > _LONGEST_VALUE:
            raise MalformedRequest("A field is there twice, or too long.")
        found[name] = value
    return found
