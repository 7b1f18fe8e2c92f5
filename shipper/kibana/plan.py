# SPDX-License-Identifier: Apache-2.0
"""What set-up would do in Kibana: it is compared with ``dashboards``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from shipper.errors import SinkUnavailable
from shipper.kibana.client import Kibana
from shipper.kibana.holdings import holdings, ids_there
from shipper.kibana.likeness import changes
from shipper.kibana.objects import FORMS, SAVED, Kind, Object, objects, title
from shipper.stack import Inventory, Step, refused

#: What cannot be changed of an object that is there.
_FIXED = {Kind.CONNECTOR: "connector_type_id", Kind.RULE: "rule_type_id"}


def plan(
    kibana: Kibana,
    *,
    rules: Literal["stack", "security", "both", "none"] = "stack",
) -> list[Step]:
    """Compare Kibana with our objects. Changes nothing.

    Args:
        kibana: the client.
        rules: which form of the alert rules is wanted.

    Raises:
        SinkUnavailable: Kibana is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong.
    """
    kinds = (*SAVED, *FORMS[rules])
    found = holdings(kibana, kinds)
    known = ids_there(found)
    return [
        _step(
            one,
            found[one.kind],
            known,
            asked=rules == "security" and one.kind is Kind.DETECTION,
        )
        for one in objects(kibana.space)
        if one.kind in kinds
    ]


def taken(one: Object, theirs: Mapping[str, Any]) -> str:
    """Return why an object with our id is not ours, or an empty text."""
    if one.kind in SAVED and (name := title(theirs)) != one.name:
        return f"what has its id {one.id} is called {name!r} and is left alone"
    return ""


def _step(
    one: Object,
    found: Inventory,
    known: Mapping[tuple[str, str], str],
    *,
    asked: bool,
) -> Step:
    """Return what is done with an object; ``asked``: it is what was asked for."""
    if found.refusal:
        return refused(_unchanged(one), found.refusal)
    if found.lacking:
        reason = f"this Kibana has no {one.kind.replace('-', ' ')}s"
        if asked:
            error = SinkUnavailable(f"{reason}.", remedy="Use kibana.rules = stack.")
            return refused(_unchanged(one), error)
        return Step(kind=one.kind, name=one.name, action="skipped", reason=reason)
    theirs = found.objects.get(one.id)
    if theirs is None:
        reason = "it is not installed"
        return Step(kind=one.kind, name=one.name, action="create", reason=reason)
    return _compared(one, theirs, known)


def _compared(
    one: Object, theirs: Mapping[str, Any], known: Mapping[tuple[str, str], str]
) -> Step:
    """Return what is done with an object that is there."""
    if reason := taken(one, theirs):
        return Step(kind=one.kind, name=one.name, action="skipped", reason=reason)
    fixed = _FIXED.get(one.kind, "")
    if theirs.get(fixed) != one.body.get(fixed):
        error = SinkUnavailable(
            f"{one.name} is there as {theirs.get(fixed)}, not {one.body[fixed]}.",
            remedy="Remove it in Kibana, and run `clisvc setup` again.",
        )
        return refused(_unchanged(one), error)
    if found_changes := changes(one, theirs, known):
        return Step(
            kind=one.kind,
            name=one.name,
            action="update",
            reason="it is installed with other content",
            changes=found_changes,
        )
    return _unchanged(one)


def _unchanged(one: Object) -> Step:
    return Step(kind=one.kind, name=one.name, action="unchanged")
