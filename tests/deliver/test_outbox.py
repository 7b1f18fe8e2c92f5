# SPDX-License-Identifier: Apache-2.0
"""The queue before the senders: its limits, and when a batch is taken."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shipper.clock import SystemClock
from shipper.deliver import Outbox
from shipper.deliver.outbox import Item
from tests.fakes.clock_deliver import StillClock
from tests.store.made import event, ticket

_SMALL = len(event().document)  # 33 bytes


def _outbox(
    *,
    batch_bytes: int = 1_000_000,
    batch_events: int = 100,
    linger_s: float = 0.0,
    max_bytes: int = 1_000_000,
) -> Outbox:
    return Outbox(
        SystemClock(),
        batch_bytes=batch_bytes,
        batch_events=batch_events,
        linger_s=linger_s,
        max_bytes=max_bytes,
    )


def _names(batch: list[Item] | None) -> list[str] | None:
    return None if batch is None else [event.id for _, event in batch]


@contextmanager
def _taking(outbox: Outbox, batches: list[list[str] | None]) -> Iterator[None]:
    """Take one batch in a thread of its own."""
    thread = threading.Thread(target=lambda: batches.append(_names(outbox.take())))
    thread.start()
    try:
        yield
    finally:
        thread.join(5)


def test_order() -> None:
    """Documents leave in the order they came, each with its chunk."""
    outbox = _outbox()
    first, second = ticket(10), ticket(20)
    outbox.put(first, [event("a"), event("b")])
    outbox.put(second, [event("c")])

    batch = outbox.take()

    assert batch is not None
    assert [(chunk, each.id) for chunk, each in batch] == [
        (first, "a"),
        (first, "b"),
        (second, "c"),
    ]


def test_batch_events() -> None:
    """A batch has no more documents than it may."""
    outbox = _outbox(batch_events=2)
    outbox.put(ticket(10), [event(name) for name in "abcde"])
    outbox.close()

    batches = [_names(outbox.take()) for _ in range(4)]

    assert batches == [["a", "b"], ["c", "d"], ["e"], None]


def test_batch_bytes() -> None:
    """A batch has no more bytes than it may, but always one document."""
    outbox = _outbox(batch_bytes=2 * _SMALL + 5)
    big = event("big", padding=500)
    outbox.put(ticket(10), [event("a"), event("b"), event("c"), big, event("d")])
    outbox.close()

    batches = [_names(outbox.take()) for _ in range(5)]

    assert batches == [["a", "b"], ["c"], ["big"], ["d"], None]


def test_room() -> None:
    """Bytes that wait or are under way take room until they are dealt with."""
    outbox = _outbox(max_bytes=2 * _SMALL)
    assert outbox.room()

    outbox.put(ticket(10), [event("a")])
    assert outbox.room()
    outbox.put(ticket(10), [event("b")])
    assert not outbox.room()

    batch = outbox.take()
    assert batch is not None
    assert not outbox.room(0.01)
    outbox.done(batch[:1])
    assert outbox.room()


def test_waiting_for_room() -> None:
    """A reader that waits for room goes on as soon as there is some."""
    outbox = _outbox(max_bytes=_SMALL)
    outbox.put(ticket(10), [event("a")])
    batch = outbox.take()
    assert batch is not None
    rooms: list[bool] = []
    reader = threading.Thread(target=lambda: rooms.append(outbox.room(30)))
    reader.start()

    begin = time.monotonic()
    outbox.done(batch)
    reader.join()

    assert rooms == [True]
    assert time.monotonic() - begin < 5


def test_linger() -> None:
    """A first document waits for company, but not for long."""
    outbox = _outbox(linger_s=0.2)
    begin = time.monotonic()
    outbox.put(ticket(10), [event("a")])
    batches: list[list[str] | None] = []
    with _taking(outbox, batches):
        outbox.put(ticket(20), [event("b")])

    assert batches == [["a", "b"]]
    assert 0.2 <= time.monotonic() - begin < 5


def test_full_batch_does_not_linger() -> None:
    """A batch that is full is taken at once, whatever the clock says."""
    outbox = Outbox(
        StillClock(), batch_bytes=10**6, batch_events=2, linger_s=60, max_bytes=10**6
    )
    outbox.put(ticket(10), [event("a"), event("b")])

    assert _names(outbox.take()) == ["a", "b"]


def test_chunk_for_several_senders() -> None:
    """One chunk that fills several batches wakes several senders."""
    outbox = _outbox(batch_events=1, linger_s=60)
    batches: list[list[str] | None] = []
    with _taking(outbox, batches), _taking(outbox, batches), _taking(outbox, batches):
        outbox.put(ticket(10), [event("a"), event("b"), event("c")])

    assert sorted(map(str, batches)) == ["['a']", "['b']", "['c']"]


def test_close() -> None:
    """Closing ends the wait for company, and for anything at all."""
    outbox = _outbox(linger_s=60)
    outbox.put(ticket(10), [event("a")])
    batches: list[list[str] | None] = []
    with _taking(outbox, batches), _taking(outbox, batches):
        outbox.close()

    assert sorted(map(str, batches)) == ["None", "['a']"]
