# SPDX-License-Identifier: Apache-2.0
"""Sending again by hand: batch after batch, one verdict for each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shipper.config import OutputSettings
from shipper.deliver import Gate, Outage, Sink, TooLarge, Verdict, too_large
from shipper.errors import NotPermitted, SinkUnavailable
from shipper.records import Event, Outcome

_NOT_ALLOWED = "security_exception"
#: The epoch of which nothing is known: it may have been sent in any, or before.
_ANY_TIME = 0


class Resending:
    """Sends in the caller's thread; what is there already is not doubled.

    Args:
        sink: where documents go.
        gate: back-off while the server is away; without one an outage is an error, and
            documents that are only put off are handed back as that.
    """

    def __init__(self, sink: Sink, gate: Gate | None = None) -> None:
        self._sink = sink
        self._gate = gate

    def send(self, events: list[Event]) -> list[Verdict]:
        """Send ``events`` until each is taken or refused for good.

        Returns:
            One verdict for each, in order; with a gate never one to retry.

        Raises:
            SinkUnavailable: there is an outage, and no gate to wait at.
            NotPermitted: the same, for lack of a privilege.
        """
        verdicts: dict[int, Verdict] = {}
        while len(verdicts) < len(events):
            left = [place for place in range(len(events)) if place not in verdicts]
            try:
                answers = self._sink.send(
                    [events[place] for place in left], since=_ANY_TIME
                )
            except Outage as outage:
                self._pause(outage)
                continue
            except TooLarge:
                if len(left) == 1:
                    answers = [too_large(events[left[0]])]
                else:
                    half = len(left) // 2
                    answers = self.send([events[place] for place in left[:half]])
                    answers += self.send([events[place] for place in left[half:]])
            again = [each for each in answers if each.outcome is Outcome.RETRY]
            verdicts |= {
                place: answer
                for place, answer in zip(left, answers, strict=True)
                if self._gate is None or answer.outcome is not Outcome.RETRY
            }
            if again and self._gate is not None:
                self._pause(Outage(put_off(again[0])))
        if self._gate is not None:
            self._gate.passed()
        return [verdicts[place] for place in range(len(events))]

    def _pause(self, outage: Outage) -> None:
        if self._gate is None:
            raise outage.problem from outage
        self._gate.failed(outage.problem)
        self._gate.wait()


def batches(events: Iterable[Event], output: OutputSettings) -> Iterator[list[Event]]:
    """Yield events in batches of the size that is sent at a time."""
    batch: list[Event] = []
    size = 0
    for event in events:
        full = len(batch) >= output.batch_events
        if batch and (full or size + len(event.document) > output.batch_bytes):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event.document)
    if batch:
        yield batch


def privilege_lacks(error_type: str) -> bool:
    """Tell by Elasticsearch's name of a fault whether a privilege would mend it.

    A block, such as that of a read-only index, has the same status, and no key helps.
    """
    return error_type == _NOT_ALLOWED


def put_off(verdict: Verdict) -> SinkUnavailable | NotPermitted:
    """Return what it means that a document is not taken now, but may be later."""
    kind = NotPermitted if privilege_lacks(verdict.error_type) else SinkUnavailable
    return kind(
        f"Elasticsearch refuses documents: {verdict.status} {verdict.error_type}:"
        f" {verdict.reason}.",
        remedy="Grant the privilege or lift the block it names, and run it again.",
    )
