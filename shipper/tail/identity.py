# SPDX-License-Identifier: Apache-2.0
"""Which generation a file holds: by its content, never by its name, inode or date.

A log's first timed record carries a millisecond time stamp and a thread, so it names
the log's life: from the very first record on, under every name, on every collector. Two
proofs guard it: the *head* (what the file begins with, up to 1,024 bytes) and the
*anchor* (the 256 bytes before the read position).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import blake2b

from msgspec import Struct

from shipper.records import Encoding

HEAD_BYTES = 1024
ANCHOR_BYTES = 256
IDENTITY_BYTES = 4096
IDENTITY_LINES = 16

#: Local wall clock of a line in milliseconds, or ``None`` if it carries no time.
FirstTime = Callable[[bytes], int | None]


class Identity(Struct, frozen=True, kw_only=True):
    """What a file's beginning says.

    Attributes:
        gen_id: 20 characters of base32hex.
        length: bytes it was made of.
        first_time: local wall clock of the first timed record, in milliseconds; orders
            generations that are found together.
        encoding: by byte order mark.
    """

    gen_id: str
    length: int
    first_time: int | None
    encoding: Encoding


class Head(Struct, frozen=True, kw_only=True):
    """Proof of what a generation begins with.

    Attributes:
        length: bytes covered; grows with the file up to 1,024.
        digest: over them.
    """

    length: int = 0
    digest: bytes = b""

    @classmethod
    def of(cls, beginning: bytes) -> Head:
        """Return the proof for a file that begins with ``beginning``."""
        covered = beginning[:HEAD_BYTES]
        return cls(length=len(covered), digest=digest(covered))

    def matches(self, beginning: bytes) -> bool:
        """Tell whether a file beginning with ``beginning`` may be the same one."""
        return (
            len(beginning) >= self.length
            and digest(beginning[: self.length]) == self.digest
        )


def digest(data: bytes) -> bytes:
    """Return the digest used for heads and anchors (16 bytes)."""
    return blake2b(data, digest_size=16).digest()


def encoding_of(beginning: bytes) -> Encoding:
    """Return the encoding a file declares with its first bytes."""
    if beginning.startswith(b"\xff\xfe"):
        return Encoding.UTF_16_LE
    if beginning.startswith(b"\xfe\xff"):
        return Encoding.UTF_16_BE
    return Encoding.ANSI


def newline(encoding: Encoding) -> bytes:
    """Return the line end's last code unit."""
    if encoding is Encoding.UTF_16_LE:
        return b"\n\x00"
    if encoding is Encoding.UTF_16_BE:
        return b"\x00\n"
    return b"\n"


def identify(
    beginning: bytes, *, host: str, log: str, first_time: FirstTime, at_end: bool
) -> Identity | None:
    """Return the generation a file holds, or ``None`` while it is too short to tell.

    Args:
        beginning: the first 4 KiB of the file, or all of it.
        host: short name of the host, lower case.
        log: logical name of the log.
        first_time: tells whether a line is a timed record.
        at_end: nothing more will come, so a beginning without a timed record counts
            as it stands (``ship`` and ``parse``; a rotated file).
    """
    beginning = beginning[:IDENTITY_BYTES]
    encoding = encoding_of(beginning)
    end = newline(encoding)
    position = 0
    for _ in range(IDENTITY_LINES):
        stop = find_unit(beginning, end, position, len(beginning))
        if stop < 0:
            break
        line, position = beginning[position:stop], stop + len(end)
        time = first_time(_to_ansi(line, encoding))
        if time is not None:
            return _identity(beginning[:position], host, log, time, encoding)
    else:
        return _identity(beginning[:position], host, log, None, encoding)
    if len(beginning) == IDENTITY_BYTES:
        return _identity(beginning, host, log, None, encoding)
    if at_end and beginning:
        time = first_time(_to_ansi(beginning[position:], encoding))
        return _identity(beginning, host, log, time, encoding)
    return None


def find_unit(data: bytes, unit: bytes, start: int, stop: int) -> int:
    """Find a code unit at a whole multiple of its width; -1 if there is none."""
    found = data.find(unit, start, stop)
    while found >= 0 and found % len(unit):
        found = data.find(unit, found + 1, stop)
    return found


def rfind_unit(data: bytes, unit: bytes, start: int, stop: int) -> int:
    """Find the last code unit at a whole multiple of its width; -1 if there is none."""
    found = data.rfind(unit, start, stop)
    while found >= 0 and found % len(unit):
        found = data.rfind(unit, start, found + len(unit) - 1)
    return found


def _to_ansi(line: bytes, encoding: Encoding) -> bytes:
    if encoding is Encoding.ANSI:
        return line
    return line.decode(encoding.value, errors="replace").encode()


def _identity(
    covered: bytes, host: str, log: str, time: int | None, encoding: Encoding
) -> Identity:
    named = blake2b(f"{host}\0{log}\0".encode() + covered, digest_size=12).digest()
    gen_id = base64.b32hexencode(named).decode().rstrip("=").lower()
    return Identity(
        gen_id=gen_id, length=len(covered), first_time=time, encoding=encoding
    )
