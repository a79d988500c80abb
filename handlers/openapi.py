"""
The API's description (OpenAPI 3.1), made of the table of routes and the models of the wire.

`python -m handlers.openapi` prints it; docs/openapi.json is that output, and a test keeps the two equal.
"""

import json
import sys
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from handlers import health_schemas, http_schemas
from handlers.http_query import PARAMETERS
from handlers.http_routes import PREFIX, PROBLEM, ROUTES, Route
from handlers.http_schemas import OpenApi
from shared.core import reports_json

type Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/{model}"
_GUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_IN_PATH: dict[str, Json] = {
    "subscription": {"type": "string", "format": "uuid", "pattern": _GUID, "minLength": 36, "maxLength": 36},
    "group": {"type": "string", "pattern": r"^[-\w.()]{0,89}[-\w()]$"},
    "name": {"type": "string", "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_-]{1,31}$"},
    "sweep": {"type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$"},
}
_MEANING = {
    "subscription": "Id of the registry's subscription.",
    "group": "Name of the registry's resource group.",
    "name": "Name of the registry.",
    "sweep": "Id of the sweep.",
}
_STATUS = {
    200: "Done.",
    202: "Recorded; the report tells what becomes of it.",
    304: "The report is the one that If-None-Match names.",
    400: "The request cannot be understood.",
    401: "The function key is missing or wrong.",
    403: "The registry is outside the policy's scope.",
    404: "There is no such thing.",
    409: "It cannot be done as things are.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON.",
    422: "The body is JSON with wrong members.",
    500: "The app failed.",
    502: "Azure failed.",
    503: "Something that the app needs does not answer now.",
    504: "It took too long.",
}
_DONE = 200
_ALWAYS, _WITH_BODY = (400, 500, 503), (413, 415, 422)
_PLACES = {"Accepted", "Sweep"}
"""What was recorded in one place, where its progress is."""
_HEADERS = {
    "ETag": "Of this report, for If-None-Match.",
    "Location": "The registry's report, or the sweep's record.",
    "Retry-After": "Seconds until another look or another try makes sense.",
}


@lru_cache
def document(version: str) -> OpenApi:
    """The whole document."""
    return OpenApi.model_validate(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Registry Isolation",
                "version": version,
                "summary": "Keeps Azure Machine Learning registries off the public internet.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": PREFIX}],
            "security": [{"key": []}, {"code": []}],
            "paths": _paths(),
            "components": {
                "schemas": _schemas(),
                "securitySchemes": {
                    "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                    "code": {"type": "apiKey", "in": "query", "name": "code"},
                },
            },
        }
    )


def _paths() -> Json:
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {str(status): answer for status, answer in sorted(_responses(route).items())},
    }
    parameters = [*map(_in_path, route.parameters), *map(_in_query, route.query), *_if_none_match(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        content = {"application/json": {"schema": {"$ref": _SCHEMAS.format(model=route.body)}}}
        operation["requestBody"] = {"required": route.body_needed, "content": content}
    if route.anonymous:
        operation["security"] = []
    return operation


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "description": _MEANING[name], "schema": _IN_PATH[name]}


def _in_query(name: str) -> Json:
    parameter = PARAMETERS[name]
    return {"name": name, "in": "query", "description": parameter.description, "schema": dict(parameter.schema)}


def _if_none_match(route: Route) -> list[Json]:
    if not _has(route, 304):
        return []
    said = "ETags of reports that the caller has."
    return [{"name": "If-None-Match", "in": "header", "description": said, "schema": {"type": "string"}}]


def _responses(route: Route) -> dict[int, Json]:
    """Answers first: a status that is both (health's 503) has the answer's body."""
    if route.anonymous:
        return {status: _response(route, status, model) for status, model in route.answers}
    refused = {*_ALWAYS, *route.refuses, *(_WITH_BODY if route.body else ())}
    found = {status: _response(route, status, PROBLEM) for status in refused}
    found[401] = {"description": _STATUS[401]}
    return found | {status: _response(route, status, model) for status, model in route.answers}


def _response(route: Route, status: int, model: str) -> Json:
    response: Json = {"description": _STATUS[status]}
    if model:
        media = "application/problem+json" if model == PROBLEM else "application/json"
        response["content"] = {media: {"schema": {"$ref": _SCHEMAS.format(model=model)}}}
        others = route.media if status == _DONE else ()
        response["content"] |= {media: {"schema": {"type": "string"}} for media in others}
    one_place = ("Location", "Retry-After") if model in _PLACES else ()
    names = {200: ("ETag",) if _has(route, 304) else (), 202: one_place, 304: ("ETag",)}
    headers = {
        name: {"description": _HEADERS[name], "required": True, "schema": {"type": "string"}}
        for name in names.get(status, ())
    }
    if headers:
        response["headers"] = headers
    return response


def _has(route: Route, status: int) -> bool:
    return any(status == found for found, _ in route.answers)


def _schemas() -> Json:
    answered = {model for route in ROUTES for _, model in route.answers if model} | {PROBLEM}
    asked = {route.body for route in ROUTES if route.body}
    wanted = [(_model(name), "serialization") for name in sorted(answered)]
    wanted += [(_model(name), "validation") for name in sorted(asked)]
    _, schemas = models_json_schema(wanted, ref_template=_SCHEMAS)  # type: ignore[arg-type]  # a list of pairs
    definitions: Json = schemas["$defs"]
    return definitions


def _model(name: str) -> type[BaseModel]:
    home = next(module for module in (http_schemas, health_schemas, reports_json) if hasattr(module, name))
    model: type[BaseModel] = getattr(home, name)
    return model


if __name__ == "__main__":
    from handlers.http_health import VERSION

    json.dump(document(VERSION).model_dump(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
