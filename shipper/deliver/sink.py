# SPDX-License-Identifier: Apache-2.0
"""Where documents go: the seam between the shipper and a server."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from shipper.errors import ShipperError
from shipper.records import Event, Outcome


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of one document.

    Attributes:
        outcome: what became of it.
        status: HTTP status of the item.
        error_type: the server's name of the fault, or empty.
        reason: its words, or empty.
    """

    outcome: Outcome
    status: int
    error_type: str = ""
    reason: str = ""


#: By far the most frequent one.
DELIVERED = Verdict(outcome=Outcome.DELIVERED, status=201)


class Outage(Exception):
    """Nothing can be delivered now, or what was delivered is not known.

    Args:
        problem: why, in words for a person.
    """

    def __init__(self, problem: ShipperError) -> None:
        super().__init__(str(problem))
        self.problem = problem


class TooLarge(Exception):
    """The server takes no request of this size."""


class Sink(Protocol):
    """Takes documents and answers for each of them."""

    def send(self, events: list[Event]) -> list[Verdict]:
        """Send ``events``; return one verdict for each, in order.

        Raises:
            Outage: none of them is acknowledged; they have to be sent again.
            TooLarge: fewer of them have to be sent at a time.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
