# SPDX-License-Identifier: Apache-2.0
"""Batches sent by hand: halved, retried or given up, one verdict for each document."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shipper.audit.resending import Resending, batches, put_off
from shipper.clock import SystemClock
from shipper.config import OutputSettings
from shipper.deliver import Gate, Outage, TooLarge, Verdict
from shipper.errors import SinkUnavailable
from shipper.records import Event, Outcome
from tests.fakes.sink import DELIVERED, ScriptedSink
from tests.store.made import event

EVENTS = [event(name) for name in "abc"]
AWAY = Outage(SinkUnavailable("Elasticsearch is away."))
BUSY = Verdict(outcome=Outcome.RETRY, status=429, error_type="busy", reason="later")
REFUSED = Verdict(outcome=Outcome.REJECTED, status=400, error_type="bad", reason="no")


def outcomes(verdicts: list[Verdict]) -> list[Outcome]:
    """Return what became of each document."""
    return [verdict.outcome for verdict in verdicts]


def test_in_order() -> None:
    """Each document has its own verdict, at its own place."""
    sink = ScriptedSink([lambda _: [DELIVERED, REFUSED, DELIVERED]])

    assert Resending(sink).send(EVENTS) == [DELIVERED, REFUSED, DELIVERED]


def test_may_have_been_sent_at_any_time() -> None:
    """Older backing indices are asked too: an earlier sending is long ago."""
    sink = ScriptedSink([])
    Resending(sink).send(EVENTS)

    assert sink.since == [0]


def test_too_large() -> None:
    """A request that is too large is halved, down to one document, which is refused."""

    def small(events: list[Event]) -> list[Verdict]:
        if len(events) > 1 or events[0].id == "b":
            raise TooLarge
        return [DELIVERED]

    sink = ScriptedSink([small] * 9)
    verdicts = Resending(sink).send(EVENTS)

    assert outcomes(verdicts) == [
        Outcome.DELIVERED,
        Outcome.REJECTED,
        Outcome.DELIVERED,
    ]
    assert verdicts[1].status == 413


def test_outage_is_an_error() -> None:
    """Without a gate nobody waits for a server that is away."""
    with pytest.raises(SinkUnavailable, match="away"):
        Resending(ScriptedSink([AWAY])).send(EVENTS)


def test_item_that_is_put_off_is_handed_back() -> None:
    """Without a gate a document that is only put off is not waited for, either."""
    sink = ScriptedSink([lambda _: [DELIVERED, BUSY, DELIVERED]])

    assert Resending(sink).send(EVENTS) == [DELIVERED, BUSY, DELIVERED]
    assert len(sink.requests) == 1


@pytest.mark.parametrize(
    ("error_type", "exit_code"),
    [("security_exception", 77), ("cluster_block_exception", 69)],
)
def test_why_it_is_put_off(error_type: str, exit_code: int) -> None:
    """Both have the same status, but only one of them is mended by a privilege."""
    verdict = replace(BUSY, status=403, error_type=error_type)

    assert put_off(verdict).exit_code == exit_code


def test_gate() -> None:
    """With a gate it goes on until each is dealt with, and sends only what is left."""
    sink = ScriptedSink([AWAY, lambda _: [DELIVERED, BUSY, REFUSED]])
    verdicts = Resending(sink, Gate(SystemClock())).send(EVENTS)

    assert verdicts == [DELIVERED, DELIVERED, REFUSED]
    assert sink.requests == [["a", "b", "c"], ["a", "b", "c"], ["b"]]


def test_batches() -> None:
    """A batch ends at either limit; what is too large alone goes alone."""
    small, large = event("s"), event("l", padding=100)
    made = batches(
        [small, small, small, large, small],
        OutputSettings(batch_events=2, batch_bytes=70),
    )

    assert [[each.id for each in batch] for batch in made] == [
        ["s", "s"],
        ["s"],
        ["l"],
        ["s"],
    ]
