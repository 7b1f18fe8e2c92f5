# SPDX-License-Identifier: Apache-2.0
"""The server set-up talks to: what it is, what it supports, what it has installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from elastic_transport import ApiError, TransportError
from elasticsearch import (
    AuthorizationException,
    BadRequestError,
    Elasticsearch,
    NotFoundError,
)
from msgspec import Struct

from shipper.deliver.problems import explain
from shipper.stack.assets import Asset, Kind

#: Field types that small builds lack, and what is used there instead.
SUBSTITUTES = {"match_only_text": "text", "constant_keyword": "keyword"}

#: Every object's name begins so.
PREFIX = "logs-sms"

_METHOD_NOT_ALLOWED = 405
_JSON = {"accept": "application/json", "content-type": "application/json"}
_UNKNOWN_TYPE = re.compile(r"type \[(\w+)\] declared on field")


class Server(Struct, frozen=True, kw_only=True):
    """What a server is and what it supports.

    Attributes:
        version: such as ``9.2.0``; empty if the credentials may not ask.
        flavor: ``default``, ``serverless``; ``minimal`` for a build without the usual
            modules; empty if the credentials may not ask.
        missing_types: keys of ``SUBSTITUTES`` it does not know.
        failure_store: it has a failure store, which can be switched off.
    """

    version: str
    flavor: str
    missing_types: frozenset[str] = frozenset()
    failure_store: bool = True

    @property
    def title(self) -> str:
        """The server in words."""
        flavor = "" if self.flavor in {"", "default"} else f" ({self.flavor})"
        return f"Elasticsearch {self.version or 'of unknown version'}{flavor}"


class Installed(Struct, frozen=True, kw_only=True):
    """An object the server has.

    Attributes:
        owner: its ``_meta.managed_by``, or empty.
        version: its ``version``, or 0.
        digest: its ``_meta.digest``, or empty.
    """

    owner: str = ""
    version: int = 0
    digest: str = ""


@contextmanager
def explained(client: Elasticsearch) -> Iterator[None]:
    """Turn the client's exceptions into errors a person can read.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong or lack a privilege.
    """
    try:
        yield
    except (ApiError, TransportError) as error:
        raise explain(error, address(client)) from error


def address(client: Elasticsearch) -> str:
    """Return the address of the client's first server."""
    return client.transport.node_pool.all()[0].base_url


def probe(client: Elasticsearch) -> Server:
    """Ask a server what it is and what it supports. Changes nothing.

    Raises:
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong, or lack ``manage_index_templates``.
    """
    with explained(client):
        version, flavor = _identity(client)
        missing_types, failure_store = _capabilities(client)
    return Server(
        version=version,
        flavor=flavor,
        missing_types=missing_types,
        failure_store=failure_store,
    )


def adapt(body: Mapping[str, Any], server: Server) -> dict[str, Any]:
    """Return an object's body as this server understands it."""
    adapted: dict[str, Any] = {}
    for key, value in body.items():
        if key == "data_stream_options" and not server.failure_store:
            continue
        adapted[key] = adapt(value, server) if isinstance(value, Mapping) else value
    # A field *called* type has a mapping as its value, not a word.
    kind = adapted.get("type")
    if isinstance(kind, str) and kind in server.missing_types:
        adapted["type"] = SUBSTITUTES[kind]
        adapted.pop("value", None)
    return adapted


def installed(client: Elasticsearch, kind: Kind) -> dict[str, Installed]:
    """Return the objects of one kind whose names begin with :data:`PREFIX`."""
    item = kind.replace("-", "_")
    try:
        reply = client.perform_request(
            "GET",
            f"/_{item}/{PREFIX}*",
            params={"filter_path": f"*.name,*.{item}.version,*.{item}._meta"},
            headers=_JSON,
        )
    except NotFoundError:
        # Component templates are answered so when none matches; index templates not.
        return {}
    return {
        entry["name"]: _installed(entry.get(item, {}))
        for entry in reply.body.get(f"{item}s", ())
    }


def install(client: Elasticsearch, asset: Asset) -> None:
    """Create or replace one object."""
    client.perform_request(
        "PUT",
        f"/_{asset.kind.replace('-', '_')}/{quote(asset.name, safe='@')}",
        headers=_JSON,
        body=asset.body,
    )


def _installed(entry: Mapping[str, Any]) -> Installed:
    meta = entry.get("_meta") or {}
    return Installed(
        owner=str(meta.get("managed_by", "")),
        version=entry.get("version") or 0,
        digest=str(meta.get("digest", "")),
    )


def _identity(client: Elasticsearch) -> tuple[str, str]:
    try:
        version = client.info().body["version"]
    except AuthorizationException:
        return "", ""
    except ApiError as error:
        # The minimal build answers its root address with 405.
        if error.meta.status != _METHOD_NOT_ALLOWED:
            raise
        return _oldest_node(client), "minimal"
    return version["number"], version.get("build_flavor", "default")


def _oldest_node(client: Elasticsearch) -> str:
    try:
        nodes = client.nodes.info(filter_path="nodes.*.version").body["nodes"]
    except AuthorizationException:
        return ""
    return min(str(node["version"]) for node in nodes.values())


def _capabilities(client: Elasticsearch) -> tuple[frozenset[str], bool]:
    """Simulate a template until nothing unknown is left in it: one call as a rule."""
    missing: set[str] = set()
    failure_store = True
    while True:
        template: dict[str, Any] = {
            "mappings": {
                "properties": {
                    name: {"type": name} for name in SUBSTITUTES.keys() - missing
                }
            }
        }
        if failure_store:
            template["data_stream_options"] = {"failure_store": {"enabled": False}}
        try:
            client.perform_request(
                "POST",
                "/_index_template/_simulate",
                headers=_JSON,
                body={
                    "index_patterns": ["clisvc-probe-*"],
                    "data_stream": {},
                    "template": template,
                },
            )
        except BadRequestError as error:
            account = str(error.body)
            unknown = _UNKNOWN_TYPE.search(account)
            if unknown and unknown[1] in SUBSTITUTES.keys() - missing:
                missing.add(unknown[1])
            elif failure_store and "[data_stream_options]" in account:
                failure_store = False
            else:
                raise
        else:
            return frozenset(missing), failure_store
