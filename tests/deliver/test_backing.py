# SPDX-License-Identifier: Apache-2.0
"""What backing indices are asked for, and what is made of every answer.

The rule behind it: ids are unique only within one backing index
(elastic/elasticsearch#44794, #56273).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch
from structlog.testing import capture_logs

from shipper.clock import SystemClock
from shipper.deliver import Outage
from shipper.deliver.backing import Backing
from shipper.records import Event, Stream
from tests.fakes.answering import Answer, answering
from tests.fakes.clock_deliver import StillClock

_RECORDS, _STATES = "logs-sms.clisvc-test", "logs-sms.state-test"
_GONE = Answer(
    status=404, body={"error": {"type": "index_not_found_exception"}, "status": 404}
)
_BLOCKED = {"type": "cluster_block_exception", "reason": "blocked"}


class Server:
    """Answers as Elasticsearch does about data streams and their documents.

    Attributes:
        streams: ids of documents by backing index by data stream, in order.
        trouble: answer in place of one, by the last word of the path.
        asked: what came in: the names resolved, and the indices looked into with the
            number of ids.
    """

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, str]] = {_RECORDS: {"r1": ""}}
        self.trouble: dict[str, Answer] = {}
        self.asked: list[str] = []

    def respond(self, _method: str, path: str, body: bytes) -> Answer:
        """Answer one request."""
        first, _, last = path.removeprefix("/").replace("%2C", ",").rpartition("/")
        if last == "_mget":
            ids = json.loads(body)["ids"]
            self.asked.append(f"{first} {len(ids)}")
            found = {
                index: has
                for row in self.streams.values()
                for index, has in row.items()
            }
            docs = [{"found": name in found[first].split()} for name in ids]
            return self.trouble.get("_mget") or Answer(body={"docs": docs})
        self.asked.append(last)
        if answer := self.trouble.get("resolve"):
            return answer
        names = last.split(",")
        if any(name not in self.streams for name in names):
            return _GONE
        rows = [
            {"name": name, "backing_indices": list(self.streams[name])}
            for name in names
        ]
        return Answer(body={"data_streams": rows})

    @property
    def looked_into(self) -> list[str]:
        """Indices looked into, with the number of ids, since the last time."""
        asked, self.asked = self.asked, []
        return [each for each in asked if " " in each]


class Bench:
    """Backing indices at a server.

    Attributes:
        server: what answers.
        clock: moved by the test.
        backing: what is tested.
    """

    def __init__(self, client: Elasticsearch, server: Server) -> None:
        self.server = server
        self.clock = StillClock()
        self.backing = Backing(client, "test", "http://es", self.clock)

    def found(self, names: str, since: int) -> set[str] | None:
        """Look for record documents, some seconds later."""
        self.clock.now_s += 5
        events = [_event(name) for name in names.split()]
        found = self.backing.found(events, since)
        return None if found is None else {name for _, name in found}

    def minute(self) -> int:
        """Return the epoch a minute later."""
        self.clock.now_s += 60
        return self.backing.mark()


def _event(name: str, stream: Stream = Stream.CLISVC) -> Event:
    return Event(id=name, stream=stream, document=b'{"event":{}}')


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Yield a bench whose server has a data stream of one index, and no states."""
    server = Server()
    with (
        answering(server.respond) as url,
        Elasticsearch(url, max_retries=0, request_timeout=10) as client,
    ):
        yield Bench(client, server)


# --- epochs -----------------------------------------------------------------------


def test_epochs(bench: Bench) -> None:
    """An epoch is an unchanged set of write indices; each change begins a new one."""
    numbers = [bench.minute(), bench.minute()]
    bench.server.streams[_STATES] = {"s1": ""}
    numbers.append(bench.minute())
    bench.server.streams[_RECORDS]["r2"] = ""
    numbers += [bench.minute(), bench.minute()]

    assert numbers == [1, 1, 2, 3, 3]
    assert bench.backing.epochs == {
        1: {_RECORDS: "r1"},
        2: {_RECORDS: "r1", _STATES: "s1"},
        3: {_RECORDS: "r2", _STATES: "s1"},
    }


def test_nothing_there(bench: Bench) -> None:
    """Without any data stream nothing is known, and no epoch begins."""
    bench.server.streams.clear()

    assert bench.minute() == 0
    assert bench.backing.epochs == {}


def test_asked_once_a_minute(bench: Bench) -> None:
    """In the normal course the server is asked once a minute, not once a batch."""
    bench.server.streams[_STATES] = {"s1": ""}
    for _ in range(119):
        bench.clock.now_s += 1
        bench.backing.mark()

    assert bench.server.asked == [f"{_RECORDS},{_STATES}"] * 2


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_mark_survives_trouble(bench: Bench, status: int) -> None:
    """What cannot be learned now leaves the epoch as it is: older is safe."""
    assert bench.minute() == 1
    bench.server.streams[_RECORDS]["r2"] = ""
    bench.server.trouble["resolve"] = Answer(status=status, body={})

    assert bench.minute() == 1

    bench.server.trouble.clear()
    assert bench.minute() == 2


def test_resumed(bench: Bench) -> None:
    """Epochs are counted on from an earlier run, so that theirs stay older."""
    bench.backing.resume({3: {_RECORDS: "r0"}, 4: {_RECORDS: "r1"}}, sent_ms=None)
    assert bench.minute() == 4

    bench.server.streams[_RECORDS]["r2"] = ""

    assert bench.minute() == 5


def test_data_stream_vanishes(bench: Bench) -> None:
    """A data stream that is gone changes nothing until there is a new one."""
    assert bench.minute() == 1
    bench.server.streams.clear()
    assert bench.minute() == 1
    bench.server.streams[_RECORDS] = {"r7": ""}

    assert bench.minute() == 2


# --- look-ups ---------------------------------------------------------------------


@pytest.mark.parametrize("since", [0, 1])
def test_one_index(bench: Bench, since: int) -> None:
    """What is there is not sent: a rollover may come before the request does."""
    bench.server.streams[_RECORDS]["r1"] = "a b"
    assert bench.minute() == 1

    assert bench.found("a b c", since) == {"a", "b"}
    assert bench.server.looked_into == ["r1 3"]


def test_rolled_over(bench: Bench) -> None:
    """After a rollover the index written to before is looked into as well."""
    assert bench.minute() == 1
    bench.server.streams[_RECORDS] = {"r1": "a c", "r2": "b"}

    assert bench.found("a b c d", 1) == {"a", "b", "c"}
    assert bench.server.looked_into == ["r2 4", "r1 3"]


@pytest.mark.parametrize(
    ("since", "looked_into"),
    [
        (0, ["r4 2", "r3 2", "r2 1", "r1 1"]),
        (1, ["r4 2", "r3 2", "r2 1", "r1 1"]),
        (2, ["r4 2", "r3 2"]),
        (3, ["r4 2"]),
    ],
)
def test_from_the_known_index_on(
    bench: Bench, since: int, looked_into: list[str]
) -> None:
    """Indices from the known one on are asked, newest first, for what is missing.

    Epoch 1 knows an index that lifecycle has deleted: then all are asked.
    """
    bench.backing.resume(
        {1: {_RECORDS: "r0"}, 2: {_RECORDS: "r3"}, 3: {_RECORDS: "r4"}},
        sent_ms=None,
    )
    bench.server.streams[_RECORDS] = {"r1": "", "r2": "", "r3": "a", "r4": ""}

    assert bench.found("a b", since) == ({"a"} if since < 3 else set())
    assert bench.server.looked_into == looked_into


def test_streams_apart(bench: Bench) -> None:
    """A document is looked for in its own data stream."""
    bench.server.streams = {
        _RECORDS: {"r1": "a", "r2": ""},
        _STATES: {"s1": "b", "s2": ""},
    }
    events = [_event(name, s) for s in (Stream.CLISVC, Stream.STATE) for name in "ab"]

    assert bench.backing.found(events, 0) == {(Stream.CLISVC, "a"), (Stream.STATE, "b")}


def test_stream_of_another_kind(bench: Bench) -> None:
    """A data stream not asked about before is asked about when it is needed."""
    bench.server.streams["logs-sms.ccm-test"] = {"c1": "a", "c2": ""}

    found = bench.backing.found([_event("a", Stream.CCM)], 0)

    assert found == {(Stream.CCM, "a")}


def test_slices(bench: Bench) -> None:
    """Many ids are asked for in requests of 2,000."""
    bench.server.streams[_RECORDS] = {"r1": "x4499", "r2": ""}

    found = bench.found(" ".join(f"x{n}" for n in range(4_500)), 0)

    assert found == {"x4499"}
    assert bench.server.looked_into == [
        *("r2 2000", "r2 2000", "r2 500"),
        *("r1 2000", "r1 2000", "r1 500"),
    ]


def test_learned_anew(bench: Bench) -> None:
    """A look-up believes nothing learned before, be it of a moment ago."""
    assert bench.backing.found([_event("a")], 0) == set()

    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}

    assert bench.backing.found([_event("a")], 0) == {(Stream.CLISVC, "a")}


@pytest.mark.parametrize("restarted", [True, False])
def test_settled(bench: Bench, *, restarted: bool) -> None:
    """While an earlier request may still write to an older index, nothing is sent."""
    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}
    if restarted:
        # Three seconds ago, and so is the doubt.
        bench.backing.resume({}, sent_ms=bench.clock.now_ms - 3_000)
        bench.clock.now_s -= 3
    else:
        bench.backing.doubt()
    bench.clock.now_s += 6
    with pytest.raises(Outage) as caught:
        bench.backing.found([_event("a")], 0)

    assert caught.value.wait_s == pytest.approx(4)
    assert not caught.value.unknown
    assert bench.found("a", 0) == {"a"}


def test_nothing_older_nothing_to_wait_for(bench: Bench) -> None:
    """With one backing index an earlier request does no harm: ids are unique in it."""
    bench.backing.doubt()

    assert bench.backing.found([_event("a")], 0) == set()


# --- answers that do not help ------------------------------------------------------


@pytest.mark.parametrize("request_", ["resolve", "_mget"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401, body={}),
        Answer(status=429, body={}),
        Answer(status=500, body={}),
        Answer(status=503, body={}),
        Answer(status=403, body={"error": _BLOCKED}),
        Answer(status=404, body="<html>not here</html>", product=False),
        Answer(body="[]"),
        Answer(body={"docs": [], "data_streams": [{"name": "x"}]}),
        Answer(body={"docs": [{}, {}], "data_streams": {"a": "b"}}),
        Answer(body={"docs": [{"found": True}], "data_streams": ["x"]}),
    ],
)
def test_look_up_fails(bench: Bench, request_: str, answer: Answer) -> None:
    """What cannot be looked up now is an outage: nothing is sent on a guess."""
    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}
    bench.server.trouble[request_] = answer

    with pytest.raises(Outage):
        bench.found("a b", 0)


def test_shard_away(bench: Bench) -> None:
    """An index that cannot be read now is an outage, in the server's words."""
    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}
    error = {"type": "no_shard_available_action_exception", "reason": "no shard"}
    bench.server.trouble["_mget"] = Answer(body={"docs": [{"error": error}]})

    with pytest.raises(Outage) as caught:
        bench.found("a", 0)

    assert caught.value.problem.message == "http://es cannot look into r2: no shard."


@pytest.mark.parametrize(
    ("request_", "status"), [("resolve", 403), ("_mget", 403), ("_mget", 400)]
)
def test_no_right(bench: Bench, request_: str, status: int) -> None:
    """Without the right nothing is looked up; that is said once, with the remedy.

    The same goes for an index that somebody has closed (400).
    """
    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}
    error = {"type": "security_exception", "reason": "unauthorized"}
    bench.server.trouble[request_] = Answer(status=status, body={"error": error})

    with capture_logs() as logs:
        answers = [bench.found("a", 0), bench.found("a", 0)]
        bench.minute()

    assert answers == [None, None]
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "may be doubled" in warning["event"]
    assert "read and view_index_metadata on logs-sms.*-test" in warning["remedy"]


def test_no_right_is_said_at_the_start(bench: Bench) -> None:
    """The first batch already tells that the right is lacking."""
    error = {"type": "security_exception", "reason": "unauthorized"}
    bench.server.trouble["resolve"] = Answer(status=403, body={"error": error})

    with capture_logs() as logs:
        assert Backing.mark(bench.backing) == 0

    assert len(logs) == 1


def test_right_is_granted(bench: Bench) -> None:
    """A right granted later is used."""
    bench.server.streams[_RECORDS] = {"r1": "a", "r2": ""}
    bench.server.trouble["resolve"] = Answer(
        status=403, body={"error": {"type": "security_exception"}}
    )
    with capture_logs():
        assert bench.found("a", 0) is None
    bench.server.trouble.clear()

    assert bench.found("a", 0) == {"a"}


def test_away() -> None:
    """A server that is away is an outage, and no reason to wait at a mark."""
    with answering(lambda *_: _GONE) as url:
        pass
    with Elasticsearch(url, max_retries=0) as client:
        backing = Backing(client, "test", url, SystemClock())

        assert backing.mark() == 0
        with pytest.raises(Outage) as caught:
            backing.found([_event("a")], 0)

    assert not caught.value.unknown
