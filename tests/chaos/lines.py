# SPDX-License-Identifier: Apache-2.0
"""Records that say which one they are: host, generation of the log, number."""

from __future__ import annotations

import re
import time

from msgspec import Struct

_REFUSED_EVERY = 100
_PACIFIC_S = 8 * 3600  # seconds behind UTC, all year: this zone's word is not believed
_COMPONENT = r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE"
_ROUTINE = "Copy Queue - {number} jobs waiting for {host} in {generation}~"
_REFUSED = (
    r'***ERROR: Unable to launch "C:\WINNT\MS\SMS\{host}\{generation}\{number}'
    r'\SMSAPM32.EXE " - Error : 1314~'
)
_TRAILER = re.escape(f"  $$<{_COMPONENT}><") + (
    r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d\.\d{3} \d{4} Pacific Standard Time>"
    r"<thread=52 \(0x34\)>"
)
_ROUTINE_PATTERN = re.compile(
    r"Copy Queue - (\d+) jobs waiting for (pc\d{4}) in (\d+)~" + _TRAILER
)
_REFUSED_PATTERN = re.compile(
    r'\*\*\*ERROR: Unable to launch "C:\\WINNT\\MS\\SMS\\(pc\d{4})\\(\d+)\\(\d+)'
    r'\\SMSAPM32\.EXE " - Error : 1314~' + _TRAILER
)


class Key(Struct, frozen=True, kw_only=True, order=True):
    """Which record it is.

    Attributes:
        host: who wrote it.
        generation: life of that host's log, counted from 0.
        number: of the record, counted from 0 over all generations of the host.
    """

    host: str
    generation: int
    number: int


def line(key: Key, ms: int, end: bytes) -> bytes:
    """Return one regular record; one in a hundred is a refused launch.

    Args:
        key: which one.
        ms: when it is written, in milliseconds since 1970.
        end: its line end.
    """
    refused = key.number % _REFUSED_EVERY == _REFUSED_EVERY // 2
    text = (_REFUSED if refused else _ROUTINE).format(
        host=key.host, generation=key.generation, number=key.number
    )
    second, rest = divmod(ms, 1000)
    at = time.gmtime(second - _PACIFIC_S)
    shown = f"{time.strftime('%a %b %d %H:%M:%S', at)}.{rest:03} {at.tm_year}"
    return (
        f"{text}  $$<{_COMPONENT}><{shown} Pacific Standard Time><thread=52 (0x34)>"
    ).encode("ascii") + end


def key_of(original: str) -> Key | None:
    """Return which record a text is, or ``None`` if it is none of ours, whole."""
    found = _ROUTINE_PATTERN.fullmatch(original)
    if found:
        number, host, generation = found.groups()
        return Key(host=host, generation=int(generation), number=int(number))
    found = _REFUSED_PATTERN.fullmatch(original)
    if found:
        host, generation, number = found.groups()
        return Key(host=host, generation=int(generation), number=int(number))
    return None
