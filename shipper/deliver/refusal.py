# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a sender: what is kept of it, and what is said."""

from __future__ import annotations

from shipper.deliver.outbox import Item
from shipper.deliver.sink import Verdict
from shipper.errors import ShipperError, SinkUnavailable
from shipper.records import DeadLetter, Event, Outcome

_TOO_LARGE, _SERVER_ERROR = 413, 500


def letter(item: Item, verdict: Verdict) -> DeadLetter:
    """Return what is kept of a refused document."""
    ticket, event = item
    return DeadLetter(
        source=ticket.source,
        event=event,
        status=verdict.status,
        error_type=verdict.error_type,
        reason=verdict.reason,
    )


def too_large(event: Event) -> Verdict:
    """Return the verdict on a document alone that got 413."""
    return Verdict(
        outcome=Outcome.REJECTED,
        status=_TOO_LARGE,
        error_type="too_large",
        reason=f"{len(event.document)} bytes alone are too large for the server",
    )


def refused(problem: str) -> SinkUnavailable:
    """Return why documents have to be sent again, in the server's words."""
    return SinkUnavailable(
        f"Elasticsearch refuses documents: {problem}.",
        remedy="If a privilege or a block is named, grant or lift it;"
        " `clisvc check` looks at the set-up.",
    )


def unknown(verdict: Verdict) -> bool:
    """Tell whether a document may have been taken in spite of its answer."""
    return verdict.outcome is Outcome.RETRY and verdict.status >= _SERVER_ERROR


def ended_by(error: Exception) -> ShipperError:
    """Return what a person is told when a sender ends for an error."""
    if isinstance(error, ShipperError):
        return error
    trouble = ShipperError(
        f"Sending failed: {type(error).__name__}: {error}.",
        remedy="This is a fault of the program, please report it; nothing is lost.",
    )
    trouble.__cause__ = error
    return trouble
