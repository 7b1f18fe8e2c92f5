# SPDX-License-Identifier: Apache-2.0
"""What a server has installed, and how one object is put there or taken away.

Each kind of object has an address and an answer of its own shape; here they become
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from elastic_transport import ApiError
from elasticsearch import AuthorizationException, Elasticsearch, NotFoundError
from msgspec import Struct, field

from shipper.deliver.problems import explain
from shipper.errors import ShipperError
from shipper.stack.assets import Asset, Kind, assets
from shipper.stack.server import JSON, address, lacks

#: Where a kind lives, and which names are looked at. Roles have no wildcards: those of
#: ours are named.
_PLACES = {
    Kind.ILM_POLICY: ("/_ilm/policy", "logs-sms*"),
    Kind.INGEST_PIPELINE: ("/_ingest/pipeline", "logs-sms*"),
    Kind.COMPONENT_TEMPLATE: ("/_component_template", "logs-sms*"),
    Kind.INDEX_TEMPLATE: ("/_index_template", "*sms*"),
    Kind.TRANSFORM: ("/_transform", "sms-*"),
    Kind.ROLE: ("/_security/role", ""),
}
#: What a server adds by itself.
_DATES = {
    *("created_date", "created_date_millis"),
    *("modified_date", "modified_date_millis", "modified_date_string"),
}
_ADDED = {
    Kind.TRANSFORM: {"id", "version", "create_time", "authorization"},
    Kind.ROLE: {"transient_metadata"},
    Kind.ILM_POLICY: {"version", "in_use_by"},
}
_STOP = {"force": "true", "wait_for_completion": "true"}
_STOPPED = frozenset({"stopped", "failed"})


class Inventory(Struct, frozen=True, kw_only=True):
    """What a server has of one kind.

    Attributes:
        objects: bodies by name.
        lacking: the server has no such kind of object, or cannot run those of ours.
        reason: why it cannot, in its words; empty if it has no such kind.
        refusal: why it could not be looked at, if the credentials may not.
    """

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    lacking: bool = False
    reason: str = ""
    refusal: ShipperError | None = None


def inventory(client: Elasticsearch, kind: Kind) -> Inventory:
    """Ask what a server has of one kind, ours and others'.

    Raises:
        ApiError: the server refuses for another reason than rights.
        TransportError: it does not answer.
    """
    try:
        return Inventory(objects=installed(client, kind))
    except AuthorizationException as error:
        return Inventory(refusal=explain(error, address(client)))
    except ApiError as error:
        if lacks(error):
            return Inventory(lacking=True)
        raise


def installed(
    client: Elasticsearch, kind: Kind, names: str = ""
) -> dict[str, dict[str, Any]]:
    """Return the bodies of one kind by name.

    Args:
        client: the client.
        kind: which kind.
        names: pattern of their names; default: those whose names may be ours.
    """
    place, may_be_ours = _PLACES[kind]
    names = names or may_be_ours
    names = names or ",".join(one.name for one in assets() if one.kind is kind)
    try:
        reply = client.perform_request("GET", f"{place}/{names}", headers=JSON).body
    except NotFoundError as error:
        # Component templates, pipelines and roles are answered so when none matches.
        if lacks(error):
            raise
        return {}
    added = _DATES | _ADDED.get(kind, set())
    return {
        name: {key: value for key, value in body.items() if key not in added}
        for name, body in _entries(kind, reply)
    }


def install(client: Elasticsearch, asset: Asset, *, replace: bool = False) -> None:
    """Create or replace one object; a transform is started.

    Args:
        client: the client.
        asset: what is installed.
        replace: an older one is there.
    """
    transform = asset.kind is Kind.TRANSFORM
    if transform and replace:
        # What a transform groups by cannot be changed; its index stays.
        remove(client, asset.kind, asset.name)
    client.perform_request(
        "PUT",
        _address(asset.kind, asset.name),
        params={"defer_validation": "true"} if transform else None,
        headers=JSON,
        body=asset.body,
    )
    if transform:
        _start(client, asset.name)


def remove(client: Elasticsearch, kind: Kind, name: str) -> None:
    """Take one object away; a transform is stopped."""
    if kind is Kind.TRANSFORM:
        _stop(client, name)
    client.perform_request("DELETE", _address(kind, name), headers=JSON)


def stopped(client: Elasticsearch) -> dict[str, str]:
    """Return the state of each transform that is installed and does not run, by name.

    Raises:
        ApiError: the server refuses for another reason than rights.
        TransportError: it does not answer.
    """
    place, names = _PLACES[Kind.TRANSFORM]
    try:
        reply = client.perform_request(
            "GET", f"{place}/{names}/_stats", headers=JSON
        ).body
    except AuthorizationException:
        return {}
    return {
        each["id"]: each["state"]
        for each in reply["transforms"]
        if each["state"] in _STOPPED
    }


def restart(client: Elasticsearch, transform: str) -> None:
    """Start a transform that does not run; one that failed has to be stopped first."""
    _stop(client, transform)
    _start(client, transform)


def _start(client: Elasticsearch, transform: str) -> None:
    place = f"{_address(Kind.TRANSFORM, transform)}/_start"
    client.perform_request("POST", place, headers=JSON)


def _stop(client: Elasticsearch, transform: str) -> None:
    place = f"{_address(Kind.TRANSFORM, transform)}/_stop"
    client.perform_request("POST", place, params=_STOP, headers=JSON)


def _address(kind: Kind, name: str) -> str:
    return f"{_PLACES[kind][0]}/{quote(name, safe='@')}"


def _entries(
    kind: Kind, reply: Mapping[str, Any]
) -> Iterable[tuple[str, dict[str, Any]]]:
    if kind in {Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE}:
        item = kind.replace("-", "_")
        return ((each["name"], each[item]) for each in reply.get(f"{item}s", ()))
    if kind is Kind.TRANSFORM:
        return ((each["id"], each) for each in reply.get("transforms", ()))
    return reply.items()
