# SPDX-License-Identifier: Apache-2.0
"""Which documents a file yields: enough to tell them from others, in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b

from shipper.records import Event, Stream

_STATE = ".s"  # what follows a record's id in those of the states it causes


class Yielded:
    """The records of some events, and whatever states they may ever have caused.

    Args:
        events: what a file yields.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        records = (event for event in events if event.stream is not Stream.STATE)
        self._digests = array("Q", sorted(_digest(event.id) for event in records))

    def __contains__(self, ident: str) -> bool:
        """Tell whether a document is one of theirs, by its id."""
        digest = _digest(ident.partition(_STATE)[0])
        place = bisect_left(self._digests, digest)
        return place < len(self._digests) and self._digests[place] == digest


def _digest(ident: str) -> int:
    return int.from_bytes(blake2b(ident.encode(), digest_size=8).digest(), "big")
