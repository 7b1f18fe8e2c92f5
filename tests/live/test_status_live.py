# SPDX-License-Identifier: Apache-2.0
"""What a collector says of itself, in a real index."""

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from shipper.app import Reporter
from shipper.clock import SystemClock
from shipper.deliver import ElasticSink
from shipper.records import Observation
from shipper.store import Database, Reader
from tests.live.commands import clisvc, hits
from tests.store.made import sighting, source

pytestmark = pytest.mark.elasticsearch


class LaterClock(SystemClock):
    """The machine's clock, an hour ahead when told to."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return super().wall_ms() + self.ahead_ms


def test_reports_are_found_by_their_fields(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Both reports are indexed, and what rules ask for can be searched."""
    clisvc("setup", "--elasticsearch-url", elasticsearch_url)
    clock = LaterClock()
    database = Database(tmp_path / "state.db", clock)
    seen = Observation(path="/logs/Clisvc.log", seen=300)
    database.save([sighting(observation=seen)], [], [(source(), "ok", "")])
    sink = ElasticSink(
        client, namespace=namespace, url=elasticsearch_url, clock=clock, collector="c1"
    )
    reporter = Reporter(
        sink,
        tmp_path / "state.db",
        tmp_path / "told.json",
        clock,
        collector="c1",
        namespace=namespace,
        down=lambda: False,
    )
    clock.ahead_ms = 3_600_000
    reader = Reader(tmp_path / "state.db")
    try:
        reporter.report(reader)
    finally:
        reader.close()
        database.close()
    index = f"logs-sms.shipper-{namespace}"
    client.indices.refresh(index=index)

    def count(**query: object) -> int:
        return int(client.count(index=index, query=dict(query))["count"])

    assert len(list(hits(client, index))) == 2
    assert count(term={"event.action": "source-status"}) == 1
    assert count(term={"agent.name": "c1"}) == 2
    assert count(range={"sms.source.unread_bytes": {"gte": 300}}) == 1
    assert count(range={"sms.source.first_seen": {"lte": "now"}}) == 1
    assert count(range={"sms.source.last_read_ok": {"lte": "now"}}) == 1
    assert count(range={"sms.shipper.unread_bytes": {"gte": 300}}) == 1
    assert count(exists={"field": "sms.shipper.oldest_unread"}) == 1
    assert count(term={"host.name": "pc0417"}) == 1
    assert count(term={"sms.host.name": "pc0417"}) == 1
    assert count(exists={"field": "_ignored"}) == 0
