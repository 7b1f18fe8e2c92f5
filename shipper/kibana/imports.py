# SPDX-License-Identifier: Apache-2.0
"""Objects that go into Kibana as one file: saved objects, and detection rules.

Kibana answers 200 also when it refuses, and says for each object what became of it; of
what it does not account for, it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from shipper.errors import ShipperError, SinkUnavailable
from shipper.kibana.client import Kibana
from shipper.kibana.holdings import holdings, ids_there
from shipper.kibana.likeness import THEIRS, changes, tags
from shipper.kibana.objects import Kind, Object, named
from shipper.kibana.replies import refusal
from shipper.stack import Step, refused

#: With one of these among the errors, Kibana has not written the file as a rule.
_RESOLVABLE = frozenset({"conflict", "ambiguous_conflict", "missing_references"})
_ALIAS = "legacy-url-alias"

#: What Kibana has, by kind and our id.
Bodies = Mapping[tuple[Kind, str], Mapping[str, Any]]


def saved_objects(kibana: Kibana, steps: Sequence[Step], _: Bodies) -> list[Step]:
    """Import saved objects.

    Args:
        kibana: where.
        steps: what is imported.

    Returns:
        The steps, those that were refused with the reason; and one for each thing that
        was not sent and that Kibana complains of all the same.

    Raises:
        ShipperError: it does not answer.
    """
    each = [(step, named(step.kind, step.name, kibana.space)) for step in steps]
    path = "/api/saved_objects/_import"
    # Where another space has our ids, links between dashboards need their aliases.
    aliases = {"compatibilityMode": "true"}
    reply = kibana.upload(path, [one.body for _, one in each], query=aliases)
    if reply.error:
        return [refused(step, reply.error) for step in steps]
    problems = {
        _subject(error): error["error"] for error in reply.body.get("errors", ())
    }
    results = {
        (result["type"], result["id"]): result
        for result in reply.body.get("successResults", ())
    }
    held = any(problem["type"] in _RESOLVABLE for problem in problems.values())
    unsure = held or (not reply.body.get("success", True) and not problems)
    written = _alike(kibana, [one for _, one in each]) if unsure else set[str]()
    done: list[Step] = []
    for step, one in each:
        key = (str(one.kind), one.id)
        if problem := problems.pop(key, None):
            done.append(refused(step, _problem(kibana.where, key, one.name, problem)))
        elif one.id in written or (key in results and not unsure):
            done.append(_became(step, results.get(key, {})))
        else:
            done.append(refused(step, _unwritten(kibana.where, one, held=held)))
    for (kind, name), problem in problems.items():
        error = _problem(kibana.where, (kind, name), name, problem)
        done.append(refused(Step(kind=kind, name=name, action="refused"), error))
    return done


def detections(kibana: Kibana, steps: Sequence[Step], bodies: Bodies) -> list[Step]:
    """Import detection rules; what people have changed of them is kept.

    Args:
        kibana: where.
        steps: what is imported.
        bodies: what is there.

    Raises:
        ShipperError: it does not answer.
    """
    each = [(step, named(step.kind, step.name, kibana.space)) for step in steps]
    lines = [_merged(one, bodies.get((one.kind, one.id), {})) for _, one in each]
    reply = kibana.upload("/api/detection_engine/rules/_import", lines)
    if reply.error:
        return [refused(step, reply.error) for step in steps]
    problems = [
        (error.get("rule_id", ""), error["error"]) for error in reply.body["errors"]
    ]
    ids = {one.id for _, one in each}
    # Errors need not name the rules they are about, and one rule's connector that is
    # missing may keep all others back: what is there counts.
    complete = reply.body["success_count"] == len(each)
    written = ids if complete else _alike(kibana, [one for _, one in each])
    nameless = [problem for name, problem in problems if name not in ids]
    others = nameless or [problem for _, problem in problems]
    done: list[Step] = []
    for step, one in each:
        if own := [problem for name, problem in problems if name == one.id]:
            done.append(refused(step, _told(f"{kibana.where}: {one.name}", own)))
        elif one.id in written:
            done.append(step)
        elif others:
            done.append(refused(step, _told(kibana.where, others)))
        else:
            done.append(refused(step, _unwritten(kibana.where, one, held=False)))
    return done


def _alike(kibana: Kibana, sent: Sequence[Object]) -> set[str]:
    """Return the ids of the objects that are there as they were sent."""
    found = holdings(kibana, {one.kind for one in sent})
    known = ids_there(found)
    return {
        one.id
        for one in sent
        if (theirs := found[one.kind].objects.get(one.id)) is not None
        and not changes(one, theirs, known)
    }


def _merged(one: Object, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a detection rule with what people have added to it."""
    kept = {
        name: value
        for name, value in theirs.items()
        if name in THEIRS and value is not None
    }
    return one.body | kept | {"tags": tags(one, theirs)}


def _told(where: str, problems: Sequence[Mapping[str, Any]]) -> ShipperError:
    words = "; ".join(problem["message"].rstrip(".") for problem in problems)
    return refusal(where, problems[0]["status_code"], words)


def _subject(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return type and id of the object an error is about.

    An alias is named after it: space, type and id.
    """
    if error["type"] == _ALIAS:
        _, kind, name = str(error["id"]).split(":", 2)
        return kind, name
    return error["type"], error["id"]


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


def _problem(
    where: str, subject: tuple[str, str], name: str, problem: Mapping[str, Any]
) -> ShipperError:
    """Return what a person is told about one saved object, by its kind and id."""
    kind, own = subject
    match problem["type"]:
        case "conflict":
            there = problem.get("destinationId", own)
            account = f"{kind} {there} is in its place"
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
            account = f"this Kibana has no {kind}"
            remedy = "Switch that feature on."
        case _:
            words = str(problem.get("message", problem["type"])).rstrip(".")
            status = int(problem.get("statusCode", 400))
            return refusal(f"{where}: {name}", status, words)
    return SinkUnavailable(f"{where} refused {name}: {account}.", remedy=remedy)
