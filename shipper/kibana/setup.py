# SPDX-License-Identifier: Apache-2.0
"""Set-up of Kibana: carries out a plan.

Saved objects go in as one file, and so do detection rules: Kibana answers 200 also
when it refuses, and says for each object what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from shipper.errors import ShipperError, SinkUnavailable
from shipper.kibana.client import Kibana, Reply, refusal
from shipper.kibana.holdings import holdings, place, remove
from shipper.kibana.likeness import THEIRS, own_actions
from shipper.kibana.objects import SAVED, Kind, Object, named
from shipper.stack import Step, carried_out, refused

#: Members of a rule, and of its actions, that cannot be sent with a change.
_UNCHANGEABLE = ("rule_type_id", "consumer", "enabled")
_RETURNED = "connector_type_id"
#: With one of these among the errors, Kibana writes nothing of the file.
_RESOLVABLE = frozenset({"conflict", "ambiguous_conflict", "missing_references"})
_CHANGES = frozenset({"create", "update"})


def apply(kibana: Kibana, steps: Iterable[Step]) -> list[Step]:
    """Carry out a plan; safe to repeat.

    One object that is refused does not keep the others from being installed, except
    rules whose connector is missing.

    Returns:
        The steps; those Kibana refused say so, and why.

    Raises:
        SinkUnavailable: Kibana is unreachable.
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
    batches = (
        _imported(kibana, [step for step in sent if step.kind in SAVED]),
        _detections(kibana, [s for s in sent if s.kind == Kind.DETECTION], bodies),
    )
    results = {(step.kind, step.name): step for batch in batches for step in batch}

    def carry_out(step: Step) -> Step:
        if imported := results.get((step.kind, step.name)):
            return imported
        one = named(step.kind, step.name, kibana.space)
        theirs = bodies.get((one.kind, one.id), {})
        reply = _sent(kibana, step, one, theirs)
        return refused(step, reply.error) if reply.error else step

    return carried_out(planned, carry_out, before=Kind.CONNECTOR if sent else "")


def _sent(kibana: Kibana, step: Step, one: Object, theirs: Mapping[str, Any]) -> Reply:
    if step.action == "remove":
        return remove(kibana, one, str(theirs.get("id", one.id)))
    if step.action == "create":
        return kibana.request("POST", place(one), body=one.body)
    body = dict(one.body)
    if one.kind is Kind.RULE:
        added = own_actions(one, theirs.get("actions", []))[1]
        kept = [
            {name: value for name, value in action.items() if name != _RETURNED}
            for action in added
        ]
        body = {k: v for k, v in body.items() if k not in _UNCHANGEABLE}
        body["actions"] = [*body["actions"], *kept]
    else:
        del body[_RETURNED]
    return kibana.request("PUT", place(one), body=body)


def _imported(kibana: Kibana, steps: Sequence[Step]) -> list[Step]:
    """Import saved objects."""
    if not steps:
        return []
    each = [(step, named(step.kind, step.name, kibana.space)) for step in steps]
    path = "/api/saved_objects/_import"
    # Where another space has our ids, links between dashboards need their aliases.
    aliases = {"compatibilityMode": "true"}
    reply = kibana.upload(path, [one.body for _, one in each], query=aliases)
    if reply.error:
        return [refused(step, reply.error) for step in steps]
    problems = {
        (error["type"], error["id"]): error["error"]
        for error in reply.body.get("errors", ())
    }
    results = {
        (result["type"], result["id"]): result
        for result in reply.body.get("successResults", ())
    }
    held = any(problem["type"] in _RESOLVABLE for problem in problems.values())
    done: list[Step] = []
    for step, one in each:
        key = (str(one.kind), one.id)
        if key in problems:
            done.append(refused(step, _problem(kibana.where, one, problems[key])))
        elif held or key not in results:
            done.append(refused(step, _unwritten(kibana.where, one, held=held)))
        else:
            done.append(_became(step, results[key]))
    return done


def _became(step: Step, result: Mapping[str, Any]) -> Step:
    """Return what became of a saved object."""
    there = result.get("destinationId", "")
    return replace(
        step,
        action="update" if result.get("overwrite") else step.action,
        reason=f"its id here is {there}; another space has ours"
        if there
        else step.reason,
    )


def _unwritten(where: str, one: Object, *, held: bool) -> ShipperError:
    reason = "because others of the same file were" if held else "and does not say why"
    return SinkUnavailable(
        f"{where} refused {one.name}, {reason}.",
        remedy="Look at the other errors first." if held else "",
    )


def _problem(where: str, one: Object, problem: Mapping[str, Any]) -> ShipperError:
    """Return what a person is told about one saved object."""
    match problem["type"]:
        case "conflict":
            there = problem.get("destinationId", one.id)
            account = f"{one.kind} {there} is in its place"
            remedy = "Remove that, or import into another space."
        case "ambiguous_conflict":
            ids = [str(each["id"]) for each in problem.get("destinations", ())]
            account = f"several were made of it in this space ({', '.join(ids)})"
            remedy = "Remove all of them but one."
        case "missing_references":
            missing = [f"{r['type']} {r['id']}" for r in problem["references"]]
            account = f"it refers to {', '.join(missing)}, which this space has not"
            remedy = "Run `clisvc setup` again; if it stays so, please report it."
        case "unsupported_type":
            account = f"this Kibana has no {one.kind}"
            remedy = "Switch that feature on."
        case _:
            words = str(problem.get("message", problem["type"])).rstrip(".")
            status = int(problem.get("statusCode", 400))
            return refusal(f"{where}: {one.name}", status, words)
    return SinkUnavailable(f"{where} refused {one.name}: {account}.", remedy=remedy)


def _detections(
    kibana: Kibana,
    steps: Sequence[Step],
    bodies: Mapping[tuple[Kind, str], Mapping[str, Any]],
) -> list[Step]:
    """Import detection rules; what people have changed of them is kept."""
    if not steps:
        return []
    each = [(step, named(step.kind, step.name, kibana.space)) for step in steps]
    lines = [
        one.body
        | {
            name: value
            for name, value in bodies.get((one.kind, one.id), {}).items()
            if name in THEIRS
        }
        for _, one in each
    ]
    reply = kibana.upload("/api/detection_engine/rules/_import", lines)
    if reply.error:
        return [refused(step, reply.error) for step in steps]
    problems = {
        error.get("rule_id", ""): error["error"] for error in reply.body["errors"]
    }
    done: list[Step] = []
    for step, one in each:
        if problem := problems.get(one.id):
            where = f"{kibana.where}: {one.name}"
            status, words = problem["status_code"], problem["message"].rstrip(".")
            done.append(refused(step, refusal(where, status, words)))
        elif problems and reply.body.get("success_count") == 0:
            # An error of the whole file names no rule of ours.
            account = "; ".join(problem["message"] for problem in problems.values())
            done.append(refused(step, refusal(kibana.where, 400, account.rstrip("."))))
        else:
            done.append(step)
    return done
