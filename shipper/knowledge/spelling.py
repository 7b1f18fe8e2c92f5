# SPDX-License-Identifier: Apache-2.0
"""One code, many spellings: text to number."""

from __future__ import annotations

import re

_SPELLING = re.compile(
    r"""
    \#?0x(?P<hex>[0-9a-f]{1,16})[ul]*           # 0x522, #0x3EB, 0xFFFFFFFF80070522, 5L
    | (?P<bare>[0-9a-f]{8})h?                   # 80070522, 00000522
    | (?P<decimal>[-\u2212]?[0-9]{1,20})[ul]*   # 1314, -2147023582, 2278556452
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ENCLOSING = " \t\r\n()[]{}<>\"'`.,;:~"

_WRAPPED = 0x8007  # failure bit and FACILITY_WIN32
_LEAST = -0x8000_0000
_LOW_32 = 0xFFFF_FFFF
_HIGH_33 = 0xFFFF_FFFF_8000_0000


def number(text: str) -> int | None:
    """Read a code in any spelling the logs and tools use.

    Eight bare digits are hexadecimal when they have a letter, a leading zero, or begin
    with 8, 9, C or D, as failing HRESULT and NTSTATUS codes do; otherwise decimal.

    Args:
        text: the code alone, with or without brackets and punctuation around it.

    Returns:
        The unsigned 32-bit value, or ``None`` if the text is no code.
    """
    found = _SPELLING.fullmatch(text.strip(_ENCLOSING))
    if found is None:
        return None
    if found["hex"]:
        return unsigned(int(found["hex"], 16))
    bare = found["bare"]
    if bare and not (bare.isdecimal() and bare[0] in "1234567"):
        return unsigned(int(bare, 16))
    return unsigned(int((found["decimal"] or bare).replace("\u2212", "-")))


def unsigned(value: int) -> int | None:
    """Bring signed and sign-extended forms to 32 bits.

    Args:
        value: any integer.

    Returns:
        The unsigned 32-bit value, or ``None`` if it never was a 32-bit code.
    """
    if _LEAST <= value <= _LOW_32 or _HIGH_33 <= value < 1 << 64:
        return value & _LOW_32
    return None


def signed(value: int) -> int:
    """Give the signed reading of an unsigned 32-bit value."""
    return value - (1 << 32) if value >> 31 else value


def win32(value: int) -> int:
    """Unwrap ``HRESULT_FROM_WIN32``; any other value stays as it is."""
    return value & 0xFFFF if value >> 16 == _WRAPPED else value


def hresult(value: int) -> int:
    """Wrap a Win32 error as ``HRESULT_FROM_WIN32`` does; 0 stays a success."""
    return _WRAPPED << 16 | value if value else 0
