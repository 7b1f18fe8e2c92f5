# SPDX-License-Identifier: Apache-2.0
"""What delivery relies on in Elasticsearch: said once, held by server and model."""

from __future__ import annotations

from typing import Any

from elasticsearch import Elasticsearch

_FILTER = "errors,items.*.status,items.*.failure_store,items.*.error"
_GOOD = b'{"@timestamp":"2003-02-12T05:06:07.089Z","message":"Starting agent"}'
_FAULTY = b'{"@timestamp":"no time","message":"Starting agent"}'
CREATED = {"create": {"status": 201}}


def create(
    client: Elasticsearch, index: str, *names: str, document: bytes = _GOOD
) -> dict[str, Any]:
    """Send documents in one bulk request and return the reply."""
    action = '{"create":{"_index":"%s","_id":"%s"}}\n'
    body = b"".join(
        (action % (index, name)).encode() + document + b"\n" for name in names
    )
    reply = client.bulk(
        operations=body,  # type: ignore[arg-type]  # bytes pass
        require_data_stream=True,
        timeout="10s",
        filter_path=_FILTER,
    )
    found: dict[str, Any] = reply.body
    return found


def statuses(reply: dict[str, Any]) -> list[int]:
    """Return the statuses of the items."""
    return [item["create"]["status"] for item in reply["items"]]


def check_cluster(client: Elasticsearch, namespace: str) -> None:
    """Assert what delivery relies on.

    Args:
        client: of a cluster with our templates.
        namespace: one that has no data stream yet.
    """
    stream = f"logs-sms.clisvc-{namespace}"
    _check_creation(client, stream)
    first, second = _check_rollover(client, stream)

    # An id is unique in one backing index only: the older one is not asked.
    assert statuses(create(client, stream, "a", "a", "d")) == [201, 409, 201]
    wanted = [(index, name) for index in (first, second) for name in ("a", "d", "x")]
    docs = [{"_index": index, "_id": name} for index, name in wanted]
    reply = client.mget(docs=docs, source=False)
    found = [(doc["_index"], doc["_id"]) for doc in reply["docs"] if doc["found"]]
    assert found == [(first, "a"), (second, "a"), (second, "d")]
    reply = client.mget(index=first, ids=["c", "d"], source=False)
    assert [doc["found"] for doc in reply["docs"]] == [True, False]
    gone = [{"_index": f"{first}-gone", "_id": "a"}]
    (doc,) = client.mget(docs=gone, source=False)["docs"]
    assert doc["error"]["type"] == "index_not_found_exception"


def _check_creation(client: Elasticsearch, stream: str) -> None:
    assert create(client, stream, "a") == {"errors": False, "items": [CREATED]}
    again = create(client, stream, "a", "b")
    assert again["errors"]
    assert statuses(again) == [409, 201]
    assert again["items"][0]["create"]["error"]["type"] == (
        "version_conflict_engine_exception"
    )

    (faulty,) = create(client, stream, "f", document=_FAULTY)["items"]
    assert faulty["create"]["status"] == 400
    assert faulty["create"]["error"]["type"] == "document_parsing_exception"
    assert faulty["create"]["error"]["caused_by"]["reason"]
    assert statuses(create(client, stream, "f", "c")) == [201, 201]

    (bare,) = create(client, f"bare-{stream}", "a")["items"]
    assert bare["create"]["status"] == 404
    assert bare["create"]["error"]["type"] == "index_not_found_exception"


def _check_rollover(client: Elasticsearch, stream: str) -> tuple[str, str]:
    """Return the names of the two backing indices."""
    client.indices.rollover(alias=stream)
    (data,) = client.indices.resolve_index(name=stream)["data_streams"]
    first, second = data["backing_indices"]
    assert data["name"] == stream
    assert not client.indices.resolve_index(name=f"{stream}-no*")["data_streams"]
    return first, second
