# SPDX-License-Identifier: Apache-2.0
"""Set-up: carries out a plan, and makes sure nothing is shipped before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from elastic_transport import ApiError
from elasticsearch import AuthorizationException, Elasticsearch
from msgspec import Struct

from shipper.config import SetupSettings
from shipper.deliver.problems import explain
from shipper.errors import NotPermitted, ShipperError, SinkUnavailable
from shipper.stack.assets import OWNER, Asset, Kind, assets, owner
from shipper.stack.objects import install, installed, remove, restart
from shipper.stack.plan import ESSENTIAL, difference, plan
from shipper.stack.server import JSON, address, explained
from shipper.stack.step import Step
from shipper.stack.streams import data_streams

_PRIVILEGE = "manage_index_templates"
_MADE = frozenset({"create", "update"})
_UNPLANNED = frozenset({"unchanged", "kept", "skipped", "refused"})


class Ensured(Struct, frozen=True, kw_only=True):
    """What was found, or done, before anything is shipped.

    Attributes:
        installed: names of the objects created just now.
        notes: what is not as it should be but does not stop the shipping.
    """

    installed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def apply(client: Elasticsearch, steps: Iterable[Step]) -> list[Step]:
    """Carry out a plan; safe to repeat.

    One object that is refused does not keep the others from being installed, except
    what comes after an ingest pipeline: templates would refer to what is not there.

    Returns:
        The steps; those the server refused say so, and why.

    Raises:
        SinkUnavailable: the server is unreachable, or another template would win over
            ours and leave a data stream without our fields.
        NotPermitted: the credentials are wrong.
    """
    with explained(client):
        done = carried_out(
            steps, lambda step: _carry_out(client, step), before=Kind.INGEST_PIPELINE
        )
        if not any(step.error for step in done):
            for template in _templates(done):
                _require_mapped(client, template)
    return done


def carried_out(
    steps: Iterable[Step], carry_out: Callable[[Step], Step], *, before: str
) -> list[Step]:
    """Return the steps of a plan after what was to be done is done.

    Args:
        steps: the plan.
        carry_out: does one of them, and returns it, refused if it was.
        before: kind without which those that follow are not tried.
    """
    done: list[Step] = []
    blocked = ""
    for step in steps:
        if step.action in _UNPLANNED:
            done.append(step)
        elif blocked:
            done.append(refused(step, SinkUnavailable(blocked)))
        else:
            done.append(carry_out(step))
        if done[-1].error and step.kind == before and step.action in _MADE:
            blocked = f"not tried, because {step.name} was refused"
    return done


def refused(step: Step, error: ShipperError) -> Step:
    """Return a step that could not be taken, and why."""
    return msgspec.structs.replace(
        step, action="refused", reason=error.message, error=error
    )


def ensure(
    client: Elasticsearch, *, namespace: str, settings: SetupSettings | None = None
) -> Ensured:
    """Make sure that no data stream of ours is created without its fields.

    Templates that are there are left as they are, whatever their version; missing
    ones are installed if the credentials permit it.

    Args:
        client: of the server that will be shipped to.
        namespace: last part of the names of the data streams.
        settings: what is wanted of what has to be installed; default: the defaults.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else; or
            a template of others leaves data streams without our fields.
        NotPermitted: the credentials are wrong; or templates are missing, or cannot be
            shown to exist, and may not be installed.
    """
    templates = [one for one in assets() if one.stream_patterns]
    with explained(client):
        try:
            present = installed(client, Kind.INDEX_TEMPLATE)
        except AuthorizationException:
            return _ensure_unseen(client, namespace, templates)
        _require_fields(client, templates, present)
    missing = [template.name for template in templates if template.name not in present]
    if missing:
        return _ensure_missing(client, missing, settings)
    return Ensured(
        notes=tuple(
            f"{template.name}: {reason}."
            for template in templates
            if (reason := difference(template, present[template.name]))
        )
    )


def first_error(steps: Iterable[Step]) -> ShipperError | None:
    """Return the first error of a plan that was carried out."""
    return next((step.error for step in steps if step.error), None)


def _carry_out(client: Elasticsearch, step: Step) -> Step:
    try:
        if step.action == "roll over":
            client.indices.rollover(alias=step.name)
        elif step.action == "start":
            restart(client, step.name)
        elif step.action == "remove":
            _remove(client, step)
        elif step.asset is not None:
            install(client, step.asset, replace=step.action == "update")
    except ApiError as error:
        return refused(step, explain(error, address(client)))
    return step


def _remove(client: Elasticsearch, step: Step) -> None:
    match step.kind:
        case "data-stream":
            client.perform_request("DELETE", f"/_data_stream/{step.name}", headers=JSON)
        case "index":
            client.indices.delete(index=step.name)
        case _:
            remove(client, Kind(step.kind), step.name)


def _ensure_missing(
    client: Elasticsearch, missing: Sequence[str], settings: SetupSettings | None
) -> Ensured:
    try:
        steps = plan(client, settings=settings, only=ESSENTIAL)
        creations = [step for step in steps if step.action == "create"]
        if error := first_error(apply(client, creations)):
            raise error
    except NotPermitted as error:
        raise NotPermitted(
            f"{' and '.join(missing)} {_are(missing)} not installed at "
            f"{address(client)}, and these credentials may not install index "
            f"templates (cluster privilege {_PRIVILEGE}).",
            remedy="Run `clisvc setup` once with credentials that may.",
        ) from error
    return Ensured(
        installed=tuple(step.name for step in creations),
        notes=tuple(
            f"{step.name}: {step.reason}."
            for step in steps
            if step.action in {"update", "skipped", "refused"}
        ),
    )


def _ensure_unseen(
    client: Elasticsearch, namespace: str, templates: Iterable[Asset]
) -> Ensured:
    """Accept existing data streams instead of templates that may not be read."""
    wanted = [f"{template.name}-{namespace}" for template in templates]
    unproven = [name for name in wanted if not data_streams(client, name)]
    if unproven:
        raise NotPermitted(
            f"These credentials may not read index templates at {address(client)}, "
            f"and {' and '.join(unproven)} cannot be seen, so nothing shows that "
            f"the fields would be mapped.",
            remedy=(
                f"Run `clisvc setup` with credentials that have {_PRIVILEGE}, and "
                f"grant these the cluster privilege monitor, which may read templates."
            ),
        )
    return Ensured(
        notes=("The credentials may not read index templates; the data streams exist.",)
    )


def _require_fields(
    client: Elasticsearch,
    templates: Iterable[Asset],
    present: Mapping[str, Mapping[str, Any]],
) -> None:
    """Refuse templates of others that lack our fields, as far as one may ask."""
    for template in templates:
        body = present.get(template.name)
        if body is not None and owner(template.kind, body) != OWNER:
            with suppress(AuthorizationException):
                _require_mapped(client, template)


def _templates(steps: Iterable[Step]) -> list[Asset]:
    """Return the data streams' templates a plan was about, whoever's they are."""
    planned = {
        step.name
        for step in steps
        if step.kind == Kind.INDEX_TEMPLATE and step.action not in {"remove", "kept"}
    }
    return [one for one in assets() if one.stream_patterns and one.name in planned]


def _require_mapped(client: Elasticsearch, template: Asset) -> None:
    stream = f"{template.name}-default"
    reply = client.indices.simulate_index_template(name=stream).body
    made = reply.get("template", {})
    if "sms" not in made.get("mappings", {}).get("properties", {}):
        raise _unmapped(client, template, stream)
    logsdb = made.get("settings", {}).get("index", {}).get("logsdb", {})
    if str(logsdb.get("route_on_sort_fields")).lower() == "true":
        raise SinkUnavailable(
            f"Data streams such as {stream} would refuse documents with ids of their "
            f"own: index.logsdb.route_on_sort_fields is on at {address(client)}.",
            remedy=f"Set it to false in {template.name}@custom.",
        )


def _unmapped(client: Elasticsearch, template: Asset, stream: str) -> SinkUnavailable:
    """Return that a data stream would lack our fields, and whose doing that is."""
    priority = template.body["priority"]
    rivals = [
        name
        for name, body in installed(client, Kind.INDEX_TEMPLATE, names="*").items()
        if name != template.name
        and body.get("priority", 0) > priority
        and any(fnmatchcase(stream, each) for each in body["index_patterns"])
    ]
    if rivals:
        why = f"{' and '.join(rivals)} takes its place"
        remedy = f"Remove that template, or lower its priority below {priority}."
    else:
        why = "the template of that name is somebody else's"
        remedy = "Remove it, or give it another name, and run `clisvc setup` again."
    return SinkUnavailable(
        f"Data streams such as {stream} would not get their fields from "
        f"{template.name} at {address(client)}: {why}.",
        remedy=remedy,
    )


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
