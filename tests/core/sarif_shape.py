"""
The part of SARIF 2.1.0 that the report uses, as a JSON Schema that knows no other member.

Stricter than the standard's own schema: what is not listed here is refused, so nobody adds a member without looking up
what the standard says of it.
"""

from typing import Any

type Json = dict[str, Any]


def _object(required: str = "", **members: Json) -> Json:
    names = required.split()
    return {"type": "object", "additionalProperties": False, "required": names, "properties": members}


def _list(items: Json, least: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": least}


_TEXT: Json = {"type": "string", "minLength": 1}
_MOMENT: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
_ADDRESS: Json = {"type": "string", "pattern": "^https://[^ ]+$"}
_RELATIVE: Json = {"type": "string", "pattern": "^[A-Za-z0-9%._~/()!$&'*+,;=:@-]+$"}
_LEVEL: Json = {"enum": ["none", "note", "warning", "error"]}
_MESSAGE = _object("text", text=_TEXT)
_BAG: Json = {"type": "object"}

_RULE = _object(
    "id",
    id=_TEXT,
    name=_TEXT,
    shortDescription=_MESSAGE,
    fullDescription=_MESSAGE,
    defaultConfiguration=_object("level", level=_LEVEL),
    help=_object("text", text=_TEXT, markdown=_TEXT),
    helpUri=_ADDRESS,
    properties=_BAG,
)
_DRIVER = _object("name", name=_TEXT, semanticVersion=_TEXT, informationUri=_ADDRESS, rules=_list(_RULE, 1))
_INVOCATION = _object(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    startTimeUtc=_MOMENT,
    endTimeUtc=_MOMENT,
    toolExecutionNotifications=_list(_object("message", level=_LEVEL, message=_MESSAGE), 1),
)
_LOCATION = _object(
    physicalLocation=_object(
        artifactLocation=_object("uri uriBaseId", uri=_RELATIVE, uriBaseId={"const": "RESOURCEMANAGER"}),
        region=_object("startLine", startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations=_list(_object(name=_TEXT, fullyQualifiedName=_TEXT, kind={"const": "resource"}), 1),
)
_RESULT = _object(
    "message ruleId level partialFingerprints locations",
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    kind={"const": "fail"},
    level=_LEVEL,
    message=_MESSAGE,
    locations=_list(_LOCATION, 1),
    partialFingerprints={"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
    properties=_BAG,
)
_RUN = _object(
    "tool results invocations",
    tool=_object("driver", driver=_DRIVER),
    invocations=_list(_INVOCATION, 1),
    automationDetails=_object("id", id={"type": "string", "pattern": "/$"}),
    originalUriBaseIds={"type": "object", "additionalProperties": _object("uri", uri={"pattern": "^https://.+/$"})},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=_list(_RESULT),
    properties=_BAG,
)
LOG = _object("version runs", **{"$schema": _ADDRESS, "version": {"const": "2.1.0"}, "runs": _list(_RUN, 1)})
