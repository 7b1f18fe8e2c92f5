# SPDX-License-Identifier: Apache-2.0
"""How other shippers took a refusal for a delivery, or the other way round: not here.

The real client talks to a server that keeps ids as Elasticsearch does, and that
misbehaves as in the report each test names; see docs/reliability.md.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from structlog.testing import capture_logs

from shipper.clock import SystemClock
from shipper.config import ElasticsearchSettings
from shipper.deliver import Delivery, ElasticSink, Gate, Outbox, connect
from shipper.records import DeadLetter, Event
from shipper.store import Ledger
from tests.fakes.answering import Answer, answering
from tests.store.made import event, ticket

#: What becomes of a request: an answer in place of the server's own, or ``None``.
Fault = Callable[[int, list[str]], Answer | None]
#: Status of an item, by number of the request and id; ``None`` leaves it alone.
Refusal = Callable[[int, str], int | None]


class Server:
    """Keeps ids, and answers with faults.

    Args:
        fault: answers in the server's place, after it has kept what it was sent.
        refusal: refuses single documents.

    Attributes:
        kept: ids, in order.
        requests: ids in each bulk request.
    """

    def __init__(
        self,
        fault: Fault = lambda _number, _ids: None,
        refusal: Refusal = lambda _number, _name: None,
        *,
        most_bytes: int = 10**9,
    ) -> None:
        self.kept: list[str] = []
        self.requests: list[list[str]] = []
        self._fault = fault
        self._refusal = refusal
        self._most_bytes = most_bytes

    def respond(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request."""
        if not path.endswith("/_bulk") or method not in {"POST", "PUT"}:
            return Answer(status=404, body={})
        data = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        if len(data) > self._most_bytes:
            return Answer(status=413, body={})
        ids = [json.loads(row)["create"]["_id"] for row in data.splitlines()[::2]]
        self.requests.append(ids)
        number = len(self.requests)
        items = [{"create": self._item(number, name)} for name in ids]
        answer = Answer(body={"errors": True, "items": items})
        return self._fault(number, ids) or answer

    def _item(self, number: int, name: str) -> dict[str, object]:
        status = self._refusal(number, name)
        if status is None and name not in self.kept:
            self.kept.append(name)
            return {"status": 201}
        kind = {None: "version_conflict", 429: "es_rejected_execution_exception"}
        error = {"type": kind.get(status, "document_parsing_exception"), "reason": "no"}
        return {"status": status or 409, "error": error}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of documents.

    Attributes:
        letters: dead letters.
        acknowledged: the chunk counts as dealt with.
        clean: delivery ended with all dealt with.
        logs: what was logged.
        duplicates: documents that were there already.
    """

    letters: list[DeadLetter]
    acknowledged: bool
    clean: bool
    logs: list[object]
    duplicates: int


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("shipper.deliver.gate.FIRST_S", 0.01)
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("sender"):
            thread.join(10)


def deliver(server: Server, names: str, *, drain_s: float = 30.0) -> Outcome:
    """Deliver one chunk with a document a letter."""
    letters: list[DeadLetter] = []
    clock, ledger = SystemClock(), Ledger()
    gate = Gate(clock)
    outbox = Outbox(
        clock, batch_bytes=10**6, batch_events=100, linger_s=0.0, max_bytes=10**6
    )
    with answering(server.respond) as url, capture_logs() as logs:
        settings = ElasticsearchSettings(url=url, timeout=5)
        sink = ElasticSink(
            connect(settings), namespace="test", url=url, clock=clock, agent_id="a"
        )
        delivery = Delivery(
            sink,
            outbox,
            gate,
            ledger,
            clock,
            bury=letters.extend,
            batch_done=lambda: None,
            senders=1,
            max_dead_letters_in_row=1000,
        )
        chunk = ticket(len(names), events=len(names))
        ledger.open(chunk)
        outbox.put(chunk, [_document(name) for name in names])
        delivery.start()
        clean = delivery.drain(drain_s)
        sink.close()
    return Outcome(
        letters=letters,
        acknowledged=bool(ledger.take()),
        clean=clean,
        logs=[*logs],
        duplicates=delivery.counts.duplicates,
    )


def _document(name: str) -> Event:
    made = event(name)
    return msgspec.structs.replace(made, document=b'{"event":{"kind":"event"}}')


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_no_answer_of_one_document_is_taken_for_all(status: int) -> None:
    """vectordotdev/vector#2968, #11359, #25799, #140, logstash#1631: 429 in a 200.

    A document refused for the moment is sent again, and only that one.
    """
    server = Server(
        refusal=lambda number, name: status if number == 1 and name in "bd" else None
    )
    result = deliver(server, "abcd")

    assert server.requests == [["a", "b", "c", "d"], ["b", "d"]]
    assert sorted(server.kept) == ["a", "b", "c", "d"]
    assert (result.clean, result.acknowledged, result.letters) == (True, True, [])


def test_one_success_does_not_make_a_batch_one() -> None:
    """fluent/fluent-bit out_es: one 201 among 429s counted for the whole chunk."""
    server = Server(refusal=lambda _number, name: None if name == "a" else 429)
    result = deliver(server, "abc", drain_s=0.3)

    assert server.kept == ["a"]
    assert (result.clean, result.acknowledged) == (False, False)


def test_refused_documents_are_kept_and_not_sent_again() -> None:
    """elastic/beats PR#26952, #34923, fluent/fluent-bit#3924: mapping conflicts.

    There they were dropped, or failed in the same pipeline once more.
    """
    server = Server(refusal=lambda _number, name: 400 if name == "b" else None)
    result = deliver(server, "abc")

    assert [letter.event.id for letter in result.letters] == ["b"]
    assert server.requests == [["a", "b", "c"]]
    assert (server.kept, result.acknowledged) == (["a", "c"], True)


def test_too_large_a_request_is_halved() -> None:
    """elastic/beats#14350, PR#29368, #29778: 413 was tried for ever, then dropped."""
    server = Server(most_bytes=900)
    result = deliver(server, "abcdefgh")

    assert sorted(server.kept) == [*"abcdefgh"]
    assert (result.acknowledged, result.letters) == (True, [])


def test_a_lost_reply_doubles_nothing() -> None:
    """elastic/beats#5269: indexed, and the server was stopped before it answered."""
    server = Server(
        fault=lambda number, _ids: Answer(status=503, body={}) if number == 1 else None
    )
    result = deliver(server, "abc")

    assert server.kept == [*"abc"]
    assert (result.acknowledged, result.duplicates) == (True, 3)


def test_a_conflict_is_no_error() -> None:
    """elastic/beats#36547: 409 says that it is there already, which is what we want."""
    server = Server()
    server.kept.extend("ab")
    result = deliver(server, "abc")

    assert (result.acknowledged, result.duplicates, result.letters) == (True, 2, [])
    assert result.logs == []


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_nothing_counts_while_the_server_refuses(status: int) -> None:
    """opentelemetry#31074, #40741, #45120, #44845: progress while nothing was sent."""
    server = Server(
        fault=lambda _number, _ids: Answer(status=status, body={}),
        refusal=lambda _number, _name: 503,
    )
    result = deliver(server, "abc", drain_s=0.3)

    assert (result.clean, result.acknowledged, result.letters) == (False, False, [])
