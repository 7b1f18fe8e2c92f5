# SPDX-License-Identifier: Apache-2.0
"""Nothing is doubled when a data stream rolls over between a send and its re-send.

Elasticsearch keeps an ``_id`` unique only within one backing index
(elastic/elasticsearch#44794, #56273).
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from shipper.clock import SystemClock
from shipper.config import ElasticsearchSettings
from shipper.deliver import ElasticSink, connect
from shipper.records import Epochs, Event, Outcome, Stream
from shipper.stack import ensure
from tests.live.commands import clisvc, hits, lines, running, until
from tests.live.losing import Losing, losing_replies
from tests.live.shipping import Shipper

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_REFUSED = Path(__file__).parents[1] / "data" / "documents" / "kb828371-glued.log"
_TAKEN, _THERE = Outcome.DELIVERED, Outcome.DUPLICATE
_STREAMS = ("sms.clisvc", "sms.state")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of 200 plain records and some of a refused launch."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, 200) + _REFUSED.read_bytes())
    return path


@pytest.fixture
def proxy(elasticsearch_url: str) -> Iterator[Losing]:
    """Yield a proxy before the server."""
    with losing_replies(elasticsearch_url) as made:
        yield made


def _documents(client: Elasticsearch, namespace: str) -> "Counter[tuple[str, str]]":
    """Return how often each document is there, over all backing indices."""
    return Counter(
        (stream, hit["_id"])
        for stream in _STREAMS
        for hit in hits(client, f"logs-{stream}-{namespace}", source=["x"])
    )


def _roll_over(client: Elasticsearch, namespace: str) -> None:
    for stream in _STREAMS:
        client.indices.rollover(alias=f"logs-{stream}-{namespace}")


def _once(found: "Counter[tuple[str, str]]") -> bool:
    """Tell whether there are documents of both kinds, and none of them twice."""
    streams = {stream for stream, _ in found}
    return streams == set(_STREAMS) and set(found.values()) == {1}


def test_lost_reply(
    client: Elasticsearch, namespace: str, tmp_path: Path, proxy: Losing, log: Path
) -> None:
    """A batch whose reply was lost before a rollover is there once after it."""
    ship = Shipper(proxy.url, namespace, tmp_path)
    proxy.losing = True
    with running(tmp_path / "err.txt", "ship", log, *ship.words) as process:
        until(lambda: proxy.lost > 0, "a reply is lost")
        _roll_over(client, namespace)
        proxy.losing = False
        assert process.wait(60) == 0

    assert _once(_documents(client, namespace))


def test_killed(
    client: Elasticsearch, namespace: str, tmp_path: Path, proxy: Losing, log: Path
) -> None:
    """What was indexed and not acknowledged when it was killed is not doubled."""
    ship = Shipper(proxy.url, namespace, tmp_path)
    whole = log.read_bytes()
    log.write_bytes(lines(0, 100))
    assert ship(log).code == 0
    log.write_bytes(whole)
    proxy.losing = True
    with running(tmp_path / "err.txt", "ship", log, *ship.words) as process:
        until(lambda: proxy.lost > 0, "a reply is lost")
        process.kill()
        process.wait()
    _roll_over(client, namespace)
    proxy.losing = False
    before = _documents(client, namespace)

    done = ship(log)

    assert (done.code, done.json["indexed"]) == (0, 0), done.err
    assert done.json["duplicates"] > 100
    assert _documents(client, namespace) == before
    assert _once(before)


def test_lost_state(
    client: Elasticsearch,
    elasticsearch_url: str,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """With the state lost, everything is looked for in all backing indices."""
    first = Shipper(elasticsearch_url, namespace, tmp_path)
    assert first(log).code == 0
    before = _documents(client, namespace)
    _roll_over(client, namespace)
    _roll_over(client, namespace)

    again = clisvc("ship", log, *first.words, "--again", "--json")
    state = tmp_path / "other"
    state.mkdir()
    words = Shipper(elasticsearch_url, namespace, state).words
    anew = clisvc("ship", log, *words, "--json")

    for done in (again, anew):
        assert (done.code, done.json["indexed"]) == (0, 0), done.err
    assert _documents(client, namespace) == before
    assert _once(before)


def test_new_after_rollover(
    client: Elasticsearch,
    elasticsearch_url: str,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """Only what is missing is sent, and it goes into the newest index."""
    ship = Shipper(elasticsearch_url, namespace, tmp_path)
    assert ship(log).code == 0
    _roll_over(client, namespace)
    with log.open("ab") as file:
        file.write(lines(1_000, 7))

    done = clisvc("ship", log, *ship.words, "--again", "--json")

    assert (done.code, done.json["indexed"]) == (0, 7), done.err
    assert _once(_documents(client, namespace))


@pytest.mark.parametrize("server", ["elasticsearch_url", "elasticsearch_8_url"])
def test_both_versions(
    request: pytest.FixtureRequest, server: str, namespace: str
) -> None:
    """Servers of both versions tell their backing indices and what is in them."""
    url = request.getfixturevalue(server)
    with Elasticsearch(url, max_retries=0) as client:
        ensure(client, namespace=namespace)
        events = [
            Event(
                id=name,
                stream=stream,
                document=b'{"event":{"kind":"event"},'
                b'"@timestamp":"2003-02-12T05:06:07.089Z"}',
            )
            for stream in (Stream.CLISVC, Stream.STATE)
            for name in "abc"
        ]
        with _run(url, namespace, {}) as sink:
            nothing = sink.mark()
            sink.send(events[:2])
        with _run(url, namespace, {}) as sink:
            # One of the two data streams is not there yet.
            assert _outcomes(sink, events[:2], nothing) == [_THERE] * 2
            sink.send(events[3:5])
            epochs = sink.epochs
        _roll_over(client, namespace)

        with _run(url, namespace, epochs) as sink:
            outcomes = _outcomes(sink, events, 1)
            again = _outcomes(sink, events, 1)
            after = sink.epochs

        assert nothing == 0
        assert list(epochs) == [1]
        assert outcomes == [_THERE, _THERE, _TAKEN, _THERE, _THERE, _TAKEN]
        assert again == [_THERE] * 6
        assert set(_documents(client, namespace).values()) == {1}
        assert list(after) == [1, 2]


@contextmanager
def _run(url: str, namespace: str, epochs: Epochs) -> Iterator[ElasticSink]:
    """Yield a sink as a run has it that resumes from these epochs."""
    client = connect(ElasticsearchSettings(url=url))
    sink = ElasticSink(client, namespace=namespace, url=url, clock=SystemClock())
    sink.resume(epochs, sent_ms=None, sending=lambda: None)
    try:
        yield sink
    finally:
        sink.close()


def _outcomes(sink: ElasticSink, events: list[Event], since: int) -> list[Outcome]:
    return [verdict.outcome for verdict in sink.send(events, since)]
