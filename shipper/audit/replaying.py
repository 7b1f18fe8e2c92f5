# SPDX-License-Identifier: Apache-2.0
"""A part of one file sent again, whatever any state folder says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.app.assembly import Assembly
from shipper.audit.extent import Extent, measure, opened
from shipper.audit.holdings import Found, Holdings
from shipper.audit.removal import Removal
from shipper.audit.resending import Resending, batches
from shipper.audit.verification import UNSETTLED, offset_of
from shipper.audit.yielded import Yielded
from shipper.clock import Clock
from shipper.config import Settings
from shipper.deliver import Gate, Sink, Verdict
from shipper.errors import InputProblem, NotPermitted, SinkUnavailable
from shipper.parse import first_time
from shipper.records import Event, Outcome, Source, Stream
from shipper.tail import Harvester, Opener, Pacing, Siblings, Status

_RECORDS = (Stream.CLISVC, Stream.CCM)
_STREAMS = (*_RECORDS, Stream.STATE)
#: Something the file's history may be in was not read.
_UNREAD = frozenset(
    {Status.DENIED, Status.LOCKED, Status.UNREACHABLE, Status.UNDECIDED}
)
_SHOWN = 10  # refusals named one by one


class Refused(Struct, frozen=True, kw_only=True):
    """A document that Elasticsearch does not take.

    Attributes:
        id: of the document.
        error_type: Elasticsearch's name of the fault.
        reason: its words.
    """

    id: str
    error_type: str
    reason: str


class Replayed(Struct, kw_only=True):
    """What became of the documents sent again.

    Attributes:
        records: record documents.
        states: state documents.
        indexed: those of both that were not there.
        duplicates: those that were there already.
        unchecked: indexed, without a look into older backing indices.
        refused: those that Elasticsearch does not take.
        first_refused: the first few of them.
    """

    records: int = 0
    states: int = 0
    indexed: int = 0
    duplicates: int = 0
    unchecked: int = 0
    refused: int = 0
    first_refused: list[Refused] = []

    def add(self, event: Event, verdict: Verdict) -> None:
        """Count a document that is dealt with."""
        if event.stream is Stream.STATE:
            self.states += 1
        else:
            self.records += 1
        self.unchecked += verdict.unchecked
        if verdict.outcome is Outcome.DELIVERED:
            self.indexed += 1
        elif verdict.outcome is Outcome.DUPLICATE:
            self.duplicates += 1
        else:
            self.refused += 1
            if len(self.first_refused) < _SHOWN:
                self.first_refused.append(
                    Refused(
                        id=event.id,
                        error_type=verdict.error_type,
                        reason=verdict.reason,
                    )
                )


class Replaying:
    """The records of one file from an offset on, and the states they cause.

    Agent states have a history, so the generations found beside the file are read too,
    in their order; nothing of them is sent.

    Args:
        settings: all settings.
        source: whose log it is.
        siblings: the log's files.
        path: the file.
        begin: offset of the first record to send, in bytes.
        clock: time.
        opener: the file system.

    Attributes:
        extent: what the file held when it was looked at.
        end: records that begin at this offset or behind it are not sent: the last line
            of a log that is being written may not be whole.
        kept: documents of the range that were not deleted, because the file does not
            yield them: an earlier life of the generation may have.

    Raises:
        InputProblem: the file cannot be read, is empty, or too short to be named.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        siblings: Siblings,
        path: str,
        *,
        begin: int,
        clock: Clock,
        opener: Opener,
    ) -> None:
        with opened(opener, path) as file:
            limit = settings.input.max_line_bytes
            self.extent: Extent = measure(file, source, limit)
        if not self.extent.gen_id:
            raise InputProblem(f"{path} is empty.", remedy="There is nothing to send.")
        if not (self.extent.settled or siblings.rotated(path)):
            raise InputProblem(
                f"{path}: {UNSETTLED}.", remedy="Let it grow, and run it again."
            )
        self.kept = 0
        self._yielded: Yielded | None = None
        self.end = self.extent.size if siblings.rotated(path) else self.extent.end
        self._begin = begin
        self._path = path
        self._settings = settings
        self._source = source
        self._siblings = siblings
        self._clock = clock
        self._opener = opener

    def known(self, client: Elasticsearch) -> bool:
        """Tell whether there is any document of the file's generation.

        Raises:
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        return any(self._knows(client, stream) for stream in _RECORDS)

    def count(self, client: Elasticsearch) -> int:
        """Return how many documents :meth:`delete` would delete.

        Raises:
            InputProblem: the file, or one beside it, cannot be read.
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        return self._each(client, lambda found: sum(1 for _ in found))

    def delete(self, client: Elasticsearch) -> int:
        """Delete the range's documents that the file yields; return how many.

        All that is sent afterwards is read before the first one is deleted.

        Raises:
            InputProblem: the file, or one beside it, cannot be read.
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read`` or ``delete``.
        """
        removal = Removal(client)
        try:
            return self._each(client, removal.remove)
        except (SinkUnavailable, NotPermitted) as error:
            remedy = f"`clisvc replay {self._path}` sends what was deleted again."
            raise type(error)(
                f"{error.message} Documents deleted before that: {removal.deleted:,}.",
                remedy=f"{error.remedy} {remedy}".lstrip(),
            ) from error

    def send(self, sink: Sink, gate: Gate | None = None) -> Replayed:
        """Send the range's documents.

        Args:
            sink: where to.
            gate: back-off while the server is away.

        Raises:
            InputProblem: the log cannot be read, or the file was replaced meanwhile.
            SinkUnavailable: there is an outage, and no gate to wait at.
            NotPermitted: the same, for lack of a privilege.
        """
        resending = Resending(sink, gate)
        replayed = Replayed()
        for batch in batches(self._events(), self._settings.output):
            for event, verdict in zip(batch, resending.send(batch), strict=True):
                replayed.add(event, verdict)
        return replayed

    def _knows(self, client: Elasticsearch, stream: Stream) -> bool:
        holdings = self._holdings(client, stream)
        with holdings.point_in_time():
            held = holdings.of(self.extent.gen_id, self.extent.size)
            return next(held, None) is not None

    def _each(
        self, client: Elasticsearch, use: Callable[[Iterator[Found]], int]
    ) -> int:
        """Use the range's documents, one data stream after the other; add up."""
        if self._yielded is None:
            self._yielded = Yielded(self._events())
        self.kept = total = 0
        for stream in _STREAMS:
            holdings = self._holdings(client, stream)
            with holdings.point_in_time():
                held = holdings.of(self.extent.gen_id, self.end, begin=self._begin)
                total += use(self._ours(self._yielded, (found for _, found in held)))
        return total

    def _ours(self, yielded: Yielded, held: Iterator[Found]) -> Iterator[Found]:
        for found in held:
            if found.id in yielded:
                yield found
            else:
                self.kept += 1

    def _holdings(self, client: Elasticsearch, stream: Stream) -> Holdings:
        url = self._settings.elasticsearch.url
        return Holdings(client, url, f"logs-{stream}-{self._settings.output.namespace}")

    def _events(self) -> Iterator[Event]:
        """Yield the range's documents, with the states the log's history gives them."""
        settings, gen_id = self._settings, self.extent.gen_id
        assembly = Assembly(settings, self._clock)
        harvester = Harvester(
            self._source,
            self._siblings,
            self._opener,
            first_time,
            self._clock,
            Pacing(max_line_bytes=settings.input.max_line_bytes, once=True),
        )
        while (reading := harvester.visit()) is not None:
            wanted = reading.life.has_id(gen_id)
            for _, events in assembly.make(self._source, reading):
                if wanted:
                    yield from filter(self._chosen, events)
        ours = [life for life in harvester.lives if life.has_id(gen_id)]
        whole = any(life.position >= self.end and not life.gap for life in ours)
        if not whole or harvester.status in _UNREAD:
            read = max((life.position for life in ours), default=0)
            detail = f" ({harvester.detail})" if harvester.detail else ""
            raise InputProblem(
                f"{self._path}: {read:,} of {self.end:,} bytes could be read:"
                f" {harvester.status}{detail}.",
                remedy="It was replaced or cut, or a file beside it cannot be read;"
                " run it again: what is there is not doubled.",
            )

    def _chosen(self, event: Event) -> bool:
        return self._begin <= offset_of(event.id) < self.end
