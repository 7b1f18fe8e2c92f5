# SPDX-License-Identifier: Apache-2.0
"""Set-up: brings the server to what ``pipelines`` says, and never takes it back.

Objects of other owners and of newer releases are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Literal

import msgspec
from elasticsearch import AuthorizationException, Elasticsearch, NotFoundError
from msgspec import Struct

from shipper.errors import NotPermitted, SinkUnavailable
from shipper.stack.assets import OWNER, Asset, Kind, assets
from shipper.stack.server import (
    SUBSTITUTES,
    Installed,
    Server,
    adapt,
    address,
    explained,
    install,
    installed,
    probe,
)

Action = Literal["create", "update", "unchanged", "skipped"]

_PRIVILEGE = "manage_index_templates"
_DIGEST_BYTES = 8


class Step(Struct, frozen=True, kw_only=True):
    """What set-up does with one object, or why it does nothing.

    Attributes:
        kind: kind of object (``index-template``), or of what a server lacks
            (``field-type``, ``failure-store``).
        name: the object's name.
        action: what is done.
        reason: why, in words; empty if it needs none.
        asset: what is sent; only with ``create`` and ``update``.
    """

    kind: str
    name: str
    action: Action
    reason: str = ""
    asset: Asset | None = None


class Ensured(Struct, frozen=True, kw_only=True):
    """What was found, or done, before anything is shipped.

    Attributes:
        installed: names of the objects created just now.
        notes: what is not as it should be but does not stop the shipping.
    """

    installed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan(client: Elasticsearch, server: Server | None = None) -> list[Step]:
    """Compare the server with ``pipelines``. Changes nothing.

    Args:
        client: the client.
        server: what a probe has found already; without it the server is probed.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong, or lack ``manage_index_templates``.
    """
    server = server or probe(client)
    with explained(client):
        present = _present(client)
    return [
        *(_step(_adapted(asset, server), present[asset.kind]) for asset in assets()),
        *_lacking(server),
    ]


def apply(client: Elasticsearch, steps: Iterable[Step]) -> None:
    """Carry out a plan; safe to repeat.

    Raises:
        SinkUnavailable: the server is unreachable or refuses an object, or another
            template would win over ours and leave a data stream without our fields.
        NotPermitted: the credentials are wrong, or lack ``manage_index_templates``.
    """
    with explained(client):
        for step in steps:
            if step.asset is not None:
                install(client, step.asset)
        for template in _templates():
            _require_mapped(client, template)


def ensure(client: Elasticsearch, *, namespace: str) -> Ensured:
    """Make sure that no data stream of ours is created without its fields.

    Templates that are there are left as they are, whatever their version; missing
    ones are installed if the credentials permit it.

    Args:
        client: of the server that will be shipped to.
        namespace: last part of the names of the data streams.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong; or templates are missing, or cannot be
            shown to exist, and may not be installed.
    """
    with explained(client):
        try:
            present = installed(client, Kind.INDEX_TEMPLATE)
        except AuthorizationException:
            return _ensure_unseen(client, namespace)
    missing = [asset.name for asset in _templates() if asset.name not in present]
    if missing:
        return _ensure_missing(client, missing)
    return Ensured(
        notes=tuple(
            f"{asset.name}: {difference}."
            for asset in _templates()
            if (difference := _difference(asset, present[asset.name]))
        )
    )


def _ensure_missing(client: Elasticsearch, missing: Sequence[str]) -> Ensured:
    try:
        steps = plan(client)
        creations = [step for step in steps if step.action == "create"]
        apply(client, creations)
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
            if step.action in {"update", "skipped"}
        ),
    )


def _ensure_unseen(client: Elasticsearch, namespace: str) -> Ensured:
    """Accept existing data streams instead of templates that may not be read."""
    streams = [f"{template.name}-{namespace}" for template in _templates()]
    unproven = [stream for stream in streams if not _is_data_stream(client, stream)]
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


def _is_data_stream(client: Elasticsearch, name: str) -> bool:
    try:
        reply = client.indices.resolve_index(name=name)
    except (AuthorizationException, NotFoundError):
        return False
    return any(stream["name"] == name for stream in reply.body["data_streams"])


def _templates() -> list[Asset]:
    return [asset for asset in assets() if asset.kind is Kind.INDEX_TEMPLATE]


def _present(client: Elasticsearch) -> dict[Kind, dict[str, Installed]]:
    return {kind: installed(client, kind) for kind in Kind}


def _adapted(asset: Asset, server: Server) -> Asset:
    """Return what this server is sent, marked with a digest of its content.

    Comparing digests finds what versions do not: a server that has learned a type
    since. Elasticsearch rewrites bodies, so they cannot be compared themselves.
    """
    body = adapt(asset.body, server)
    digest = blake2b(
        msgspec.json.encode(body, order="deterministic"), digest_size=_DIGEST_BYTES
    )
    body["_meta"] = {**body["_meta"], "digest": digest.hexdigest()}
    return msgspec.structs.replace(asset, body=body)


def _step(asset: Asset, present: dict[str, Installed]) -> Step:
    found = present.get(asset.name)
    if found is None:
        return Step(
            kind=asset.kind,
            name=asset.name,
            action="create",
            reason="it is not installed",
            asset=asset,
        )
    difference = _difference(asset, found)
    if found.owner != OWNER or found.version > asset.version:
        return Step(
            kind=asset.kind, name=asset.name, action="skipped", reason=difference
        )
    if not difference and found.digest == asset.body["_meta"]["digest"]:
        return Step(kind=asset.kind, name=asset.name, action="unchanged")
    return Step(
        kind=asset.kind,
        name=asset.name,
        action="update",
        reason=difference or f"version {found.version} is installed with other content",
        asset=asset,
    )


def _difference(asset: Asset, found: Installed) -> str:
    """Say how an installed object differs from ours, as far as its labels tell."""
    if found.owner != OWNER:
        owner = f"{found.owner!r}" if found.owner else "someone else"
        return f"it belongs to {owner} and is left alone"
    if found.version > asset.version:
        return f"version {found.version} is installed, newer than {asset.version}"
    if found.version < asset.version:
        return f"version {found.version} is installed, older than {asset.version}"
    return ""


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


def _require_mapped(client: Elasticsearch, template: Asset) -> None:
    stream = f"{template.name}-default"
    reply = client.indices.simulate_index_template(name=stream)
    properties = reply.body.get("template", {}).get("mappings", {})
    if "sms" not in properties.get("properties", {}):
        others = [other["name"] for other in reply.body.get("overlapping", ())]
        raise SinkUnavailable(
            f"Data streams such as {stream} would not get their fields from "
            f"{template.name} at {address(client)} (templates with the same pattern: "
            f"{', '.join(others) or 'none'}).",
            remedy=(
                f"Remove the other template, or lower its priority below "
                f"{template.body['priority']}."
            ),
        )


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
