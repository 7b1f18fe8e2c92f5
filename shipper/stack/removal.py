# SPDX-License-Identifier: Apache-2.0
"""What taking set-up back would do: everything that is ours and that nothing uses.

All of it is decided before anything is removed. Data is only removed when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from elastic_transport import ApiError
from elasticsearch import Elasticsearch
from msgspec import Struct, field

from shipper.stack.assets import OWNER, Kind, assets, owner
from shipper.stack.objects import Inventory, inventory
from shipper.stack.plan import Step
from shipper.stack.server import JSON, explained, lacks
from shipper.stack.streams import PATTERN, data_streams, template_of

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


class _Held(Struct, frozen=True, kw_only=True):
    """What stays, by kind and name, and why."""

    reasons: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def hold(self, kind: Kind, name: str, reason: str) -> None:
        self.reasons.setdefault((kind, name), reason)


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
        streams = list(_streams(client, found, purge=purge))
        indices = list(_indices(client, found[Kind.TRANSFORM], purge=purge))
        foreign = _foreign_templates(client)
    held = _held(found, streams, foreign)
    objects = {kind: list(_objects(kind, found[kind], held)) for kind in _REMOVED}
    transforms = objects.pop(Kind.TRANSFORM)
    return [*transforms, *streams, *indices, *chain.from_iterable(objects.values())]


def _streams(
    client: Elasticsearch, found: Mapping[Kind, Inventory], *, purge: bool
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
    for stream in data_streams(client):
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
    """Yield the indices into which installed transforms of ours write."""
    for body in transforms.objects.values():
        if owner(Kind.TRANSFORM, body) != OWNER:
            continue
        name = body["dest"]["index"]
        # Asked for by a pattern: a name nothing has would be an error.
        reply = client.indices.resolve_index(name=f"{name}*").body
        if any(index["name"] == name for index in reply["indices"]):
            yield Step(
                kind="index",
                name=name,
                action="remove" if purge else "kept",
                reason="its documents are purged" if purge else _DATA,
            )


def _foreign_templates(client: Elasticsearch) -> dict[str, list[str]]:
    """Return the component templates that templates of others name, by template."""
    reply = client.perform_request("GET", "/_index_template", headers=JSON).body
    return {
        each["name"]: each["index_template"].get("composed_of", [])
        for each in reply["index_templates"]
        if owner(Kind.INDEX_TEMPLATE, each["index_template"]) != OWNER
    }


def _held(
    found: Mapping[Kind, Inventory],
    streams: list[Step],
    foreign: Mapping[str, list[str]],
) -> _Held:
    held = _Held()
    for name, components in foreign.items():
        for component in components:
            held.hold(
                Kind.COMPONENT_TEMPLATE, component, f"the template {name} uses it"
            )
    for stream in streams:
        template = template_of(stream.name, assets())
        if stream.action == "kept" and template is not None:
            held.hold(
                Kind.INDEX_TEMPLATE,
                template.name,
                f"the data stream {stream.name} uses it",
            )
    for kind, name in list(held.reasons):
        if kind is Kind.INDEX_TEMPLATE:
            body = found[kind].objects.get(name, {})
            for component in body.get("composed_of", ()):
                held.hold(Kind.COMPONENT_TEMPLATE, component, f"{name} uses it")
    for kind, name in list(held.reasons):
        if kind is Kind.COMPONENT_TEMPLATE:
            body = found[kind].objects.get(name, {})
            _hold_settings(held, name, body)
    return held


def _hold_settings(held: _Held, name: str, component: Mapping[str, Any]) -> None:
    index = component.get("template", {}).get("settings", {}).get("index", {})
    if policy := index.get("lifecycle", {}).get("name"):
        held.hold(Kind.ILM_POLICY, policy, f"{name} uses it")
    for key in ("default_pipeline", "final_pipeline"):
        if key in index:
            held.hold(Kind.INGEST_PIPELINE, index[key], f"{name} uses it")


def _objects(kind: Kind, found: Inventory, held: _Held) -> Iterator[Step]:
    for name, body in found.objects.items():
        if owner(kind, body) != OWNER:
            continue
        reason = held.reasons.get((kind, name), "")
        yield Step(
            kind=kind,
            name=name,
            action="kept" if reason else "remove",
            reason=reason,
        )
