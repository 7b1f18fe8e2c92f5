# SPDX-License-Identifier: Apache-2.0
"""Where documents go: the seam between the shipper and a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from shipper.errors import ShipperError
from shipper.records import Epochs, Event, Outcome


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of one document.

    Attributes:
        outcome: what became of it.
        status: HTTP status of the item.
        error_type: the server's name of the fault, or empty.
        reason: its words, or empty.
        unchecked: it was taken, and may have been there already in an older index,
            where nobody could look.
    """

    outcome: Outcome
    status: int
    error_type: str = ""
    reason: str = ""
    unchecked: bool = False


#: By far the most frequent one.
DELIVERED = Verdict(outcome=Outcome.DELIVERED, status=201)
DUPLICATE = Verdict(outcome=Outcome.DUPLICATE, status=409)
UNCHECKED = Verdict(outcome=Outcome.DELIVERED, status=201, unchecked=True)
#: Stored, but as a failure: no query will ever find it.
STORED_AS_FAILURE = Verdict(
    outcome=Outcome.REJECTED,
    status=201,
    error_type="failure_store",
    reason="Elasticsearch put the document into its failure store",
)
BUSY = 429


class Outage(Exception):
    """Nothing can be delivered now, or what was delivered is not known.

    Args:
        problem: why, in words for a person.
        unknown: documents may have been taken all the same.
        busy: less at a time may help.
        wait_s: seconds the server asks to be left alone for.
    """

    def __init__(
        self,
        problem: ShipperError,
        *,
        unknown: bool = True,
        busy: bool = False,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.unknown = unknown
        self.busy = busy
        self.wait_s = wait_s


class TooLarge(Exception):
    """The server takes no request of this size."""


class Sink(Protocol):
    """Takes documents and answers for each of them."""

    @property
    def epochs(self) -> Epochs:
        """Epochs known by now."""
        ...

    def resume(
        self, epochs: Epochs, *, sent_ms: int | None, sending: Callable[[], None]
    ) -> None:
        """Count epochs on from those an earlier run knew.

        Args:
            epochs: of an earlier run.
            sent_ms: wall clock of its last sending, if that may still be under way.
            sending: to be called before documents are sent.
        """
        ...

    def prepare(self) -> None:
        """Make the server ready; called before anything is sent.

        Raises:
            Outage: it is not ready yet.
        """
        ...

    def mark(self) -> int:
        """Return the epoch as known now; what is sent from now on is not older."""
        ...

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
        """Send ``events``; return one verdict for each, in order.

        Args:
            events: documents.
            since: they may have been sent already, in that epoch or later.

        Raises:
            Outage: none of them is acknowledged; they have to be sent again.
            TooLarge: fewer of them have to be sent at a time.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
