# SPDX-License-Identifier: Apache-2.0
"""What a visit to a log brings: chunks, or the reason why there are none."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shipper.records import Chunk
from shipper.tail.life import Life
from shipper.tail.opener import Trouble


class Status(StrEnum):
    """What the last visit found."""

    NEVER_SEEN = "never seen"
    OK = "ok"
    WAITING = "waiting for a first record"
    NO_LOG = "no log"
    DENIED = "denied"
    LOCKED = "locked"
    UNREACHABLE = "unreachable"
    IRREGULAR = "not a regular file"
    UNDECIDED = "undecided"
    FINISHED = "finished"


STATUS_OF = {
    Trouble.MISSING: Status.NO_LOG,
    Trouble.DENIED: Status.DENIED,
    Trouble.LOCKED: Status.LOCKED,
    Trouble.UNREACHABLE: Status.UNREACHABLE,
    Trouble.IRREGULAR: Status.IRREGULAR,
    Trouble.UNDECIDED: Status.UNDECIDED,
}


class Reading(Struct, frozen=True, kw_only=True):
    """What a visit brought.

    Attributes:
        life: the generation it came from; to be advanced behind each chunk.
        chunks: consecutive chunks of it.
        more: there is more to read right away.
        final: nothing follows the last chunk in its generation.
    """

    life: Life
    chunks: tuple[Chunk, ...]
    more: bool
    final: bool = False
