# SPDX-License-Identifier: Apache-2.0
"""Senders: each document is dealt with once, whatever the server answers."""

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from structlog.testing import capture_logs

from shipper.clock import SystemClock
from shipper.deliver import Counts, Delivery, Gate, Outage, Outbox, TooLarge, Verdict
from shipper.deliver.gate import LONGEST_S
from shipper.deliver.sink import STORED_AS_FAILURE, UNCHECKED
from shipper.errors import SinkUnavailable, StateError
from shipper.records import DeadLetter, Epochs, Event, Outcome, Stream, Ticket
from shipper.store import Ledger
from tests.fakes.sink import DELIVERED, DUPLICATE, MemorySink, ScriptedSink, Step
from tests.store.made import event, ticket

_AWAY = Outage(SinkUnavailable("https://es cannot be reached."))
_REFUSED = Verdict(
    outcome=Outcome.REJECTED,
    status=400,
    error_type="document_parsing_exception",
    reason="failed to parse",
)
_BUSY = Verdict(
    outcome=Outcome.RETRY,
    status=429,
    error_type="es_rejected_execution_exception",
    reason="queue is full",
)


class Bench:
    """Delivery with its surroundings: a real ledger, outbox and gate.

    Attributes:
        letters: what was buried, and how many documents were settled by then.
        batches: number of batches reported as done.
    """

    def __init__(
        self,
        sink: MemorySink,
        *,
        senders: int = 1,
        batch_events: int = 100,
        in_row: int = 1000,
    ) -> None:
        clock = SystemClock()
        self.ledger = Ledger()
        self.gate = Gate(clock)
        self.outbox = Outbox(
            clock,
            batch_bytes=10**6,
            batch_events=batch_events,
            linger_s=0.0,
            max_bytes=10**6,
        )
        self.letters: list[DeadLetter] = []
        self.batches = 0
        self.fail_to_bury: Exception | None = None
        self.delivery = Delivery(
            sink,
            self.outbox,
            self.gate,
            self.ledger,
            clock,
            bury=self._bury,
            batch_done=self._batch_done,
            senders=senders,
            max_dead_letters_in_row=in_row,
        )

    def _bury(self, letters: list[DeadLetter]) -> None:
        # What is refused must not count before it is kept.
        assert self.ledger.outstanding
        if self.fail_to_bury:
            raise self.fail_to_bury
        self.letters += letters

    def _batch_done(self) -> None:
        self.batches += 1

    def put(self, chunk: Ticket, events: list[Event]) -> None:
        """Enter a chunk and hand over its documents."""
        self.ledger.open(chunk)
        self.outbox.put(chunk, events)

    def put_names(self, names: str) -> Ticket:
        """Hand over a chunk with one document a letter."""
        chunk = ticket(len(names), events=len(names))
        self.put(chunk, [event(name) for name in names])
        return chunk

    def finish(self) -> bool:
        """Start, and drain what is there."""
        self.delivery.start()
        return self.delivery.drain(30)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipper.deliver.gate.FIRST_S", 0.01)
    assert LONGEST_S == 30


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[object]]:
    """Catch what is logged."""
    with capture_logs() as caught:
        yield caught  # type: ignore[misc]  # only printed on failure


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.005)


def _figures(counts: Counts) -> tuple[int, int, int]:
    return counts.indexed, counts.duplicates, counts.dead_lettered


def test_delivered() -> None:
    """All documents arrive once, and their chunks are acknowledged."""
    sink = MemorySink()
    bench = Bench(sink, senders=3, batch_events=7)
    chunks = [ticket(n + 1, events=10) for n in range(30)]
    for n, chunk in enumerate(chunks):
        bench.put(chunk, [event(f"{n}-{m}") for m in range(10)])

    assert bench.finish()

    assert len(sink.documents) == 300
    assert _figures(bench.delivery.counts) == (300, 0, 0)
    assert bench.delivery.counts.records == 300
    (settled,) = bench.ledger.take()
    assert (settled.ticket, settled.records) == (chunks[-1], 300)
    assert bench.ledger.outstanding == 0
    assert bench.batches == bench.delivery.counts.batches


def test_duplicates_are_delivered() -> None:
    """What was there already counts as delivered, and as a duplicate."""
    bench = Bench(ScriptedSink([lambda _: [DUPLICATE, DELIVERED]]))
    bench.put_names("ab")

    assert bench.finish()

    (settled,) = bench.ledger.take()
    assert settled.duplicates == 1
    assert _figures(bench.delivery.counts) == (1, 1, 0)


def test_refused_document() -> None:
    """A refused document becomes a dead letter, with the reason and its bytes."""
    bench = Bench(ScriptedSink([lambda _: [DELIVERED, _REFUSED]]))
    bench.put(ticket(9, events=2), [event("a", size=5), event("b", size=4)])

    assert bench.finish()

    (letter,) = bench.letters
    assert letter.event.id == "b"
    assert letter.source.host == "pc0417"
    assert (letter.status, letter.error_type, letter.reason) == (
        400,
        "document_parsing_exception",
        "failed to parse",
    )
    (settled,) = bench.ledger.take()
    assert settled.dead_lettered == 4
    assert _figures(bench.delivery.counts) == (1, 0, 1)


def test_states_are_counted_apart() -> None:
    """State documents are no records."""
    bench = Bench(ScriptedSink([lambda _: [DELIVERED, DELIVERED, _REFUSED]]))
    state = msgspec.structs.replace(event("s"), stream=Stream.STATE, size=0)
    bench.put(ticket(1, events=3, records=1), [event("a"), state, state])

    assert bench.finish()

    counts = bench.delivery.counts
    assert (counts.records, counts.states, counts.dead_states) == (1, 2, 1)


def test_letters_that_cannot_be_kept() -> None:
    """If dead letters cannot be kept, nothing of the batch counts and sending ends."""
    bench = Bench(ScriptedSink([lambda _: [DELIVERED, _REFUSED]]), senders=2)
    bench.fail_to_bury = StateError("disk full")
    bench.put_names("ab")

    assert not bench.finish()

    assert bench.delivery.trouble is bench.fail_to_bury
    assert bench.ledger.outstanding == 1
    assert bench.ledger.take() == []
    assert bench.batches == 0


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_only_what_failed_is_sent_again(status: int) -> None:
    """An outage of single documents sends those again, and nothing else."""
    again = msgspec.structs.replace(_BUSY, status=status)
    sink = ScriptedSink(
        [lambda _: [DELIVERED, again, DUPLICATE, again], lambda _: [again, DELIVERED]]
    )
    bench = Bench(sink)
    bench.put_names("abcd")

    assert bench.finish()

    assert sink.requests == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert bench.delivery.counts.retried == 3
    assert bench.letters == []
    assert bench.ledger.outstanding == 0


def test_reason_of_refusal(logs: list[dict[str, object]]) -> None:
    """What stops the sending is told in the server's words."""
    bench = Bench(ScriptedSink([lambda events: [_BUSY for _ in events]]))
    bench.put_names("a")

    assert bench.finish()

    assert logs[0]["reason"] == (
        "Elasticsearch refuses documents:"
        " 429 es_rejected_execution_exception: queue is full."
    )


def test_outage() -> None:
    """While the server is away all is kept, and sent when it is back."""
    sink = ScriptedSink([_AWAY, _AWAY, _AWAY])
    bench = Bench(sink)
    bench.put_names("abc")

    assert bench.finish()

    assert sink.requests == [["a", "b", "c"]] * 4
    assert len(sink.documents) == 3
    assert bench.gate.problem is None
    assert _figures(bench.delivery.counts) == (3, 0, 0)


def test_lost_reply() -> None:
    """If only the reply was lost, the documents are found there already."""

    class LosesReply(ScriptedSink):
        def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
            verdicts = super().send(events, since)
            if len(self.requests) == 1:
                raise _AWAY
            return verdicts

    sink = LosesReply([])
    bench = Bench(sink)
    bench.put_names("abc")

    assert bench.finish()

    assert len(sink.documents) == 3
    assert _figures(bench.delivery.counts) == (0, 3, 0)


def test_halving() -> None:
    """A batch that is too large is halved until it fits."""
    sink = ScriptedSink([TooLarge(), TooLarge()])
    bench = Bench(sink)
    bench.put_names("abcde")

    assert bench.finish()

    assert sink.requests == [[*"abcde"], [*"ab"], ["a"], ["b"], [*"cde"]]
    assert {name for _, name in sink.documents} == set("abcde")
    assert bench.letters == []
    assert bench.ledger.outstanding == 0


def test_too_large_alone() -> None:
    """A document too large even alone becomes a dead letter; the rest arrives."""

    class NoB(MemorySink):
        def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
            if any(event.id == "b" for event in events):
                raise TooLarge
            return super().send(events, since)

    sink = NoB()
    bench = Bench(sink)
    bench.put_names("abc")

    assert bench.finish()

    assert {name for _, name in sink.documents} == {"a", "c"}
    (letter,) = bench.letters
    assert (letter.event.id, letter.status, letter.error_type) == (
        "b",
        413,
        "too_large",
    )
    assert letter.reason == "33 bytes alone are too large for the server"
    assert bench.ledger.outstanding == 0


def _refuses(*names: str) -> Callable[[list[Event]], list[Verdict]]:
    def answer(events: list[Event]) -> list[Verdict]:
        return [_REFUSED if event.id in names else DELIVERED for event in events]

    return answer


def test_refusals_in_a_row_pause() -> None:
    """After so many refusals in a row the rest is kept back, and tried again."""
    sink = ScriptedSink([_refuses(*"abcde")] * 3)
    bench = Bench(sink, in_row=2)
    bench.put_names("abcde")

    assert bench.finish()

    assert [letter.event.id for letter in bench.letters] == ["a", "b"]
    assert sink.requests == [[*"abcde"], [*"cde"], [*"cde"], [*"cde"]]
    assert {name for _, name in sink.documents} == {"c", "d", "e"}


def test_row_across_batches() -> None:
    """Refusals are counted on from batch to batch."""
    sink = ScriptedSink([_refuses(*"abcd")] * 3)
    bench = Bench(sink, in_row=3, batch_events=2)
    bench.put_names("abcd")

    assert bench.finish()

    assert [letter.event.id for letter in bench.letters] == ["a", "b", "c"]
    assert sink.requests == [["a", "b"], ["c", "d"], ["d"], ["d"]]


def test_refusals_apart_do_not_pause() -> None:
    """Any number of refusals with a success in between is no outage."""
    sink = ScriptedSink([_refuses(*"acegi")])
    bench = Bench(sink, in_row=1)
    bench.put_names("abcdefghij")

    assert bench.finish()

    assert [letter.event.id for letter in bench.letters] == list("acegi")
    assert len(sink.requests) == 1


@pytest.mark.parametrize("senders", [1, 4])
def test_stop_while_away(senders: int) -> None:
    """Stopping is prompt while the server is away; nothing counts as delivered."""
    sink = ScriptedSink([_AWAY] * 10_000)
    bench = Bench(sink, senders=senders, batch_events=1)
    bench.put_names("abcd")
    bench.delivery.start()
    _until(lambda: bench.gate.problem is not None)

    begin = time.monotonic()
    clean = bench.delivery.drain(60)

    assert not clean
    assert time.monotonic() - begin < 5
    assert bench.ledger.outstanding == 1
    assert bench.ledger.take() == []
    assert bench.delivery.counts.records == 0


def test_stop_at_once() -> None:
    """Without time to drain, senders end after the request under way."""
    bench = Bench(ScriptedSink([_AWAY] * 10_000), senders=2)
    bench.put_names("ab")
    bench.delivery.start()

    assert not bench.delivery.drain(0.0)
    assert bench.ledger.outstanding == 1


def test_stop_with_nothing_to_do() -> None:
    """Senders that wait for work end when there will be none."""
    bench = Bench(MemorySink(), senders=3)
    bench.delivery.start()

    assert bench.delivery.drain(30)


def test_never_started() -> None:
    """Draining senders that were never started ends as well."""
    assert Bench(MemorySink()).delivery.drain(0.0)


def test_fault_of_the_program() -> None:
    """A sender never dies in silence: the fault is kept for the shipper to raise."""
    fault = RuntimeError("impossible")
    bench = Bench(ScriptedSink([fault]), senders=2)
    bench.put_names("a")

    assert not bench.finish()

    trouble = bench.delivery.trouble
    assert trouble is not None
    assert trouble.message == "Sending failed: RuntimeError: impossible."
    assert trouble.__cause__ is fault
    assert bench.ledger.outstanding == 1


def test_room_is_given_back() -> None:
    """What is dealt with, in whatever way, makes room for more reading."""
    sink = ScriptedSink([lambda _: [DELIVERED, DUPLICATE, _REFUSED, _BUSY]])
    bench = Bench(sink)
    bench.put_names("abcd")

    assert bench.finish()

    assert (bench.outbox._waiting_bytes, bench.outbox._under_way) == (0, 0)


# --- sent again across a rollover -------------------------------------------------

_CLEAN = Outage(SinkUnavailable("429"), unknown=False, busy=True)
_STORED = STORED_AS_FAILURE
_ERROR = msgspec.structs.replace(_BUSY, status=503)


class Epochal(ScriptedSink):
    """A sink whose data streams roll over each time something is marked."""

    def __init__(self, steps: list[Step], *, first: int = 7) -> None:
        super().__init__(steps)
        self.now = first - 1

    @property
    def epochs(self) -> Epochs:
        """One for each mark."""
        return {number: {} for number in range(1, self.now + 1)}

    def mark(self) -> int:
        """Return the next epoch."""
        self.now += 1
        return self.now


def _earlier(offset: int, names: str, since: int) -> tuple[Ticket, list[Event]]:
    """Return a chunk that an earlier run may have sent."""
    chunk = msgspec.structs.replace(ticket(offset, events=len(names)), since=since)
    return chunk, [event(name) for name in names]


def test_plain_sending_looks_nothing_up() -> None:
    """What was never sent, or surely refused, is sent without a look-up.

    vector#2968: of a mixed reply only what failed is sent again.
    """
    partly = [lambda _: [DELIVERED, _BUSY]]
    sink = Epochal([_CLEAN, *partly])
    bench = Bench(sink)
    bench.put_names("ab")

    assert bench.finish()

    assert sink.requests == [["a", "b"], ["a", "b"], ["b"]]
    assert sink.since == [None, None, None]


def test_unknown_outcome_is_looked_up() -> None:
    """What may have been taken is looked up from the first send's epoch on.

    elastic/beats#5269, elastic/elasticsearch#44794.
    """
    sink = Epochal([_AWAY, _CLEAN, _AWAY])
    bench = Bench(sink)
    bench.put_names("ab")

    assert bench.finish()

    assert sink.since == [None, 7, 7, 7]


def test_server_error_of_a_document_is_looked_up() -> None:
    """A document answered 5xx may have been taken; one answered 429 was not."""
    sink = Epochal([lambda _: [_BUSY, DELIVERED], lambda _: [_ERROR]])
    bench = Bench(sink)
    bench.put_names("ab")

    assert bench.finish()

    assert sink.requests == [["a", "b"], ["a"], ["a"]]
    assert sink.since == [None, None, 7]


def test_earlier_run_is_looked_up() -> None:
    """What an earlier run may have sent is looked up from its epoch on, at once."""
    sink = Epochal([_AWAY])
    bench = Bench(sink)
    bench.put(*_earlier(5, "a", since=4))
    bench.put(*_earlier(6, "b", since=3))
    bench.put_names("c")

    assert bench.finish()

    assert sink.requests == [["a", "b", "c"]] * 2
    assert sink.since == [3, 3]


def test_halves_are_looked_up() -> None:
    """Halving a batch does not forget that it may have been taken."""
    sink = Epochal([_AWAY, TooLarge(), _AWAY])
    bench = Bench(sink)
    bench.put_names("ab")

    assert bench.finish()

    assert sink.requests == [["a", "b"], ["a", "b"], ["a"], ["a"], ["b"]]
    assert sink.since == [None, 7, 7, 7, 7]


def test_since_while_under_way() -> None:
    """While a batch is under way its epoch counts; when all is settled, the newest."""
    seen: list[int] = []

    class Watched(Epochal):
        def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
            seen.append(bench.delivery.since)
            return super().send(events, since)

    sink = Watched([_AWAY], first=3)
    bench = Bench(sink, batch_events=1)
    bench.put_names("ab")

    assert bench.finish()

    assert seen == [3, 3, 4]
    sink.mark()
    assert bench.delivery.since == 5


def test_since_of_what_was_given_up() -> None:
    """A batch that was not settled before the end keeps its epoch for the last save."""
    sink = Epochal([_AWAY] * 10_000)
    bench = Bench(sink)
    bench.put_names("ab")
    bench.delivery.start()
    _until(lambda: bench.gate.problem is not None)

    assert not bench.delivery.drain(0.0)

    sink.mark()
    assert bench.delivery.since == 7


def test_unchecked_is_counted() -> None:
    """Documents that may be there twice are counted, and delivered all the same."""
    bench = Bench(ScriptedSink([lambda _: [UNCHECKED, DELIVERED, DUPLICATE]]))
    bench.put_names("abc")

    assert bench.finish()

    assert bench.delivery.counts.unchecked == 1
    assert _figures(bench.delivery.counts) == (2, 1, 0)


def test_failure_store_is_final() -> None:
    """What reached the failure store is a dead letter at once, however many there are.

    Sent again, it would be stored there twice.
    """
    sink = ScriptedSink([lambda events: [_STORED for _ in events]])
    bench = Bench(sink, in_row=2)
    bench.put_names("abcde")

    assert bench.finish()

    assert [letter.event.id for letter in bench.letters] == list("abcde")
    assert len(sink.requests) == 1


@pytest.mark.parametrize("step", [_CLEAN, lambda events: [_BUSY for _ in events]])
def test_busy_server_gets_less(step: Step) -> None:
    """429, for a request or for a document, lets fewer senders pass."""
    bench = Bench(ScriptedSink([step]), senders=4)
    bench.gate = Gate(SystemClock(), 4)
    bench.delivery._gate = bench.gate
    bench.put_names("a")

    assert bench.finish()

    assert bench.gate.places == 2


def test_server_restart_in_mid_bulk() -> None:
    """What a server took before it was restarted is found there, the rest is sent.

    elastic/beats#5269.
    """
    down = Outage(SinkUnavailable("refused"), unknown=False)

    class Restarts(ScriptedSink):
        def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
            if not self.requests:
                self._keep(events[0])
            return super().send(events, since)

    sink = Restarts([_AWAY, down, down])
    bench = Bench(sink)
    bench.put_names("abc")

    assert bench.finish()

    assert len(sink.documents) == 3
    assert _figures(bench.delivery.counts) == (2, 1, 0)
    assert sink.since == [None, 0, 0, 0]
