# SPDX-License-Identifier: Apache-2.0
"""Hosts whose logs tell stories, and collectors, as Elasticsearch would have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from shipper.records import Source
from tests.enrich.story import DAY, HOUR, iso, ship

#: In the seconds of a story: Monday, 2003-02-24T06:00Z.
NOW = 12 * DAY
NOW_MS = int((1_045_029_600 + NOW) * 1000)
MINUTE = 60.0


def ago(hours: float) -> float:
    """Return a time before now, in the seconds of a story."""
    return NOW - hours * HOUR


def order(seconds: float) -> int:
    """Return the place among an agent's changes that a change of a time has."""
    return int((1_045_029_600 + seconds) * 1000) * 1000


class Planted:
    """Documents to be indexed.

    Args:
        namespace: of the data streams.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._actions: list[dict[str, Any]] = []

    def log(
        self,
        host: str,
        text: bytes,
        *,
        log: str = "clisvc",
        domain: str = "",
        ingested: float | None = None,
    ) -> None:
        """Ship a host's log; each document arrives a minute after its time."""
        source = Source(
            host=host,
            domain=domain,
            log=log,
            directory=f"/fleet/{host}",
            path=f"/fleet/{host}/{log}.log",
            explicit_host=True,
        )
        for one in ship(text, source=source):
            late = one.body["@timestamp"] if ingested is None else iso(ingested)
            self.document(one.stream, one.body, late)

    def source(
        self,
        host: str,
        *,
        record: float,
        read: float,
        collector: str = "c1",
        status: float | None = None,
    ) -> None:
        """Report a source: when its newest record was written, and when it was read."""
        state = {
            "status": "read",
            "first_seen": iso(ago(240)),
            "last_record": iso(record),
            "last_read_ok": iso(read),
            "unread_bytes": 0,
        }
        self._status(
            "source-status",
            ago(0.5) if status is None else status,
            collector,
            host={"name": host},
            sms={"host": {"name": host}, "source": state},
        )

    def collector(self, name: str, when: float, **state: object) -> None:
        """Report a collector."""
        shipper = {"sources": 1, "unread_bytes": 0} | {
            "dead_lettered_delta": 0,
            "lost_bytes_delta": 0,
        }
        self._status(
            "collector-status", when, name, sms={"shipper": shipper | {**state}}
        )

    def document(
        self, stream: str, body: dict[str, Any], ingested: str, collector: str = "c1"
    ) -> None:
        """Add a document as the sink would send it."""
        made = msgspec.to_builtins(body)
        made["event"] = {**made.get("event", {}), "ingested": ingested}
        made["observer"] = {"name": collector}
        made["data_stream"] = {
            "type": "logs",
            "dataset": stream,
            "namespace": self.namespace,
        }
        index = f"logs-{stream}-{self.namespace}"
        self._actions.append({"_op_type": "create", "_index": index, **made})

    def index(self, client: Elasticsearch) -> None:
        """Index all of it."""
        bulk(client, self._actions, chunk_size=2000, require_data_stream=True)
        client.indices.refresh(index=f"logs-sms.*-{self.namespace}")

    def _status(
        self, action: str, when: float, collector: str, **members: object
    ) -> None:
        event = {"kind": "metric", "action": action, "module": "sms"}
        body = {"@timestamp": iso(when), "event": event, **members}
        self.document("sms.shipper", body, iso(when), collector)


def first_refusals(hosts: Iterable[str], domain: str) -> Iterator[dict[str, Any]]:
    """Yield a state document for each host: the first refusal, of 1314, an hour ago."""
    for host in hosts:
        agent = {
            "id": "advertised-programs",
            "name": "Advertised Programs Client Agent",
            "state": "launch_failed",
            "cause": "privilege",
            "cycles": 1,
            "cycle_opened": True,
            "relapse": False,
            "order": order(ago(1)),
            "episode_id": f"{host}-0",
        }
        yield {
            "@timestamp": iso(ago(1)),
            "host": {"name": host, "domain": domain},
            "sms": {"agent": agent},
        }
