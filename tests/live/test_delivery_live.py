# SPDX-License-Identifier: Apache-2.0
"""The Elasticsearch sink on a real server."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from shipper.clock import SystemClock
from shipper.config import ElasticsearchSettings
from shipper.deliver import Delivery, ElasticSink, Gate, Outbox, Verdict, connect
from shipper.records import (
    DeadLetter,
    Event,
    Generation,
    Outcome,
    Progress,
    Source,
    Stream,
    Ticket,
)
from shipper.stack import ensure
from shipper.store import Ledger
from tests.fakes.sink import check_sink

pytestmark = pytest.mark.elasticsearch


def _event(
    name: str, namespace: str, *, time: str = "2003-02-12T05:06:07.089Z"
) -> Event:
    document = {
        "event": {"kind": "event", "dataset": "sms.clisvc", "module": "sms"},
        "@timestamp": time,
        "data_stream": {
            "type": "logs",
            "dataset": "sms.clisvc",
            "namespace": namespace,
        },
        "message": f"Starting agent {name}",
    }
    return Event(
        id=f"{namespace}-{name}",
        stream=Stream.CLISVC,
        document=msgspec.json.encode(document),
        size=10,
    )


@pytest.fixture
def sink(elasticsearch_url: str, namespace: str) -> Iterator[ElasticSink]:
    """Yield a sink for a namespace of its own; nothing is set up."""
    settings = ElasticsearchSettings(url=elasticsearch_url)
    made = ElasticSink(
        connect(settings),
        namespace=namespace,
        url=elasticsearch_url,
        clock=SystemClock(),
        collector="collector-1",
    )
    yield made
    made.close()


@pytest.fixture
def prepared(client: Elasticsearch, namespace: str) -> Elasticsearch:
    """Return a client of a server with our templates."""
    ensure(client, namespace=namespace)
    return client


def _stored(client: Elasticsearch, namespace: str) -> dict[str, dict[str, Any]]:
    index = f"logs-sms.clisvc-{namespace}"
    client.indices.refresh(index=index)
    hits = client.search(index=index, size=100).body["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits}


def test_conformance(
    sink: ElasticSink, prepared: Elasticsearch, namespace: str
) -> None:
    """The server answers like any sink: created once, a duplicate ever after."""
    events = [_event(name, namespace) for name in "abc"]

    check_sink(sink, events)

    assert set(_stored(prepared, namespace)) == {event.id for event in events}


def test_stored_document(
    sink: ElasticSink, prepared: Elasticsearch, namespace: str
) -> None:
    """What is stored is the document with the collector's stamp."""
    event = _event("a", namespace)

    sink.send([event])

    (stored,) = _stored(prepared, namespace).values()
    assert stored["agent"]["type"] == "clisvc-shipper"
    assert stored["observer"]["name"] == "collector-1"
    assert stored["event"]["ingested"].endswith("Z")
    original = msgspec.json.decode(event.document)
    assert stored["message"] == original["message"]
    assert stored["event"]["kind"] == "event"


def test_mapping_fault(
    sink: ElasticSink, prepared: Elasticsearch, namespace: str
) -> None:
    """A document that does not fit is refused with the reason; its neighbours stay."""
    faulty = _event("b", namespace, time="no time")
    first, refused, last = sink.send(
        [_event("a", namespace), faulty, _event("c", namespace)]
    )

    outcomes = (first.outcome, refused.outcome, last.outcome)
    assert outcomes == (Outcome.DELIVERED, Outcome.REJECTED, Outcome.DELIVERED)
    assert refused.error_type
    assert refused.reason
    assert faulty.id not in _stored(prepared, namespace)


def test_without_template(client: Elasticsearch, namespace: str) -> None:
    """Without a template nothing is stored, and nothing counts as refused."""
    sink = ElasticSink(
        client, namespace=namespace, url="http://es", clock=SystemClock()
    )
    # No template of anybody's is for this name.
    sink._actions[Stream.CLISVC] = (
        b'{"create":{"_index":"bare-%s","_id":"' % namespace.encode()
    )

    (verdict,) = sink.send([_event("a", namespace)])

    assert (verdict.outcome, verdict.status) == (Outcome.RETRY, 404)
    assert verdict.error_type == "index_not_found_exception"
    assert not client.indices.exists(index=f"bare-{namespace}")


def test_write_block(
    sink: ElasticSink, prepared: Elasticsearch, namespace: str
) -> None:
    """A data stream that takes no writes at the moment is an outage."""
    index = f"logs-sms.clisvc-{namespace}"
    sink.send([_event("a", namespace)])
    resolved = prepared.indices.resolve_index(name=index).body
    (name,) = resolved["data_streams"][0]["backing_indices"]
    prepared.indices.put_settings(index=name, settings={"index.blocks.write": True})

    (blocked,) = sink.send([_event("b", namespace)])

    assert (blocked.outcome, blocked.status) == (Outcome.RETRY, 403)
    assert blocked.error_type == "cluster_block_exception"
    prepared.indices.put_settings(index=name, settings={"index.blocks.write": False})
    assert _outcome(sink.send([_event("b", namespace)])) is Outcome.DELIVERED


def _outcome(verdicts: list[Verdict]) -> Outcome:
    (verdict,) = verdicts
    return verdict.outcome


def test_shard_limit(
    sink: ElasticSink, prepared: Elasticsearch, namespace: str
) -> None:
    """A cluster that has no room for another data stream is an outage."""
    setting = "cluster.max_shards_per_node"
    prepared.cluster.put_settings(persistent={setting: 1})
    try:
        (full,) = sink.send([_event("a", namespace)])
    finally:
        prepared.cluster.put_settings(persistent={setting: None})

    assert (full.outcome, full.status) == (Outcome.RETRY, 400)
    assert full.error_type == "validation_exception"
    assert _outcome(sink.send([_event("a", namespace)])) is Outcome.DELIVERED


def test_senders(sink: ElasticSink, prepared: Elasticsearch, namespace: str) -> None:
    """Senders deliver chunks once, though half of it was there; a fault is buried."""
    sink.send([_event(f"{n}", namespace) for n in range(20)])
    events = [_event(f"{n}", namespace) for n in range(40)]
    events.append(_event("faulty", namespace, time="no time"))
    clock, ledger, letters = SystemClock(), Ledger(), list[DeadLetter]()
    outbox = Outbox(
        clock, batch_bytes=10**6, batch_events=7, linger_s=0, max_bytes=10**6
    )
    delivery = Delivery(
        sink,
        outbox,
        Gate(clock),
        ledger,
        clock,
        bury=letters.extend,
        batch_done=lambda: None,
        senders=2,
        max_dead_letters_in_row=10,
    )
    ticket = Ticket(
        source=Source(host="pc1", log="clisvc", directory="/d", path="/d/Clisvc.log"),
        generation=Generation(gen_id="g"),
        progress=Progress(offset=410),
        events=41,
        records=41,
    )
    ledger.open(ticket)
    outbox.put(ticket, events)
    delivery.start()

    assert delivery.drain(60)

    counts = delivery.counts
    assert (counts.indexed, counts.duplicates, counts.dead_lettered) == (20, 20, 1)
    (settled,) = ledger.take()
    assert (settled.records, settled.duplicates, settled.dead_lettered) == (41, 20, 10)
    assert len(_stored(prepared, namespace)) == 40
    assert [letter.event.id for letter in letters] == [events[-1].id]
