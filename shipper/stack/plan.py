# SPDX-License-Identifier: Apache-2.0
"""What set-up would do: the server compared with ``pipelines``, object by object.

Objects of other owners and of newer releases are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from elasticsearch import Elasticsearch
from msgspec.structs import replace

from shipper.config import SetupSettings
from shipper.errors import UsageProblem
from shipper.stack.assets import OWNER, Asset, Kind, assets, owner, version
from shipper.stack.comparison import differences
from shipper.stack.objects import Inventory, inventory, stopped
from shipper.stack.server import (
    SUBSTITUTES,
    Server,
    explained,
    has_stream_lifecycle,
    impediment,
    probe,
)
from shipper.stack.step import Step
from shipper.stack.streams import outdated
from shipper.stack.tailoring import LOGSDB, Fitting, Lifecycle, tailored

#: What data streams need to be made with their fields and to be deleted in time.
ESSENTIAL = frozenset(
    {
        Kind.ILM_POLICY,
        Kind.INGEST_PIPELINE,
        Kind.COMPONENT_TEMPLATE,
        Kind.INDEX_TEMPLATE,
    }
)

_NAMES = {
    Kind.ILM_POLICY: "index lifecycle management",
    Kind.INGEST_PIPELINE: "ingest pipelines",
    Kind.COMPONENT_TEMPLATE: "component templates",
    Kind.INDEX_TEMPLATE: "index templates",
    Kind.TRANSFORM: "transforms",
    Kind.ROLE: "roles, or its security is off",
}
_TEMPLATES = (Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE)
_ORDER = list(Kind)
_NONE = Inventory()


def plan(
    client: Elasticsearch,
    server: Server | None = None,
    *,
    settings: SetupSettings | None = None,
    only: Collection[Kind] = (),
) -> list[Step]:
    """Compare the server with ``pipelines``. Changes nothing.

    Args:
        client: the client.
        server: what a probe has found already; without it the server is probed.
        settings: what is wanted; default: the defaults.
        only: kinds that are looked at; default: all.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong, or lack ``manage_index_templates``.
    """
    settings = settings or SetupSettings()
    server = server or probe(client)
    wanted = frozenset(only or Kind)
    with explained(client):
        found = {
            kind: inventory(client, kind) for kind in Kind if kind in ESSENTIAL | wanted
        }
        for kind in _TEMPLATES:
            if refusal := found[kind].refusal:
                raise refusal
        found[Kind.INGEST_PIPELINE] = _runnable(client, found[Kind.INGEST_PIPELINE])
        lacking = [kind for kind, each in found.items() if each.lacking]
        lifecycle = _lifecycle(client, settings, found[Kind.ILM_POLICY])
        fitted = tuple(
            tailored(
                Fitting(
                    server=server,
                    settings=settings,
                    lifecycle=lifecycle,
                    lacking=lacking,
                )
            )
        )
        left_alone = [
            asset.name
            for asset in fitted
            if asset.kind in _TEMPLATES
            and (body := found[asset.kind].objects.get(asset.name)) is not None
            and _anothers(asset, body)
        ]
        components = found[Kind.COMPONENT_TEMPLATE].objects
        streams = list(outdated(client, fitted, components, left_alone))
        idle = stopped(client) if found.get(Kind.TRANSFORM, _NONE).objects else {}
    _require_referred(fitted, found, wanted)
    steps = [
        *(
            _running(_step(asset, found[asset.kind], asked=asset.kind in only), idle)
            for asset in fitted
            if asset.kind in wanted
        ),
        *_unneeded(settings, found[Kind.COMPONENT_TEMPLATE], wanted),
        *_left_out(server, lifecycle, found, wanted),
    ]
    if Kind.INDEX_TEMPLATE in wanted:
        steps += [
            Step(kind="data-stream", name=name, action="roll over", reason=reason)
            for name, reason in streams
        ]
        steps += _lacking(server)
    return steps


def difference(asset: Asset, body: dict[str, object]) -> str:
    """Say how an installed object differs from ours, as far as its label tells."""
    theirs, found = owner(asset.kind, body), version(asset.kind, body)
    if theirs != OWNER:
        whose = f"{theirs!r}" if theirs else "someone else"
        return f"it belongs to {whose} and is left alone"
    if found > asset.version:
        return f"version {found} is installed, newer than {asset.version}"
    if found < asset.version:
        return f"version {found} is installed, older than {asset.version}"
    return ""


def _runnable(client: Elasticsearch, found: Inventory) -> Inventory:
    """Pipelines that cannot run must not be named by templates."""
    if found.refusal is None and not found.lacking:
        for asset in assets():
            if asset.kind is Kind.INGEST_PIPELINE and (
                reason := impediment(client, asset.body)
            ):
                return Inventory(lacking=True, reason=reason)
    return found


def _require_referred(
    fitted: Iterable[Asset], found: Mapping[Kind, Inventory], wanted: Collection[Kind]
) -> None:
    """Refuse to install templates without what they refer to: it would be missed.

    Documents for a pipeline that does not exist are refused.
    """
    asked = [kind for kind in _TEMPLATES if kind in wanted]
    before = _ORDER[: _ORDER.index(asked[-1])] if asked else []
    absent = [
        asset
        for asset in fitted
        if asset.kind in before
        and asset.kind not in wanted
        and found[asset.kind].refusal is None
        and asset.name not in found[asset.kind].objects
    ]
    if absent:
        kinds = dict.fromkeys(asset.kind.plural for asset in absent)
        raise UsageProblem(
            f"--only {asked[-1].plural}: they refer to the {absent[0].kind} "
            f"{absent[0].name}, which is not installed.",
            remedy=f"Add {' '.join(f'--only {kind}' for kind in kinds)}.",
        )


def _running(step: Step, idle: Mapping[str, str]) -> Step:
    """Start a transform that is as it should be and does not run."""
    if step.action == "unchanged" and step.kind == Kind.TRANSFORM and step.name in idle:
        return replace(step, action="start", reason=f"it is {idle[step.name]}")
    return step


def _lifecycle(
    client: Elasticsearch, settings: SetupSettings, policies: Inventory
) -> Lifecycle:
    """Decide what deletes old documents: what is asked for, if the server has it."""
    if not policies.lacking and settings.lifecycle != "dsl":
        return "ilm"
    if settings.lifecycle != "ilm" and has_stream_lifecycle(client):
        return "dsl"
    return ""


def _step(asset: Asset, found: Inventory, *, asked: bool) -> Step:
    if found.refusal is not None:
        if asset.kind is Kind.ROLE and not asked:
            return Step(
                kind=asset.kind,
                name=asset.name,
                action="skipped",
                reason="these credentials may not manage roles",
            )
        return Step(
            kind=asset.kind,
            name=asset.name,
            action="refused",
            reason=found.refusal.message,
            error=found.refusal,
        )
    body = found.objects.get(asset.name)
    if body is None:
        return Step(
            kind=asset.kind,
            name=asset.name,
            action="create",
            reason="it is not installed",
            asset=asset,
        )
    reason = difference(asset, body)
    if _anothers(asset, body):
        return Step(kind=asset.kind, name=asset.name, action="skipped", reason=reason)
    changes = differences(asset.body, body)
    if not changes:
        return Step(kind=asset.kind, name=asset.name, action="unchanged")
    return Step(
        kind=asset.kind,
        name=asset.name,
        action="update",
        reason=reason or f"version {asset.version} is installed with other content",
        asset=asset,
        changes=changes,
    )


def _anothers(asset: Asset, body: Mapping[str, Any]) -> bool:
    """Tell whether an installed object is somebody else's, or a newer release's."""
    theirs = owner(asset.kind, body) != OWNER
    return theirs or version(asset.kind, body) > asset.version


def _unneeded(
    settings: SetupSettings, found: Inventory, wanted: Collection[Kind]
) -> Iterator[Step]:
    """Yield the removal of what was opted in to, and no longer is."""
    kind = Kind.COMPONENT_TEMPLATE
    body = found.objects.get(LOGSDB, {})
    if kind in wanted and not settings.logsdb and owner(kind, body) == OWNER:
        yield Step(
            kind=kind, name=LOGSDB, action="remove", reason="setup.logsdb is false"
        )


def _left_out(
    server: Server,
    lifecycle: Lifecycle,
    found: dict[Kind, Inventory],
    wanted: Collection[Kind],
) -> Iterator[Step]:
    """Yield what is not installed, and why."""
    for asset in assets():
        if asset.kind not in wanted:
            continue
        if asset.kind is Kind.ILM_POLICY and lifecycle == "dsl":
            reason = "the lifecycle of the data streams takes its place"
        elif found[asset.kind].lacking:
            why = found[asset.kind].reason
            lacks = f"{server.title} has no {_NAMES[asset.kind]}"
            reason = f"{server.title} cannot run it: {why}" if why else lacks
        else:
            continue
        yield Step(kind=asset.kind, name=asset.name, action="skipped", reason=reason)


def _lacking(server: Server) -> Iterable[Step]:
    for name in sorted(server.missing_types):
        yield Step(
            kind="field-type",
            name=name,
            action="skipped",
            reason=f"{server.title} lacks it and gets {SUBSTITUTES[name]} instead",
        )
    if not server.failure_store:
        yield Step(
            kind="failure-store",
            name="failure_store.enabled",
            action="skipped",
            reason=f"{server.title} has no failure store to switch off",
        )
