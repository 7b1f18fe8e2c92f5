# SPDX-License-Identifier: Apache-2.0
"""Sinks without a server, and what every sink has to hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from shipper.deliver import Sink, Verdict
from shipper.records import Epochs, Event, Outcome

DELIVERED = Verdict(outcome=Outcome.DELIVERED, status=201)
DUPLICATE = Verdict(outcome=Outcome.DUPLICATE, status=409)


class MemorySink:
    """Keeps documents by stream and id, as a data stream does.

    Attributes:
        documents: by ``(stream, id)``, in the order of arrival.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.documents: dict[tuple[str, str], bytes] = {}
        self.closed = False

    @property
    def epochs(self) -> Epochs:
        """No epochs: all is in one index."""
        return {}

    def resume(
        self, epochs: Epochs, *, sent_ms: int | None, sending: Callable[[], None]
    ) -> None:
        """There is nothing to look up in older indices."""

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def mark(self) -> int:
        """Return the only epoch."""
        return 0

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:  # noqa: ARG002 - see above
        """Keep what is new, and say which was not."""
        with self._lock:
            return [self._keep(event) for event in events]

    def close(self) -> None:
        """Note that nothing more will come."""
        self.closed = True

    def _keep(self, event: Event) -> Verdict:
        key = (event.stream.value, event.id)
        if key in self.documents:
            return DUPLICATE
        self.documents[key] = event.document
        return DELIVERED


Step = Callable[[list[Event]], list[Verdict]] | Exception


class ScriptedSink(MemorySink):
    """Follows a script, one step a request, and is a good sink after it.

    Args:
        steps: each an exception to raise or a function that answers.

    Attributes:
        requests: ids of the documents of each request.
        since: epoch given with each.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        super().__init__()
        self._steps = iter(steps)
        self.requests: list[list[str]] = []
        self.since: list[int | None] = []

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
        """Do what the script says next."""
        with self._lock:
            self.requests.append([event.id for event in events])
            self.since.append(since)
            step = next(self._steps, None)
        if isinstance(step, Exception):
            raise step
        return step(events) if step else super().send(events, since)


def check_sink(sink: Sink, events: list[Event]) -> None:
    """Assert what every sink promises.

    Args:
        sink: one that has none of ``events``.
        events: at least three that it takes, with different ids.
    """
    first, *rest = events

    assert _outcomes(sink, [first]) == [Outcome.DELIVERED]
    assert _outcomes(sink, events) == [
        Outcome.DUPLICATE,
        *(Outcome.DELIVERED for _ in rest),
    ]
    assert _outcomes(sink, events[::-1]) == [Outcome.DUPLICATE for _ in events]


def _outcomes(sink: Sink, events: list[Event]) -> list[Outcome]:
    return [verdict.outcome for verdict in sink.send(events)]
