# SPDX-License-Identifier: Apache-2.0
"""A checkpoint never passes a chunk that is not acknowledged."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.records import Ticket
from shipper.store import Ledger
from tests.store.made import generation, source, ticket


def _offsets(ledger: Ledger) -> dict[str, int]:
    return {
        settled.ticket.generation.gen_id: settled.ticket.progress.offset
        for settled in ledger.take()
    }


def _opened(*tickets: Ticket) -> Ledger:
    ledger = Ledger()
    for each in tickets:
        ledger.open(each)
    return ledger


def test_prefix_only() -> None:
    """What is acknowledged behind a hole waits for the hole."""
    first, second, third = ticket(10), ticket(20), ticket(30)
    ledger = _opened(first, second, third)

    ledger.settle(first, 1)
    ledger.settle(third, 1)
    assert _offsets(ledger) == {"g0": 10}
    assert ledger.outstanding == 2

    ledger.settle(second, 1)
    assert _offsets(ledger) == {"g0": 30}
    assert ledger.outstanding == 0


def test_generations_wait_for_one_another() -> None:
    """A generation's checkpoint waits for the generation read before it."""
    old, new = ticket(10, life=generation("old")), ticket(5, life=generation("new"))
    ledger = _opened(old, new)

    ledger.settle(new, 1)
    assert _offsets(ledger) == {}

    ledger.settle(old, 1)
    assert _offsets(ledger) == {"old": 10, "new": 5}


def test_lives_are_told_apart() -> None:
    """Two lives with the same beginning have a checkpoint each."""
    first = ticket(10, life=generation())
    again = ticket(4, life=generation(ordinal=1, life=1))
    ledger = _opened(first, again)

    ledger.settle(first, 1)
    ledger.settle(again, 1)

    found = [
        (s.ticket.generation.life, s.ticket.progress.offset) for s in ledger.take()
    ]
    assert found == [(0, 10), (1, 4)]


def test_sources_are_independent() -> None:
    """One log that waits does not hold up another."""
    stuck, free = ticket(10, of=source("a")), ticket(20, of=source("b"))
    ledger = _opened(stuck, free)

    ledger.settle(free, 1)

    assert [s.ticket for s in ledger.take()] == [free]


def test_partial_acknowledgement() -> None:
    """A chunk counts when all of its documents are dealt with."""
    chunk = ticket(10, events=3)
    ledger = _opened(chunk)

    ledger.settle(chunk, 2)
    assert ledger.take() == []

    ledger.settle(chunk, 1)
    assert _offsets(ledger) == {"g0": 10}


def test_chunk_without_documents() -> None:
    """A chunk that gives no document is acknowledged in its turn, by itself."""
    waiting, empty = ticket(10), ticket(20, events=0)
    ledger = _opened(waiting, empty)
    assert ledger.take() == []

    ledger.settle(waiting, 1)

    assert _offsets(ledger) == {"g0": 20}


def test_sums_since_last_time() -> None:
    """Figures are added up over chunks and are told once."""
    first, second, third = ticket(10, records=1), ticket(20, events=2), ticket(30)
    ledger = _opened(first, second, third)

    ledger.settle(first, 1, duplicates=1)
    ledger.settle(second, 2, duplicates=1, dead_bytes=7)
    (settled,) = ledger.take()
    figures = settled.records, settled.duplicates, settled.dead_lettered
    assert figures == (3, 2, 7)

    ledger.settle(third, 1)
    (settled,) = ledger.take()
    assert (settled.records, settled.duplicates, settled.dead_lettered) == (1, 0, 0)
    assert ledger.take() == []


@pytest.mark.parametrize("behind_hole", [True, False])
def test_settled_twice(*, behind_hole: bool) -> None:
    """Settling a chunk twice is an error, before and after it has left the books."""
    hole, chunk = ticket(10), ticket(20)
    ledger = _opened(hole, chunk) if behind_hole else _opened(chunk)
    ledger.settle(chunk, 1)

    with pytest.raises(ValueError, match="settled twice"):
        ledger.settle(chunk, 1)


def test_too_much_changes_nothing() -> None:
    """A wrong entry is refused without spoiling the books."""
    chunk = ticket(10, events=2)
    ledger = _opened(chunk)

    with pytest.raises(ValueError, match=r"pc0417\|clisvc\|/logs: settled twice"):
        ledger.settle(chunk, 3)
    ledger.settle(chunk, 2)

    assert _offsets(ledger) == {"g0": 10}


@given(
    events=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    ),
    data=st.data(),
)
def test_no_checkpoint_passes_a_hole(
    events: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """For any order of acknowledgements each checkpoint ends at its source's prefix."""
    tickets = [
        ticket(
            number + 1,
            events=count,
            of=source(host),
            life=generation(f"{host}{epoch}", ordinal=epoch),
        )
        for number, (host, epoch, count) in enumerate(
            sorted(events, key=lambda event: event[:2])
        )
    ]
    ledger = _opened(*tickets)
    left = {id(each): each.events for each in tickets}
    saved: dict[str, int] = {}
    acknowledgements = [each for each in tickets for _ in range(each.events)]
    order = data.draw(st.permutations(acknowledgements))
    for each in [None, *order]:
        if each is not None:
            ledger.settle(each, 1)
            left[id(each)] -= 1
        for settled in ledger.take():
            saved[settled.ticket.generation.gen_id] = settled.ticket.progress.offset

        expected: dict[str, int] = {}
        for host in "ab":
            for chunk in (t for t in tickets if t.source.host == host):
                if left[id(chunk)]:
                    break
                expected[chunk.generation.gen_id] = chunk.progress.offset
        assert saved == expected
    assert ledger.outstanding == 0


def test_threads() -> None:
    """Senders that settle at the same time lose nothing."""
    chunks = [ticket(offset, events=40) for offset in range(1, 51)]
    ledger = _opened(*chunks)
    begin = threading.Barrier(4)

    def settle() -> None:
        begin.wait()
        for _ in range(10):
            for chunk in chunks:
                ledger.settle(chunk, 1, duplicates=1)

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (settled,) = ledger.take()
    assert (settled.ticket, settled.records) == (chunks[-1], 2000)
    assert settled.duplicates == 2000
