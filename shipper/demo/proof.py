# SPDX-License-Identifier: Apache-2.0
"""Compares what was written with what Elasticsearch holds, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.demo.fleet import Fleet

_PAGE = 5_000
_KEEP_ALIVE = "1m"


class Proof(Struct, frozen=True, kw_only=True):
    """How the index compares with the truth.

    Attributes:
        written: records written.
        indexed: record documents in the index.
        lost: records written that are not in the index.
        doubled: documents in the index that no record accounts for.
    """

    written: int
    indexed: int
    lost: int
    doubled: int

    @property
    def exact(self) -> bool:
        """Every record is there exactly once, and nothing else is."""
        return self.written == self.indexed and not self.lost and not self.doubled


def prove(client: Elasticsearch, fleet: Fleet, namespace: str) -> Proof:
    """Fetch every record document and compare it with the fleet's own books.

    Args:
        client: the client.
        fleet: what was written.
        namespace: of the data streams.
    """
    truth: Counter[tuple[str, str]] = Counter()
    for log in fleet.logs:
        for entry in log.entries:
            truth[log.host.name, _text(entry.line)] += entry.documents
    client.indices.refresh(index=f"logs-sms.*-{namespace}")
    index = Counter(
        (source["host"]["name"], source["event"]["original"])
        for source in _records(client, f"logs-sms.clisvc-{namespace}")
    )
    return Proof(
        written=truth.total(),
        indexed=index.total(),
        lost=(truth - index).total(),
        doubled=(index - truth).total(),
    )


def _text(line: bytes) -> str:
    """Return a line as it stands in ``event.original``."""
    raw = line.rstrip(b"\r\n")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252")


def _records(client: Elasticsearch, index: str) -> Iterator[dict[str, Any]]:
    point = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
    after = None
    try:
        while True:
            page = client.search(
                size=_PAGE,
                pit={"id": point, "keep_alive": _KEEP_ALIVE},
                sort=[{"_shard_doc": "asc"}],
                search_after=after,
                source_includes=["host.name", "event.original"],
                track_total_hits=False,
            )
            hits = page["hits"]["hits"]
            if not hits:
                return
            yield from (hit["_source"] for hit in hits)
            after = hits[-1]["sort"]
    finally:
        client.close_point_in_time(id=point)
