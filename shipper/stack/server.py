# SPDX-License-Identifier: Apache-2.0
"""The server set-up talks to: what it is, and what it supports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elastic_transport import ApiError, TransportError
from elasticsearch import AuthorizationException, BadRequestError, Elasticsearch
from msgspec import Struct

from shipper.deliver.problems import explain, reason

#: Field types that small builds lack, and what is used there instead.
SUBSTITUTES = {"match_only_text": "text", "constant_keyword": "keyword"}

JSON = {"accept": "application/json", "content-type": "application/json"}

_METHOD_NOT_ALLOWED = 405
_GONE = 410
#: Two templates of one priority must not match the same names, and ``*`` matches all.
_NOBODYS = 1_999_999_937
_UNKNOWN_TYPE = re.compile(r"type \[(\w+)\] declared on field")
_NO_SECURITY = "Security must be explicitly enabled"


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


def lacks(error: ApiError) -> bool:
    """Tell whether a server answered that it has no such interface at all.

    Builds without a module answer 400 or 405, serverless 410, and a server with its
    security switched off says so.
    """
    account = str(error.body)
    return (
        error.meta.status in {_METHOD_NOT_ALLOWED, _GONE}
        or "no handler found for uri" in account
        or _NO_SECURITY in account
    )


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


def has_stream_lifecycle(client: Elasticsearch) -> bool:
    """Tell whether data streams of a server can have a lifecycle of their own."""
    try:
        client.perform_request(
            "GET", "/_data_stream/logs-sms.*/_lifecycle", headers=JSON
        )
    except AuthorizationException:
        return True
    except ApiError as error:
        if lacks(error):
            return False
        raise
    return True


def impediment(client: Elasticsearch, pipeline: Mapping[str, Any]) -> str:
    """Return why a server cannot run an ingest pipeline, in its words; empty if it can.

    It is tried on an empty document: processors may be missing, or scripts forbidden.
    Where the credentials may not try it, its installation will show.
    """
    try:
        client.ingest.simulate(pipeline=pipeline, docs=[{"_source": {}}])
    except AuthorizationException:
        return ""
    except BadRequestError as error:
        return reason(error)
    return ""


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
                headers=JSON,
                body={
                    "index_patterns": ["clisvc-probe-*"],
                    "priority": _NOBODYS,
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
