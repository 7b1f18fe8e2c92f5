# SPDX-License-Identifier: Apache-2.0
"""What a Kibana has of ours, kind by kind.

Each kind of object has an address and an answer of its own shape; here they become
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from shipper.kibana.client import Kibana
from shipper.kibana.objects import SAVED, Kind, Object, objects
from shipper.kibana.replies import NOT_FOUND, Reply
from shipper.stack import Inventory

_FORBIDDEN = 403
_PLACES = {
    Kind.CONNECTOR: "/api/actions/connector",
    Kind.RULE: "/api/alerting/rule",
}
_RULES = "/api/alerting/rules/_find"
_DETECTION = "/api/detection_engine/rules"
#: Kinds of saved objects that can refer to others and can be searched for.
_REFERRING = ("dashboard", "search", "lens", "visualization", "map")
_MOST = "10000"


def holdings(kibana: Kibana, kinds: Iterable[Kind]) -> dict[Kind, Inventory]:
    """Ask what a Kibana has of our objects, by their ids in our files.

    A saved object's own ``id`` differs from ours where another space took ours first.

    Raises:
        ShipperError: it does not answer, or refuses for another reason than rights.
    """
    wanted = frozenset(kinds)
    found: dict[Kind, Inventory] = {}
    if wanted & set(SAVED):
        found |= _saved(kibana)
    for kind in wanted - set(SAVED):
        found[kind] = _single(kibana, kind)
    return found


def ids_there(found: Mapping[Kind, Inventory]) -> dict[tuple[str, str], str]:
    """Return the ids objects have in a space, by kind and our id."""
    return {
        (str(kind), id_here): str(body["id"])
        for kind, each in found.items()
        for id_here, body in each.objects.items()
    }


def place(found: Object) -> str:
    """Return the address of an object that is no saved object."""
    return f"{_PLACES[found.kind]}/{quote(found.id)}"


def remove(kibana: Kibana, found: Object, id_there: str) -> Reply:
    """Take one object away.

    Args:
        kibana: where.
        found: the object, as we have it.
        id_there: its id in this space.
    """
    if found.kind is Kind.DETECTION:
        return kibana.request("DELETE", _DETECTION, query={"rule_id": found.id})
    if found.kind in SAVED:
        path = f"/api/saved_objects/{found.kind}/{quote(id_there)}"
        return kibana.request("DELETE", path)
    return kibana.request("DELETE", place(found))


def referring(kibana: Kibana, kind: Kind, id_there: str) -> list[dict[str, Any]]:
    """Return the saved objects and rules that refer to one, without their attributes.

    Raises:
        ShipperError: it does not answer, or refuses for another reason than rights to
            rules.
    """
    reference = {"type": kind, "id": id_there}
    several = msgspec.json.encode([reference]).decode()
    found = _found(kibana, {"type": _REFERRING, "has_reference": several})
    # Rules are hidden from the search of saved objects.
    one = msgspec.json.encode(reference).decode()
    reply = kibana.get(_RULES, query={"has_reference": one, "per_page": "100"})
    rules = [] if reply.status == _FORBIDDEN else _body(reply)["data"]
    return found + [
        {"type": Kind.RULE, "id": rule["id"], "attributes": {"title": rule["name"]}}
        for rule in rules
    ]


def references(kibana: Kibana, connector: Object) -> int:
    """Return how many objects use a connector.

    Raises:
        ShipperError: it does not answer, or refuses.
    """
    listed = _body(kibana.get("/api/actions/connectors"))
    return sum(
        one.get("referenced_by_count", 0) for one in listed if one["id"] == connector.id
    )


def _saved(kibana: Kibana) -> dict[Kind, Inventory]:
    wanted = {(one.kind, one.id) for one in objects(kibana.space) if one.kind in SAVED}
    ours: dict[tuple[str, str], str] = {}
    for each in _found(kibana, {"type": SAVED}):
        kind, there = each["type"], each["id"]
        if (kind, there) in wanted:
            ours[kind, there] = there
        elif (origin := (kind, each.get("originId", ""))) in wanted:
            ours.setdefault(origin, there)
    bodies = _bodies(kibana, [(kind, there) for (kind, _), there in ours.items()])
    return {
        kind: Inventory(
            objects={
                id_here: bodies[each, there]
                for (each, id_here), there in ours.items()
                if each == kind and (each, there) in bodies
            }
        )
        for kind in SAVED
    }


def _bodies(
    kibana: Kibana, wanted: list[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    if not wanted:
        return {}
    asked = [{"type": kind, "id": there} for kind, there in wanted]
    path = "/api/saved_objects/_bulk_get"
    reply = _body(kibana.request("POST", path, body=asked))
    return {
        (one["type"], one["id"]): one
        for one in reply["saved_objects"]
        if "error" not in one
    }


def _found(
    kibana: Kibana, query: Mapping[str, str | tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Search without what may be large.

    Kibana calls this interface one to be removed; an export would tell the same.
    """
    brief = {"fields": ("title", "name"), "per_page": _MOST}
    reply = kibana.get("/api/saved_objects/_find", query={**query, **brief})
    found: list[dict[str, Any]] = _body(reply)["saved_objects"]
    return found


def _single(kibana: Kibana, kind: Kind) -> Inventory:
    found: dict[str, dict[str, Any]] = {}
    for one in objects(kibana.space):
        if one.kind is not kind:
            continue
        if kind is Kind.DETECTION:
            reply = kibana.get(_DETECTION, query={"rule_id": one.id})
        else:
            reply = kibana.get(place(one))
        if reply.status == _FORBIDDEN:
            return Inventory(refusal=reply.error)
        if reply.status != NOT_FOUND:
            found[one.id] = _body(reply)
        elif reply.words == "Not Found":
            # There are no rules of this kind at all; a missing rule is named.
            return Inventory(lacking=True)
    return Inventory(objects=found)


def _body(reply: Reply) -> Any:  # noqa: ANN401 - JSON is anything
    if reply.error:
        raise reply.error
    return reply.body
