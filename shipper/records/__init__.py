# SPDX-License-Identifier: Apache-2.0
"""The types that travel between the stages: frozen, slotted, keyword-only."""

from shipper.records.checkpoint import Checkpoint, Observation, Progress
from shipper.records.chunk import Chunk, Encoding
from shipper.records.event import (
    DOCUMENT_HEAD,
    DeadLetter,
    Epochs,
    Event,
    Outcome,
    Stream,
    Ticket,
)
from shipper.records.record import Moment, Record
from shipper.records.source import Generation, Source

__all__ = [
    "DOCUMENT_HEAD",
    "Checkpoint",
    "Chunk",
    "DeadLetter",
    "Encoding",
    "Epochs",
    "Event",
    "Generation",
    "Moment",
    "Observation",
    "Outcome",
    "Progress",
    "Record",
    "Source",
    "Stream",
    "Ticket",
]
