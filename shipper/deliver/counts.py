# SPDX-License-Identifier: Apache-2.0
"""What has been delivered since the start."""

from __future__ import annotations

from shipper.records import Outcome, Stream, Ticket


class Counts:
    """What has been delivered since the start.

    Attributes:
        indexed: record documents Elasticsearch has taken.
        duplicates: record documents that were there already.
        dead_lettered: record documents it refused.
        states: state documents dealt with in any of these ways.
        dead_states: state documents it refused, among them.
        batches: requests that were answered.
        retried: documents sent again.
        unchecked: documents that may be there twice, because the right to look was
            lacking when they were sent, perhaps again, across a rollover.
    """

    def __init__(self) -> None:
        self.indexed = 0
        self.duplicates = 0
        self.dead_lettered = 0
        self.states = 0
        self.dead_states = 0
        self.batches = 0
        self.retried = 0
        self.unchecked = 0

    @property
    def records(self) -> int:
        """Record documents dealt with."""
        return self.indexed + self.duplicates + self.dead_lettered

    def add(self, stream: Stream, outcome: Outcome) -> None:
        """Count a document that is dealt with."""
        if stream is Stream.STATE:
            self.states += 1
            self.dead_states += outcome is Outcome.REJECTED
        elif outcome is Outcome.DELIVERED:
            self.indexed += 1
        elif outcome is Outcome.DUPLICATE:
            self.duplicates += 1
        else:
            self.dead_lettered += 1


class Tally:
    """What became of the documents of one chunk in one batch."""

    __slots__ = ("dead_bytes", "duplicates", "events", "ticket")

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.events = 0
        self.duplicates = 0
        self.dead_bytes = 0
