# SPDX-License-Identifier: Apache-2.0
"""What the store keeps of a generation, so that reading can go on after a restart."""

from __future__ import annotations

from msgspec import Struct

from shipper.records.chunk import Encoding
from shipper.records.source import Generation


class Progress(Struct, frozen=True, kw_only=True):
    """How far a generation has been read, with the proofs to find it again.

    Attributes:
        offset: read position, in bytes.
        skipping: that position is inside an overlong line.
        anchor: digest of the 256 bytes before the position; empty at 0.
        snapshot: parser, incident and agent state as of the position, encoded.
    """

    offset: int = 0
    skipping: bool = False
    anchor: bytes = b""
    snapshot: bytes = b""


class Observation(Struct, frozen=True, kw_only=True):
    """What is known of a generation beside the reading position.

    Attributes:
        path: where it was found last.
        head_length: bytes covered by the head, at most 1,024.
        head: digest of them.
        seen: end of the last complete line observed, in bytes.
        final: read position at which the generation ended, ``None`` while it may grow.
        lost: bytes seen that were gone before they were read.
        gap: more may have been lost than ``lost`` can tell.
        first_time: local wall clock of its first timed record, in milliseconds.
        encoding: by byte order mark.
        day: day, counted from 1970, on which a file of it was found last. It is not
            stored; that it changes keeps the generation from being forgotten.
    """

    path: str
    head_length: int = 0
    head: bytes = b""
    seen: int = 0
    final: int | None = None
    lost: int = 0
    gap: bool = False
    first_time: int | None = None
    encoding: Encoding = Encoding.ANSI
    day: int = 0


class Checkpoint(Struct, frozen=True, kw_only=True):
    """One generation as the store has it.

    Attributes:
        generation: which one.
        progress: acknowledged reading position and what goes with it.
        observation: what else is known.
        dead_lettered: bytes of records that went to the dead letters.
        records: record documents acknowledged.
        duplicates: documents that were there already, among all acknowledged.
        since: epoch from which on more of it may have been sent (see ``Epochs``).
    """

    generation: Generation
    progress: Progress
    observation: Observation
    dead_lettered: int = 0
    records: int = 0
    duplicates: int = 0
    since: int = 0

    @property
    def acked(self) -> int:
        """Bytes acknowledged by Elasticsearch."""
        return self.progress.offset - self.dead_lettered

    @property
    def pending(self) -> int:
        """Bytes seen that are neither acknowledged, nor dead letters, nor lost."""
        return self.seen - self.progress.offset - self.observation.lost

    @property
    def seen(self) -> int:
        """Bytes of complete lines observed: acked + pending + dead-lettered + lost."""
        return max(self.observation.seen, self.progress.offset + self.observation.lost)

    @property
    def finished(self) -> bool:
        """Everything there was has been acknowledged."""
        return self.observation.final == self.progress.offset
