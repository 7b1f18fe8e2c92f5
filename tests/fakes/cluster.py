# SPDX-License-Identifier: Apache-2.0
"""Elasticsearch as its Python client shows it, in memory, with faults on demand.

What matters for delivery is modelled: a data stream is a row of backing indices, an id
is unique in each of them alone, and only the newest takes documents. ``contract`` says
so once, of this model and of a real server.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from typing import Any

import msgspec
from elastic_transport import (
    ApiResponseMeta,
    ConnectionError,  # noqa: A004  the client's own name for it
    HttpHeaders,
    NodeConfig,
    ObjectApiResponse,
)
from elasticsearch import ApiError
from elasticsearch.exceptions import HTTP_EXCEPTIONS
from msgspec import Struct

_DATA_STREAMS = "logs-sms.*-*"
_BAD_REQUEST, _TOO_LARGE = 400, 413
_TIME = re.compile(r'"@timestamp":"\d{4}-\d\d-\d\dT[\d:.]+Z"')
_NODE = NodeConfig("http", "model", 9200)

#: An item of a reply, or a whole reply.
Body = dict[str, Any]


class Operation(Struct, frozen=True, kw_only=True):
    """A document to create.

    Attributes:
        index: name of the data stream.
        id: its id.
        document: its source.
    """

    index: str
    id: str
    document: bytes


Take = Callable[[Iterable[Operation]], list[Body]]
#: Deals with a bulk request in place of a sound server: gets what would take
#: documents, and the documents; returns the items, raises, or answers nonsense.
Fault = Callable[[Take, list[Operation]], Any]


class Cluster:
    """A cluster with our templates, and a client of it in one.

    Attributes:
        faults: of the next bulk requests, one each; after them all is well.
        look_up_faults: status of the answers to the next look-ups, one each; 0 cuts
            the connection.
        answered: ids the caller was told are there.
        refused: ids the caller was told are at fault themselves.
        requests: bulk requests so far.
    """

    def __init__(self) -> None:
        self._streams: dict[str, list[dict[str, bytes]]] = {}
        self.faults: deque[Fault] = deque()
        self.look_up_faults: deque[int] = deque()
        self.answered: set[str] = set()
        self.refused: set[str] = set()
        self.requests = 0
        self.indices = Indices(self)

    # --- the client -------------------------------------------------------------

    def options(self, **_: object) -> Cluster:
        """Return the client with other options, which a model has no use for."""
        return self

    def close(self) -> None:
        """Let go of connections, of which there are none."""

    def bulk(
        self,
        *,
        operations: bytes,
        require_data_stream: bool,
        filter_path: str,
        timeout: str,
    ) -> ObjectApiResponse[Any]:
        """Create documents."""
        assert require_data_stream
        assert timeout  # or a shard that is just being started lets it wait a minute
        self.requests += 1
        sent = list(_operations(operations))
        fault = self.faults.popleft() if self.faults else None
        try:
            items = fault(self._take, sent) if fault else self._take(sent)
        except ApiError as error:
            if error.status_code == _TOO_LARGE and len(sent) == 1:
                self.refused.add(sent[0].id)
            raise
        if not isinstance(items, list):
            return _response(items)
        if len(items) == len(sent):
            self._note(sent, items)
        errors = any("error" in item.get("create", {}) for item in items)
        return _response(pruned({"errors": errors, "items": items}, filter_path))

    def mget(
        self,
        *,
        index: str | None = None,
        ids: list[str] | None = None,
        docs: list[dict[str, str]] | None = None,
        filter_path: str = "",
        **_: object,
    ) -> ObjectApiResponse[Any]:
        """Look documents up in backing indices."""
        self.look_up()
        wanted = docs or [{"_index": index or "", "_id": name} for name in ids or ()]
        found = [
            self._get(doc.get("_index", index or ""), doc["_id"]) for doc in wanted
        ]
        self.answered.update(doc["_id"] for doc in found if doc.get("found"))
        return _response(pruned({"docs": found}, filter_path))

    # --- the server -------------------------------------------------------------

    def rollover(self, stream: str) -> None:
        """Begin a new write index."""
        self._streams[stream].append({})

    def streams(self, pattern: str = "*") -> dict[str, dict[str, dict[str, bytes]]]:
        """Return documents by data stream, backing index in order, and id."""
        return {
            stream: {
                f".ds-{stream}-2003.02.12-{number:06}": documents
                for number, documents in enumerate(row, start=1)
            }
            for stream, row in self._streams.items()
            if any(fnmatch(stream, part) for part in pattern.split(","))
        }

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield data stream, id and source of each document of each backing index."""
        for stream, row in self._streams.items():
            for documents in row:
                for name, document in documents.items():
                    yield stream, name, document

    def look_up(self) -> None:
        """Answer a look-up, or fail as told."""
        if self.look_up_faults:
            status = self.look_up_faults.popleft()
            raise refusal(status) if status else ConnectionError("reset by peer")

    def _get(self, index: str, name: str) -> Body:
        for backing in self.streams().values():
            if index in backing:
                return {"_index": index, "_id": name, "found": name in backing[index]}
        error = {"type": "index_not_found_exception", "reason": f"no such [{index}]"}
        return {"_index": index, "_id": name, "error": error}

    def _take(self, operations: Iterable[Operation]) -> list[Body]:
        return [{"create": self._create(operation)} for operation in operations]

    def _create(self, operation: Operation) -> Body:
        if not fnmatch(operation.index, _DATA_STREAMS):
            return refused(404, "index_not_found_exception")
        if not _TIME.search(operation.document.decode()):
            return refused(400, "document_parsing_exception", "illegal_argument")
        row = self._streams.setdefault(operation.index, [{}])
        if operation.id in row[-1]:
            return refused(409, "version_conflict_engine_exception")
        row[-1][operation.id] = operation.document
        return {"status": 201}

    def _note(self, sent: list[Operation], items: list[Body]) -> None:
        for operation, item in zip(sent, items, strict=True):
            said = item.get("create", {})
            used = said.get("failure_store") == "used"
            if used or said.get("status") == _BAD_REQUEST:
                self.refused.add(operation.id)
            elif said.get("status") in {201, 409}:
                self.answered.add(operation.id)


class Indices:
    """The part of the client that knows about indices."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def rollover(self, *, alias: str) -> ObjectApiResponse[Any]:
        """Begin a new write index."""
        self._cluster.rollover(alias)
        return _response({"acknowledged": True, "rolled_over": True})

    def resolve_index(
        self, *, name: str | list[str], filter_path: str = "", **_: object
    ) -> ObjectApiResponse[Any]:
        """Tell which indices a name stands for."""
        found = [
            {
                "name": stream,
                "backing_indices": list(backing),
                "timestamp_field": "@timestamp",
            }
            for stream, backing in self._named(name).items()
        ]
        body = {"indices": [], "aliases": [], "data_streams": found}
        return _response(pruned(body, filter_path))

    def _named(self, name: str | list[str]) -> dict[str, dict[str, dict[str, bytes]]]:
        self._cluster.look_up()
        name = name if isinstance(name, str) else ",".join(name)
        found = self._cluster.streams(name)
        if any("*" not in part and part not in found for part in name.split(",")):
            raise refusal(404, "index_not_found_exception")
        return found


# --- the wire -----------------------------------------------------------------------


def refused(status: int, kind: str, cause: str = "") -> Body:
    """Return an item that says no."""
    error: Body = {"type": kind, "reason": f"{kind} for {status}"}
    if cause:
        error["caused_by"] = {"type": cause, "reason": cause}
    return {"status": status, "error": error}


def pruned(body: Any, filter_path: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what ``filter_path`` leaves of a reply."""
    paths = [tuple(path.split(".")) for path in filter_path.split(",") if path]
    return _pruned(body, paths) if paths else body


def _pruned(value: Any, paths: list[tuple[str, ...]]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [left for item in value if (left := _pruned(item, paths)) is not None]
    if not isinstance(value, dict):
        return None
    kept: Body = {}
    for key, member in value.items():
        below = [path[1:] for path in paths if path[0] in {key, "*"}]
        left = member if () in below else below and _pruned(member, below)
        if () in below or left:
            kept[key] = left
    return kept or None


def _operations(body: bytes) -> Iterator[Operation]:
    lines = body.splitlines()
    for action, document in zip(lines[::2], lines[1::2], strict=True):
        named = msgspec.json.decode(action)["create"]
        yield Operation(index=named["_index"], id=named["_id"], document=document)


def _meta(status: int) -> ApiResponseMeta:
    headers = HttpHeaders({"x-elastic-product": "Elasticsearch"})
    return ApiResponseMeta(status, "1.1", headers, 0.0, _NODE)


def _response(body: Any) -> ObjectApiResponse[Any]:  # noqa: ANN401 - JSON is anything
    return ObjectApiResponse(body=body, meta=_meta(200))


def refusal(status: int, kind: str = "refused_by_model") -> ApiError:
    """Return the client's exception for a request that is answered so."""
    body = {"error": {"type": kind, "reason": f"answered {status}"}, "status": status}
    return HTTP_EXCEPTIONS.get(status, ApiError)(kind, _meta(status), body)
