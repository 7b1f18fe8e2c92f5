# SPDX-License-Identifier: Apache-2.0
"""The types that travel between the stages: frozen, slotted, keyword-only."""

from shipper.records.chunk import Chunk, Encoding
from shipper.records.event import DOCUMENT_HEAD, Event, Outcome, Stream, Ticket
from shipper.records.record import Moment, Record
from shipper.records.source import Generation, Source

__all__ = [
    "DOCUMENT_HEAD",
    "Chunk",
    "Encoding",
    "Event",
    "Generation",
    "Moment",
    "Outcome",
    "Record",
    "Source",
    "Stream",
    "Ticket",
]
