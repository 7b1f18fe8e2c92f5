# SPDX-License-Identifier: Apache-2.0
"""What taking set-up back would do: everything that is ours and that nothing uses.

All of it is decided before anything is removed. Data is only removed when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from elastic_transport import ApiError
from elasticsearch import AuthorizationException, Elasticsearch, NotFoundError
from msgspec import Struct, field

from shipper.stack.assets import OWNER, Kind, assets, owner
from shipper.stack.comparison import flat
from shipper.stack.objects import Inventory, installed, inventory
from shipper.stack.server import JSON, explained, lacks
from shipper.stack.step import Step
from shipper.stack.streams import PATTERN, DataStream, data_streams, template_of

#: Roles last: what is removed may be removed with one of them.
_REMOVED = (
    Kind.TRANSFORM,
    Kind.INDEX_TEMPLATE,
    Kind.COMPONENT_TEMPLATE,
    Kind.INGEST_PIPELINE,
    Kind.ILM_POLICY,
    Kind.ROLE,
)
_DATA = "it holds data: --purge-data removes it"
#: Settings that name a policy or a pipeline.
_NAMING = {
    "index.lifecycle.name": Kind.ILM_POLICY,
    "index.default_pipeline": Kind.INGEST_PIPELINE,
    "index.final_pipeline": Kind.INGEST_PIPELINE,
}


class _Held(Struct, frozen=True, kw_only=True):
    """What stays, by kind and name, and why."""

    reasons: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def hold(self, kind: Kind, names: Iterable[str], user: str) -> None:
        for name in names:
            self.reasons.setdefault((kind, name), f"{user} uses it")

    def hold_named(self, settings: Mapping[str, Any], user: str) -> None:
        """Hold the policy and the pipelines that settings name."""
        named = flat(settings)
        for setting, kind in _NAMING.items():
            if setting in named:
                self.hold(kind, [named[setting]], user)


def plan_removal(client: Elasticsearch, *, purge: bool = False) -> list[Step]:
    """Return what would be removed, in order, and what would be left. Changes nothing.

    Args:
        client: the client.
        purge: remove the documents, too.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong or lack a privilege.
    """
    with explained(client):
        found = {kind: inventory(client, kind) for kind in Kind}
        for each in found.values():
            if each.refusal and each is not found[Kind.ROLE]:
                raise each.refusal
        existing = data_streams(client)
        streams = list(_streams(client, existing, found, purge=purge))
        indices = list(_indices(client, found[Kind.TRANSFORM], purge=purge))
        held = _held(found, streams)
        _hold_for_others(client, held)
        _hold_for_indices(client, held, _leaving(existing, [*streams, *indices]))
    objects = {kind: list(_objects(kind, found[kind], held)) for kind in _REMOVED}
    transforms = objects.pop(Kind.TRANSFORM)
    return [*transforms, *streams, *indices, *chain.from_iterable(objects.values())]


def _streams(
    client: Elasticsearch,
    existing: Iterable[DataStream],
    found: Mapping[Kind, Inventory],
    *,
    purge: bool,
) -> Iterator[Step]:
    """Yield the data streams of our templates."""
    reason = _DATA
    if purge:
        try:
            client.perform_request("GET", f"/_data_stream/{PATTERN}", headers=JSON)
        except ApiError as error:
            if not lacks(error):
                raise
            purge, reason = False, "this server cannot remove data streams"
    ours = [
        template
        for template in assets()
        if owner(template.kind, found[template.kind].objects.get(template.name, {}))
        == OWNER
    ]
    for stream in existing:
        if template_of(stream.name, ours):
            yield Step(
                kind="data-stream",
                name=stream.name,
                action="remove" if purge else "kept",
                reason="its documents are purged" if purge else reason,
            )


def _indices(
    client: Elasticsearch, transforms: Inventory, *, purge: bool
) -> Iterator[Step]:
    """Yield the indices into which transforms of ours write, or have written."""
    names = [
        body["dest"]["index"]
        for body in transforms.objects.values()
        if owner(Kind.TRANSFORM, body) == OWNER
    ]
    for one in assets():
        if one.kind is Kind.TRANSFORM and one.name not in transforms.objects:
            name = one.body["dest"]["index"]
            names += [name] if _written_by(client, name) == one.name else []
    for name in names:
        # Asked for by a pattern: a name nothing has would be an error.
        reply = client.indices.resolve_index(name=f"{name}*").body
        if any(index["name"] == name for index in reply["indices"]):
            yield Step(
                kind="index",
                name=name,
                action="remove" if purge else "kept",
                reason="its documents are purged" if purge else _DATA,
            )


def _written_by(client: Elasticsearch, index: str) -> str:
    """Return the transform that made an index, as Elasticsearch notes in it."""
    try:
        reply = client.indices.get_mapping(index=index).body
    except (AuthorizationException, NotFoundError):
        return ""
    meta = reply.get(index, {}).get("mappings", {}).get("_meta", {})
    return str(meta.get("_transform", {}).get("transform", ""))


def _held(found: Mapping[Kind, Inventory], streams: Iterable[Step]) -> _Held:
    """Hold what the data streams that stay are made with."""
    held = _Held()
    for stream in streams:
        template = template_of(stream.name, assets())
        if stream.action != "kept" or template is None:
            continue
        held.hold(
            Kind.INDEX_TEMPLATE, [template.name], f"the data stream {stream.name}"
        )
        body = found[Kind.INDEX_TEMPLATE].objects.get(template.name, {})
        components = body.get("composed_of", ())
        held.hold(Kind.COMPONENT_TEMPLATE, components, template.name)
    components = found[Kind.COMPONENT_TEMPLATE].objects
    for kind, name in list(held.reasons):
        if kind is Kind.COMPONENT_TEMPLATE:
            held.hold_named(_settings(components.get(name, {})), name)
    return held


def _hold_for_others(client: Elasticsearch, held: _Held) -> None:
    """Hold what templates of others name."""
    components = installed(client, Kind.COMPONENT_TEMPLATE, names="*")
    for name, body in components.items():
        if owner(Kind.COMPONENT_TEMPLATE, body) != OWNER:
            held.hold_named(_settings(body), f"the component template {name}")
    for name, body in installed(client, Kind.INDEX_TEMPLATE, names="*").items():
        if owner(Kind.INDEX_TEMPLATE, body) == OWNER:
            continue
        user, parts = f"the template {name}", body.get("composed_of", ())
        held.hold_named(_settings(body), user)
        held.hold(Kind.COMPONENT_TEMPLATE, parts, user)
        for part in parts:
            held.hold_named(_settings(components.get(part, {})), part)


def _hold_for_indices(client: Elasticsearch, held: _Held, leaving: set[str]) -> None:
    """Hold what indices name that stay, be they whoever's."""
    try:
        reply = client.indices.get_settings(
            index="*",
            name=",".join(_NAMING),
            expand_wildcards="all",
            flat_settings=True,
            filter_path="*.settings",
        ).body
    except AuthorizationException:
        return  # one's own are known; those of others will be told by a refusal
    for index, body in reply.items():
        if index not in leaving:
            held.hold_named(body["settings"], f"the index {index}")


def _leaving(existing: Iterable[DataStream], steps: Iterable[Step]) -> set[str]:
    """Return the indices that are removed, those of data streams included."""
    removed = {step.name for step in steps if step.action == "remove"}
    behind = (
        index
        for stream in existing
        if stream.name in removed
        for index in stream.indices
    )
    return {*removed, *behind}


def _settings(template: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = template.get("template", {}).get("settings", {})
    return found


def _objects(kind: Kind, found: Inventory, held: _Held) -> Iterator[Step]:
    if found.refusal:
        yield Step(
            kind=kind,
            name=f"{kind}s",
            action="kept",
            reason="these credentials may not see whether there are any",
        )
    ours = {one.name for one in assets() if one.kind is kind}
    for name, body in found.objects.items():
        reason = held.reasons.get((kind, name), "")
        if (theirs := owner(kind, body)) != OWNER:
            if name not in ours:
                continue
            reason = f"it belongs to {theirs or 'someone else'}"
        yield Step(
            kind=kind,
            name=name,
            action="kept" if reason else "remove",
            reason=reason,
        )
