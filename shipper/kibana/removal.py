# SPDX-License-Identifier: Apache-2.0
"""What taking set-up back would do in Kibana. All is decided before anything is done.

Only what has our ids and our names is looked at; what others use stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shipper.kibana.client import Kibana
from shipper.kibana.holdings import holdings, references, referring
from shipper.kibana.objects import FORMS, SAVED, Kind, Object, objects, title
from shipper.kibana.plan import taken
from shipper.stack import Inventory, Step


def plan_removal(
    kibana: Kibana, *, rules: Literal["stack", "security", "both", "none"] = "both"
) -> list[Step]:
    """Return what would be removed, in order, and what would be left. Changes nothing.

    Args:
        kibana: the client.
        rules: form of the alert rules that is used; of others, what may not be seen is
            left out.

    Raises:
        SinkUnavailable: Kibana is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong, or may not see what there is.
    """
    found = holdings(kibana, Kind)
    steps: list[Step] = []
    for kind, each in found.items():
        if each.refusal and kind in (*SAVED, *FORMS[rules]):
            raise each.refusal
        if each.refusal:
            steps.append(
                Step(
                    kind=kind,
                    name=f"{kind}s",
                    action="skipped",
                    reason="these credentials may not see whether there are any",
                )
            )
    # What goes: what only these use is free.
    gone: set[tuple[str, str]] = set()
    for one in reversed(objects(kibana.space)):
        theirs = found[one.kind].objects.get(one.id)
        if theirs is None:
            continue
        reason = taken(one, theirs) or _used(kibana, one, found, gone)
        if not reason:
            gone.add((one.kind, str(theirs["id"])))
        steps.append(
            Step(
                kind=one.kind,
                name=one.name,
                action="kept" if reason else "remove",
                reason=reason,
            )
        )
    return steps


def _used(
    kibana: Kibana,
    one: Object,
    found: Mapping[Kind, Inventory],
    gone: set[tuple[str, str]],
) -> str:
    """Return what others use an object for, or an empty text."""
    if one.kind is Kind.CONNECTOR:
        ours = sum(
            any(action["id"] == one.id for action in rule.get("actions", ()))
            for kind in (Kind.RULE, Kind.DETECTION)
            for rule in found[kind].objects.values()
        )
        others = references(kibana, one) - ours
        return f"{others} more of your objects use it" if others > 0 else ""
    if one.kind not in SAVED or one.kind is Kind.DASHBOARD:
        return ""
    there = str(found[one.kind].objects[one.id]["id"])
    for user in referring(kibana, one.kind, there):
        if (user["type"], user["id"]) not in gone:
            return f"the {user['type']} {title(user)!r} uses it"
    return ""
