# SPDX-License-Identifier: Apache-2.0
"""What a transform would have found, asked of a server that has no transforms.

The groups and their values are those of the definition in ``pipelines/transforms``;
``top_metrics``, which small builds lack, becomes ``top_hits``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from shipper.stack.assets import Kind, asset
from shipper.stack.server import explained

_PAGE = 500


def groups(
    client: Elasticsearch,
    transform: str,
    *,
    namespace: str = "*",
    hosts: Sequence[str] = (),
    until: str = "",
) -> Iterator[dict[str, Any]]:
    """Yield the documents a transform would have written by now, by their keys.

    Args:
        client: the client.
        transform: ``sms-agent-state`` or ``sms-host-state``.
        namespace: of the data streams that are read; default: all.
        hosts: up to 10,000 whose documents are read; default: all.
        until: newest ``@timestamp`` that is read, where that is not of now.

    Raises:
        KeyError: there is no such transform.
        SinkUnavailable: the server is unreachable, refuses, or is something else.
        NotPermitted: the credentials are wrong or lack a privilege.
    """
    body = asset(Kind.TRANSFORM, transform).body
    pivot, source = body["pivot"], body["source"]
    values: dict[str, Any] = pivot["aggregations"]
    composite: dict[str, Any] = {
        "size": _PAGE,
        "sources": [{name: by} for name, by in pivot["group_by"].items()],
    }
    search: dict[str, Any] = {
        "index": [f"{index.removesuffix('*')}{namespace}" for index in source["index"]],
        "query": _of(hosts, until, source["query"]),
        "aggs": {"groups": {"composite": composite, "aggs": _searchable(values)}},
    }
    while True:
        with explained(client):
            reply = client.search(
                size=0, ignore_unavailable=True, allow_no_indices=True, **search
            ).body
        found = reply.get("aggregations", {}).get("groups", {"buckets": []})
        for bucket in found["buckets"]:
            document: dict[str, Any] = {}
            for name, value in bucket["key"].items():
                _put(document, name, value)
            _fill(document, values, bucket)
            yield document
        if "after_key" not in found:
            return
        composite["after"] = found["after_key"]


def _of(hosts: Sequence[str], until: str, query: Mapping[str, Any]) -> dict[str, Any]:
    asked: list[Mapping[str, Any]] = [query]
    if hosts:
        asked.append({"terms": {"host.name": list(hosts)}})
    if until:
        asked.append({"range": {"@timestamp": {"lte": until}}})
    return {"bool": {"filter": asked}}


def _searchable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the aggregations with nothing in them that small builds lack."""
    asked: dict[str, Any] = {}
    for name, value in values.items():
        match value:
            case {"top_metrics": top}:
                fields = [metric["field"] for metric in top["metrics"]]
                # An index of before a field was mapped would be an error here.
                order = {
                    by: {"order": way, "unmapped_type": "long"}
                    for by, way in top["sort"].items()
                }
                asked[name] = {
                    "top_hits": {
                        "size": 1,
                        "sort": [order],
                        "_source": False,
                        "docvalue_fields": fields,
                    }
                }
            case {"aggregations": inner}:
                asked[name] = {**value, "aggregations": _searchable(inner)}
            case _:
                asked[name] = value
    return asked


def _fill(
    document: dict[str, Any], values: Mapping[str, Any], bucket: Mapping[str, Any]
) -> None:
    for name, value in values.items():
        found = bucket[name]
        match value:
            case {"top_metrics": _}:
                (hit,) = found["hits"]["hits"]
                for field, (first, *_) in hit.get("fields", {}).items():
                    _put(document, f"{name}.{field}", first)
            case {"aggregations": inner}:
                inside: dict[str, Any] = {}
                _fill(inside, inner, found)
                if inside:
                    _put(document, name, inside)
            case _:
                if found["value"] is not None:
                    _put(document, name, found["value_as_string"])


def _put(document: dict[str, Any], path: str, value: object) -> None:
    *names, last = path.split(".")
    place = document
    for name in names:
        place = place.setdefault(name, {})
    place[last] = value
