# SPDX-License-Identifier: Apache-2.0
"""The objects Kibana gets, as compiled in the top-level folder ``dashboards``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shipper.stack import folder


class Kind(StrEnum):
    """Kinds of objects, in the order in which they are installed."""

    DATA_VIEW = "index-pattern"
    SEARCH = "search"
    DASHBOARD = "dashboard"
    DETECTION = "detection-rule"
    CONNECTOR = "connector"
    RULE = "alerting-rule"


#: Kinds that are saved objects, and go in as one file.
SAVED = (Kind.DATA_VIEW, Kind.SEARCH, Kind.DASHBOARD)

#: Setting ``kibana.rules`` -> kinds it stands for.
FORMS = {
    "none": (),
    "security": (Kind.DETECTION,),
    "stack": (Kind.CONNECTOR, Kind.RULE),
    "both": (Kind.DETECTION, Kind.CONNECTOR, Kind.RULE),
}


_LINES = msgspec.json.Decoder(dict[str, Any])


class Object(Struct, frozen=True, kw_only=True):
    """One object, as it is sent.

    Attributes:
        kind: what it is.
        id: what Kibana calls it; the same in every installation.
        name: what people call it; no two of a kind share it.
        body: the request's JSON, or the line of a file.
    """

    kind: Kind
    id: str
    name: str
    body: dict[str, Any]


@cache
def objects(space: str = "default") -> tuple[Object, ...]:
    """Return everything there is to install, in order.

    Args:
        space: where. An id is given once in all spaces; Kibana finds another by itself
            for saved objects that are imported, rules and connectors get theirs here.

    Raises:
        ShipperError: the installation has no dashboards.
    """
    root = folder("dashboards")
    views = root.joinpath("views", "generated", "views.ndjson").read_bytes()
    rules = root.joinpath("rules", "compiled")
    stack = msgspec.json.decode(rules.joinpath("stack.json").read_bytes())
    found = [_saved(body) for body in _LINES.decode_lines(views)]
    found += [
        Object(kind=Kind.DETECTION, id=body["rule_id"], name=body["name"], body=body)
        for body in _LINES.decode_lines(rules.joinpath("security.ndjson").read_bytes())
    ]
    for kind, name in ((Kind.CONNECTOR, "connectors"), (Kind.RULE, "rules")):
        found += [
            Object(kind=kind, id=one["id"], name=one["body"]["name"], body=one["body"])
            for one in stack[name]
        ]
    if space != "default":
        found = [_moved(one, space) for one in found]
    return tuple(sorted(found, key=lambda one: list(Kind).index(one.kind)))


def named(kind: str, name: str, space: str = "default") -> Object:
    """Return one object by its name.

    Raises:
        KeyError: there is none.
    """
    for found in objects(space):
        if (found.kind, found.name) == (kind, name):
            return found
    raise KeyError(name)


def title(body: Mapping[str, Any]) -> str:
    """Return what people call a saved object: data views have a name beside it."""
    attributes = body.get("attributes", {})
    return str(attributes.get("name") or attributes.get("title", ""))


def _moved(one: Object, space: str) -> Object:
    """Return an object with the ids it has in another space than the default one."""
    if one.kind is Kind.CONNECTOR:
        return replace(one, id=f"{one.id}-{space}")
    if one.kind is Kind.RULE:
        actions = [
            action | {"id": f"{action['id']}-{space}"} for action in one.body["actions"]
        ]
        body = one.body | {"actions": actions}
        return replace(one, id=str(uuid5(UUID(one.id), space)), body=body)
    return one


def _saved(body: dict[str, Any]) -> Object:
    return Object(kind=Kind(body["type"]), id=body["id"], name=title(body), body=body)
