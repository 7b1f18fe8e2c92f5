# SPDX-License-Identifier: Apache-2.0
r"""The envelope of CCM and Configuration Manager client logs.

::

    <![LOG[message]LOG]!><time="19:33:19.766-330" date="11-28-2014" component="execmgr"
    context="" type="1" thread="8744" file="execreqmgr.cpp:2083">

The message may go over many lines and hold brackets and quotes, so its end is the last
place where end marker and time stand together. The bias behind the milliseconds is what
Windows calls by that name: minutes to add to local time for UTC, daylight saving
included. Writers in .NET give more digits and no bias; an unsigned run of digits is all
fraction.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from shipper.parse.grammar import read_thread
from shipper.parse.stamp import Stamp, read_stamp
from shipper.parse.text import BLANKS

#: What follows a message.
END = "]LOG]!><time="

_STARTS = ("<![LOG[", "[<![LOG[")
_LONGEST_COMPONENT = 260  # characters, as in the legacy trailer
_LONGEST_THREAD = 32  # characters of an id that is met again and again
_known_thread = lru_cache(4096)(read_thread)
_LEVELS = {"1": "info", "2": "warning", "3": "error", "0": "", "": ""}

#: What stands behind the end marker, with nothing to repair; behind the date writers
#: leave out what they have no value for.
_REGULAR = re.compile(
    r"""
    "( \d{1,2}+ : \d\d : \d\d ) \. ( \d{3} ) \d*+ ( (?: [+-]{1,2}+ \d{1,4}+ )?+ )"
    \ date="( \d{1,2}+ - \d{1,2}+ - \d{4} )"
    (?: \ component="( [^"]*+ )" )?+
    (?: \ context="( [^"]*+ )" )?+
    (?: \ type="( [^"]*+ )" )?+
    (?: \ thread="( [^"]*+ )" )?+
    (?: \ file="( [^"]*+ )" )?+
    >
    """,
    re.VERBOSE | re.ASCII,
)

_NEXT = re.compile(rf"[{BLANKS}]*+\[?<!\[LOG\[")
_MOST = 16  # records on one line

_PAIR = re.compile(r'\b(date|component|context|type|thread|file)="([^"]*+)"', re.ASCII)
_TIME = re.compile(
    r'"?\s*+(\d{1,2}+:\d\d:\d\d)(?:[.,](\d{1,9}+))?+\s*+([+-]{1,2}+\d{1,4}+)?+\s*+"',
    re.ASCII,
)


class Envelope(Struct, frozen=True, kw_only=True):
    """A record taken out of its envelope.

    Attributes:
        message: its text; line breaks are line feeds.
        time: local date and time up to the seconds, ``11-28-2014 19:33:19``, or empty.
        millis: milliseconds within that second, three digits.
        bias: the bias as written, or empty.
        component: who wrote it, as written, up to 260 characters.
        level: ``info``, ``warning``, ``error``, or empty.
        thread: id of the writing thread, or ``None`` if unknown.
        user: context, as written.
        origin: source file and line, as written.
        exact: nothing about it had to be repaired.
    """

    message: str
    time: str = ""
    millis: str = "000"
    bias: str = ""
    component: str = ""
    level: str = ""
    thread: int | None = None
    user: str = ""
    origin: str = ""
    exact: bool = False

    @property
    def stamp(self) -> Stamp | None:
        """Its local time, or ``None`` if it has none, or an impossible one."""
        return read_stamp(f"{self.time}.{self.millis}{self.bias}")


def opens(text: str) -> bool:
    """Tell whether a line begins a record."""
    return text.startswith(_STARTS) or text.lstrip(BLANKS).startswith(_STARTS)


def read_envelope(text: str) -> Envelope:
    """Take a record apart that has an end marker, a start marker, or both."""
    at = text.rfind(END)
    message = text if at < 0 else text[:at]
    begun = opens(message)
    if begun:
        message = message[message.index("<![LOG[") + len("<![LOG[") :]
    message = message.strip(BLANKS)
    if "\r" in message:
        message = message.replace("\r\n", "\n")
    if at < 0:
        return Envelope(message=message)
    tail = text[at + len(END) :].rstrip(BLANKS)
    found = _REGULAR.fullmatch(tail)
    if found is None:
        return _repaired(message, tail)
    time, millis, bias, date, component, user, kind, number, origin = found.groups("")
    thread = _thread(number)
    component = component[:_LONGEST_COMPONENT]
    level = _LEVELS.get(kind)
    return Envelope(
        message=message,
        time=f"{date} {time}",
        millis=millis,
        bias=bias,
        component=component,
        level=level or "",
        thread=thread,
        user=user,
        origin=origin,
        exact=begun and level is not None and (thread is not None or not number),
    )


def apart(text: str) -> list[str]:
    """Take records apart of which one begins on the line that ends another.

    Returns:
        The pieces in order, mostly the text alone; what is beyond the sixteenth stays
        with it, because every piece carries the whole line.
    """
    pieces: list[str] = []
    begin, at, last = 0, text.find(END), text.rfind("<![LOG[")
    while 0 <= at < last and len(pieces) < _MOST - 1:
        found = _REGULAR.match(text, at + len(END))
        if found is not None and _NEXT.match(text, found.end()):
            pieces.append(text[begin : found.end()])
            begin = found.end()
        at = text.find(END, at + len(END))
    return [*pieces, text[begin:]]


def _repaired(message: str, tail: str) -> Envelope:
    """Take what can be had of damaged attributes."""
    found = _TIME.match(tail)
    time, digits, bias = found.groups("") if found else ("", "", "")
    # Of an attribute that occurs twice the first counts.
    values = dict(reversed(_PAIR.findall(tail)))
    date = values.get("date", "").strip()
    return Envelope(
        message=message,
        time=f"{date} {time}" if date and time else "",
        millis=f"{digits}000"[:3],
        bias=bias,
        component=values.get("component", "")[:_LONGEST_COMPONENT],
        level=_LEVELS.get(values.get("type", ""), ""),
        thread=read_thread(values.get("thread", "").strip()),
        user=values.get("context", ""),
        origin=values.get("file", ""),
    )


def _thread(text: str) -> int | None:
    return (_known_thread if len(text) <= _LONGEST_THREAD else read_thread)(text)
