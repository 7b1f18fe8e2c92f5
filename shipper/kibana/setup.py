# SPDX-License-Identifier: Apache-2.0
"""Set-up of Kibana: carries out a plan, and tells of each object what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from shipper.errors import ShipperError, SinkUnavailable
from shipper.kibana.client import Kibana
from shipper.kibana.holdings import holdings, place, remove
from shipper.kibana.imports import detections, saved_objects
from shipper.kibana.likeness import own_actions, tags
from shipper.kibana.objects import SAVED, Kind, Object, named
from shipper.kibana.replies import NOT_FOUND, Reply
from shipper.stack import Step, carried_out, refused

#: Members of a rule, and of its actions, that cannot be sent with a change.
_UNCHANGEABLE = ("rule_type_id", "consumer", "enabled")
_RETURNED = "connector_type_id"
_CHANGES = frozenset({"create", "update"})


def apply(kibana: Kibana, steps: Iterable[Step]) -> list[Step]:
    """Carry out a plan; safe to repeat.

    One object that is refused does not keep the others from being installed, except
    rules whose connector is missing.

    Returns:
        The steps; those Kibana refused say so, and why.

    Raises:
        SinkUnavailable: Kibana is unreachable, before anything is sent.
        NotPermitted: the credentials are wrong.
    """
    planned = list(steps)
    found = holdings(kibana, {Kind(step.kind) for step in planned})
    bodies = {
        (kind, id_here): body
        for kind, each in found.items()
        for id_here, body in each.objects.items()
    }
    sent = [step for step in planned if step.action in _CHANGES]
    silent: list[ShipperError] = []

    def tried(steps: Sequence[Step], attempt: Callable[[], list[Step]]) -> list[Step]:
        """Without an answer nothing is known of these steps, and no other is tried."""
        if silent:
            error = SinkUnavailable(f"not tried: {silent[0].message}")
            return [refused(step, error) for step in steps]
        try:
            return attempt()
        except ShipperError as error:
            silent.append(error)
            return [refused(step, error) for step in steps]

    results: dict[tuple[str, str], Step] = {}
    for importing, kinds in ((saved_objects, SAVED), (detections, (Kind.DETECTION,))):
        if part := [step for step in sent if step.kind in kinds]:
            imported = tried(part, partial(importing, kibana, part, bodies))
            results |= {(step.kind, step.name): step for step in imported}

    def carry_out(step: Step) -> Step:
        if result := results.pop((step.kind, step.name), None):
            return result
        one = named(step.kind, step.name, kibana.space)
        theirs = bodies.get((one.kind, one.id), {})
        (became,) = tried(
            [step], lambda: [_became(step, _sent(kibana, step, one, theirs))]
        )
        return became

    done = carried_out(planned, carry_out, before=Kind.CONNECTOR if sent else "")
    return [*done, *results.values()]  # and what Kibana said of what was not sent


def _became(step: Step, reply: Reply) -> Step:
    gone = step.action == "remove" and reply.status == NOT_FOUND
    if reply.error and not gone:
        return refused(step, reply.error)
    if isinstance(reply.body, dict) and reply.body.get("api_key_created_by_user"):
        return replace(step, reason="it runs with the API key of this set-up: keep it")
    return step


def _sent(kibana: Kibana, step: Step, one: Object, theirs: Mapping[str, Any]) -> Reply:
    if step.action == "remove":
        return remove(kibana, one, str(theirs.get("id", one.id)))
    if step.action == "create":
        return kibana.request("POST", place(one), body=one.body, once=True)
    body = dict(one.body)
    if one.kind is Kind.RULE:
        body = _changed(one, theirs)
    else:
        del body[_RETURNED]
    return kibana.request("PUT", place(one), body=body)


def _changed(rule: Object, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule becomes: ours, and what people have added to it."""
    ours, added = own_actions(rule, theirs.get("actions", []))
    body = {k: v for k, v in rule.body.items() if k not in _UNCHANGEABLE}
    # With its id of before, an action that waits goes on waiting.
    known = [{"uuid": one["uuid"]} for one in ours if "uuid" in one]
    known += [{}] * (len(rule.body["actions"]) - len(known))
    body["actions"] = [
        *(a | b for a, b in zip(rule.body["actions"], known, strict=True)),
        *({k: v for k, v in one.items() if k != _RETURNED} for one in added),
    ]
    body["tags"] = tags(rule, theirs)
    artifacts = theirs.get("artifacts") or {}
    if kept := {name: value for name, value in artifacts.items() if value}:
        body["artifacts"] = kept
    return body
