# SPDX-License-Identifier: Apache-2.0
"""A document on its way to Elasticsearch, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from msgspec import Struct

from shipper.records.checkpoint import Progress
from shipper.records.source import Generation, Source

#: Every document begins with these bytes, so that a sink can stamp its own fields in
#: front of a record's without parsing it (see ``deliver.elastic``).
DOCUMENT_HEAD = b'{"event":{'

#: Write index by data stream, by *epoch*: a number, from 1 on, that grows whenever
#: another write index is learned of. Of epoch 0 nothing is known.
Epochs = Mapping[int, Mapping[str, str]]


class Stream(StrEnum):
    """Data sets; the data stream is ``logs-<data set>-<namespace>``."""

    CLISVC = "sms.clisvc"
    CCM = "sms.ccm"
    STATE = "sms.state"
    SHIPPER = "sms.shipper"


class Outcome(Enum):
    """What became of one document."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"  # it was there already: delivered
    REJECTED = "rejected"  # a fault of the document itself: dead letter
    RETRY = "retry"  # an outage of the sink: send again


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """A document ready to be sent.

    Attributes:
        id: ``<gen_id>-<offset>-<crc32>[.<sub>][.s<n>]``.
        stream: the data set it belongs to.
        document: JSON, one object, beginning with :data:`DOCUMENT_HEAD`.
        size: bytes of the log this document answers for; 0 for state documents and
            for all pieces of a glued line but the first.
    """

    id: str
    stream: Stream
    document: bytes
    size: int = 0


class Ticket(Struct, frozen=True, kw_only=True, eq=False):
    """A chunk's entry in the ledger: what may be saved once all of it is acknowledged.

    Attributes:
        source: whose log it is.
        generation: which life of it.
        start: read position before the chunk, in bytes.
        progress: read position behind the chunk and the state as of there.
        events: number of documents that have to be acknowledged.
        records: number of record documents among them.
        since: epoch from which on an earlier run may have sent them; ``None`` if none
            can have.
    """

    source: Source
    generation: Generation
    start: int = 0
    progress: Progress
    events: int
    records: int
    since: int | None = None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A document Elasticsearch refuses for a fault of its own.

    Attributes:
        source: whose log it came from.
        event: the document.
        status: HTTP status of the item.
        error_type: Elasticsearch's name of the fault.
        reason: its words.
    """

    source: Source
    event: Event
    status: int
    error_type: str
    reason: str
