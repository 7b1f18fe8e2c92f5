# SPDX-License-Identifier: Apache-2.0
"""Is what a Kibana has what it was sent?

It adds members of its own, also within the texts of JSON an object is made of; and
what people may change without a loss is theirs: they switch rules on and off, and add
actions, exceptions and tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shipper.kibana.objects import SAVED, Kind, Object
from shipper.stack import differences

#: Members of a detection rule that are theirs to change.
THEIRS = (
    *("enabled", "exceptions_list", "actions", "alert_suppression"),
    *("investigation_fields", "response_actions", "timeline_id", "timeline_title"),
)

_COMPARED = {
    Kind.CONNECTOR: ("name", "config"),
    Kind.RULE: ("name", "tags", "schedule", "params", "actions"),
}
#: Kibana counts it up with every change in bulk.
_COUNTED = "version"
_LONGEST = 300
#: These say what is so without them, too.
_EMPTY: tuple[object, ...] = ("", [], {}, None, False)


def changes(
    ours: Object, theirs: Mapping[str, Any], ids_there: Mapping[tuple[str, str], str]
) -> tuple[str, ...]:
    """Return each difference as ``path: theirs, not ours``.

    Args:
        ours: the object as it is sent.
        theirs: the object as Kibana gives it back.
        ids_there: kind and our id -> id in this space, where it is another.
    """
    wanted = _content(ours, ours.body)
    found = _content(ours, theirs)
    if ours.kind in SAVED:
        wanted["references"] = {
            name: f"{kind} {ids_there.get((kind, there), there)}"
            for name, (kind, there) in wanted["references"].items()
        }
        found["references"] = {
            name: f"{kind} {there}"
            for name, (kind, there) in found["references"].items()
        }
    # A list that is longer or shorter is shown as a whole: panels fill pages.
    return tuple(
        change if len(change) <= _LONGEST else f"{change[:_LONGEST]}…"
        for change in differences(wanted, _shaped(found, wanted))
    )


def own_actions(
    rule: Object, actions: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the actions of a rule that are ours, and those people have added.

    Args:
        rule: as we have it.
        actions: of the rule in Kibana.
    """
    wanted = [_role(one) for one in rule.body["actions"]]
    ours: list[dict[str, Any]] = []
    added: list[dict[str, Any]] = []
    for one in actions:
        if _role(one) in wanted:
            wanted.remove(_role(one))
            ours.append(one)
        else:
            added.append(one)
    return ours, added


def tags(ours: Object, theirs: Mapping[str, Any]) -> list[str]:
    """Return our tags and those that were added."""
    own: list[str] = ours.body["tags"]
    return [*own, *(tag for tag in theirs.get("tags", ()) if tag not in own)]


def _role(action: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what an action is for; its text may be changed."""
    frequency = action.get("frequency") or {}
    return action["id"], action.get("group"), frequency.get("summary")


def _content(ours: Object, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts of an object."""
    if ours.kind in SAVED:
        named = {
            one["name"]: (one["type"], one["id"]) for one in body.get("references", ())
        }
        attributes = _decoded(_untabbed(body.get("attributes", {})))
        return {"attributes": attributes, "references": named}
    if ours.kind is Kind.DETECTION:
        left_out = {*THEIRS, _COUNTED}
        content = {name: body[name] for name in body.keys() - left_out}
    else:
        content = {name: body[name] for name in _COMPARED[ours.kind] if name in body}
    if "tags" in content:
        content["tags"] = [tag for tag in ours.body["tags"] if tag in content["tags"]]
    if ours.kind is Kind.RULE:
        content["actions"] = own_actions(ours, content.get("actions", []))[0]
    return content


def _untabbed(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the attributes of a saved search where they were before there were tabs.

    Kibana 9.1 and later copy them into a first tab; the newest keep them only there.
    """
    match attributes.get("tabs"):
        case [{"attributes": first}, *_]:
            return {**attributes, **first}
        case _:
            return attributes


def _decoded(value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a value with the JSON in its texts read."""
    if isinstance(value, Mapping):
        return {name: _decoded(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [_decoded(inside) for inside in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _decoded(msgspec.json.decode(value))
        except msgspec.DecodeError:
            return value
    return value


def _shaped(theirs: Any, ours: Any) -> Any:  # noqa: ANN401 - JSON is anything
    """Return theirs without what ours has not."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return {
            name: _shaped(theirs.get(name, value), value)
            for name, value in ours.items()
            if name in theirs or value in _EMPTY
        }
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [_shaped(*pair) for pair in zip(theirs, ours, strict=True)]
    return theirs
