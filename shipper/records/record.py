# SPDX-License-Identifier: Apache-2.0
"""A log record as parsed, before it is given a meaning."""

from __future__ import annotations

from msgspec import Struct


class Moment(Struct, frozen=True, kw_only=True):
    """One second of one zone in UTC. Shared by all records of that second.

    Attributes:
        text: ``1999-11-15T22:54:10``, in UTC.
        epoch_s: the same as seconds since 1970.
        timezone: IANA name, or an offset such as ``-07:00``.
        source: where the zone came from: ``record``, ``host``, ``configured``,
            ``machine``, ``assumed-utc``; or, for a record without a time of its own,
            ``neighbour`` or ``read``.
        ambiguous: the local time occurred twice (end of daylight saving); the first
            occurrence is given.
    """

    text: str
    epoch_s: int
    timezone: str
    source: str
    ambiguous: bool = False


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """One log record. A glued line yields several with the same ``start``.

    Attributes:
        start: offset of its first physical line in the generation, in bytes.
        end: offset after its last line's end, in bytes.
        raw: the bytes of its lines without the last line end; the id's checksum is
            taken over them.
        sub: 0, or 1, 2, 3 … for the pieces of a glued line.
        original: its lines as text.
        message: the record's text, cleaned of trailer or envelope, and of tildes.
        component: who wrote it, as written; empty if the record does not say.
        thread: id of the writing thread, unsigned 32 bits; ``None`` if unknown.
        level: ``info``, ``warning`` or ``error``, if the record itself says so.
        user: whom it was written for, if the record says so.
        origin: source file and line that wrote it, as written (``execmgr.cpp:123``).
        moment: its second in UTC.
        millis: milliseconds within that second, 0-999.
        dialect: ``legacy``, ``ccm`` or ``plain``.
        quality: ``exact``, ``repaired`` (damaged, or the zone was not understood) or
            ``plain`` (neither trailer nor envelope).
        flags: what is special about its bytes: ``partial``, ``truncated``, ``nul``,
            ``glued``.
    """

    start: int
    end: int
    raw: bytes
    original: str
    message: str
    moment: Moment
    millis: int = 0
    sub: int = 0
    component: str = ""
    thread: int | None = None
    level: str = ""
    user: str = ""
    origin: str = ""
    dialect: str = "legacy"
    quality: str = "exact"
    flags: tuple[str, ...] = ()

    @property
    def epoch_ms(self) -> int:
        """Time of the record in milliseconds since 1970, UTC."""
        return self.moment.epoch_s * 1000 + self.millis
