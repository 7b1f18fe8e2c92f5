# SPDX-License-Identifier: Apache-2.0
"""Does Elasticsearch hold each record of a file exactly once, and nothing else of it?

Both sides are read in the order of the log and merged, so that memory does not grow
with the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct
from msgspec.structs import replace

from shipper.app.assembly import Assembly
from shipper.app.oneshot import documents
from shipper.audit.extent import Bounded, Extent, has_envelopes, measure, opened
from shipper.audit.holdings import Found, RecordHoldings
from shipper.errors import InputProblem
from shipper.records import Event, Source, Stream
from shipper.tail import Opener, Siblings

#: Why a file can be compared with nothing yet.
UNSETTLED = "`clisvc run` has not named it yet: no timed record, and less than 16 lines"
_SHOWN = 10  # findings named one by one
_SLICE = 1_000  # ids asked for at a time


class Finding(Struct, frozen=True, kw_only=True):
    """A document that is missing, or one too many.

    Attributes:
        offset: of its record in the generation, in bytes.
        id: of the document.
        text: the record's line; empty if Elasticsearch does not show it.
        indices: backing indices that hold it; none if it is missing, several if it is
            doubled across a rollover.
    """

    offset: int
    id: str
    text: str
    indices: tuple[str, ...] = ()


class Verified(Struct, frozen=True, kw_only=True):
    """How a file compares with Elasticsearch.

    Attributes:
        path: the file.
        host: whose log it is.
        generation: which generation it holds; empty for an empty file.
        verified: bytes compared, up to the end of the last complete line; none of a
            file too short to be named, which a note says.
        unterminated: bytes behind that, of a line without an end: not compared.
        records: record documents the file yields.
        present: those that are there.
        missing: those that are not.
        extra: documents of this generation, below ``verified``, that the file does not
            yield, and further copies of those it does.
        first_missing: the first few of them.
        first_extra: the first few of them.
    """

    path: str
    host: str
    generation: str
    verified: int
    unterminated: int
    records: int
    present: int
    missing: int
    extra: int
    first_missing: tuple[Finding, ...]
    first_extra: tuple[Finding, ...]

    @property
    def exact(self) -> bool:
        """Each record is there exactly once, and nothing else is."""
        return not (self.missing or self.extra)


class _Event(Struct, frozen=True):
    original: str = ""


class _Document(Struct, frozen=True):
    event: _Event = _Event()


class Verification:
    """Compares files with the data streams of records. Changes nothing.

    Args:
        client: the client.
        url: of the server, for messages.
        namespace: of the data streams.
        assembly: parser and enricher.
        opener: the file system.
        max_line_bytes: longer lines are cut, as they were when they were shipped.

    Attributes:
        holdings: what the server has; its notes say what could not be told.
    """

    def __init__(
        self,
        client: Elasticsearch,
        *,
        url: str,
        namespace: str,
        assembly: Assembly,
        opener: Opener,
        max_line_bytes: int,
    ) -> None:
        self.holdings = RecordHoldings(client, url, namespace)
        self._assembly = assembly
        self._opener = opener
        self._max_line_bytes = max_line_bytes

    def verify(self, source: Source, path: str) -> Verified:
        """Compare a file.

        Raises:
            InputProblem: it cannot be read, or changed while it was read.
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        with opened(self._opener, path) as file:
            extent = measure(file, source, self._max_line_bytes)
            if not self._named(extent, source, path):
                return _compared(_Tally(self.holdings), source, path, extent, end=0)
            stream = Bounded(file, extent.size)
            events = documents(
                stream, source, self._assembly, max_line_bytes=self._max_line_bytes
            )
            # Looked at after the file: what is on the disk had time to arrive.
            with self.holdings.point_in_time(ccm=has_envelopes(file, extent.size)):
                tally = _Tally(self.holdings)
                tally.compare(
                    _records(events, extent.end),
                    self.holdings.of(extent.gen_id, extent.end),
                )
            if stream.position != extent.size:
                raise InputProblem(
                    f"{path} was cut while it was read.",
                    remedy="Run it again; a rotated file is looked for by its name.",
                )
        return _compared(tally, source, path, extent, end=extent.end)

    def _named(self, extent: Extent, source: Source, path: str) -> bool:
        """Tell whether a file's generation is final; note it if it is not."""
        rotated = Siblings(path=source.path).rotated(path)
        if extent.settled or rotated or not extent.size:
            return True
        self.holdings.notes.append(f"{path}: {UNSETTLED}; it was not compared.")
        return False


class _Tally:
    """What the comparison has found so far."""

    def __init__(self, holdings: RecordHoldings) -> None:
        self.records = 0
        self.missing = 0
        self.extra = 0
        self.first_missing: list[Finding] = []
        self.first_extra: list[Finding] = []
        self._holdings = holdings
        self._absent: list[tuple[int, Event]] = []

    def compare(
        self, records: Iterable[tuple[int, Event]], found: Iterable[tuple[int, Found]]
    ) -> None:
        """Compare two sequences, both in the order of offsets."""
        both: Iterator[tuple[int, Event | Found]]
        both = merge(records, found, key=itemgetter(0))
        for offset, group in groupby(both, key=itemgetter(0)):
            self._line(offset, [entry for _, entry in group])
        self._confirm()
        texts = self._holdings.texts([finding.id for finding in self.first_extra])
        self.first_extra = [
            replace(each, text=texts.get((each.indices[-1], each.id), ""))
            for each in self.first_extra
        ]

    def _line(self, offset: int, entries: list[Event | Found]) -> None:
        """Compare what stands at one offset: mostly one record, and its document."""
        events = {entry.id: entry for entry in entries if isinstance(entry, Event)}
        copies = Counter(entry.id for entry in entries if isinstance(entry, Found))
        self.records += len(events)
        for ident, event in events.items():
            if ident not in copies:
                self._absent.append((offset, event))
        if len(self._absent) >= _SLICE:
            self._confirm()
        for ident, count in copies.items():
            surplus = count - (ident in events)
            if not surplus:
                continue
            self.extra += surplus
            if len(self.first_extra) < _SHOWN:
                indices = tuple(
                    sorted(
                        entry.index
                        for entry in entries
                        if isinstance(entry, Found) and entry.id == ident
                    )
                )
                self.first_extra.append(
                    Finding(offset=offset, id=ident, text="", indices=indices)
                )

    def _confirm(self) -> None:
        """Ask for what seems to be missing by its id: only that counts."""
        there = self._holdings.ids([event.id for _, event in self._absent])
        for offset, event in self._absent:
            if event.id in there:
                continue
            self.missing += 1
            if len(self.first_missing) < _SHOWN:
                text = msgspec.json.decode(
                    event.document, type=_Document
                ).event.original
                self.first_missing.append(
                    Finding(offset=offset, id=event.id, text=text)
                )
        self._absent.clear()


def _compared(
    tally: _Tally, source: Source, path: str, extent: Extent, *, end: int
) -> Verified:
    return Verified(
        path=path,
        host=source.host,
        generation=extent.gen_id,
        verified=end,
        unterminated=extent.size - extent.end,
        records=tally.records,
        present=tally.records - tally.missing,
        missing=tally.missing,
        extra=tally.extra,
        first_missing=tuple(tally.first_missing),
        first_extra=tuple(tally.first_extra),
    )


def offset_of(ident: str) -> int:
    """Return where a document's record stands, by the document's id."""
    return int(ident.split("-")[1], 16)


def _records(events: Iterable[Event], end: int) -> Iterator[tuple[int, Event]]:
    """Yield record documents before ``end`` with their offsets."""
    for event in events:
        if event.stream is not Stream.STATE:
            offset = offset_of(event.id)
            if offset < end:
                yield offset, event
