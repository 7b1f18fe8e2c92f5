# SPDX-License-Identifier: Apache-2.0
r"""The legacy trailer: ``message~  $$<component><time><thread=52 (0x34)>``.

The trailer is looked for from the end of the line: only what follows the last ``$$<``
is matched, and tildes and blanks before it are stripped by hand. An expression over
the whole line that finds them itself takes quadratic time on a line of tildes. Within
the expressions every run is possessive and ends where its successor begins, so there is
nothing to try again.
"""

from __future__ import annotations

import re

from msgspec import Struct

from shipper.parse.stamp import Stamp, looks_timed, read_stamp

_LONGEST_COMPONENT = 260  # characters: Windows' MAX_PATH
_HIGHEST_THREAD = 2**32 - 1

#: A whole line of the forms L1, L2 and L3 with nothing to repair, as in
#: ``… ~  $$<CCIM32><Mon Nov 15 16:54:10.112 1999><thread=52 (0x34)>``. Groups: text
#: before the trailer, component, time up to the seconds, milliseconds, rest of the
#: time, thread. What time and thread mean is for their readers to say.
REGULAR = re.compile(
    r"""
    ( (?: [^$]++ | \$ (?! \$< ) )*+ ) \$\$<
    ( [^<>&\s] [^<>]{0,259}+ ) (?<! [&\s] ) ><
    ( [^<>&\s.] [^<>.]*+ ) \. ( \d\d\d ) ( [^<>]*+ ) ><
    thread= ( [^<>]++ ) >
    """,
    re.VERBOSE | re.ASCII,
)

#: What follows ``$$<``, with what copying does to it: a lost or doubled bracket
#: (Q236596, Q235777), blanks (Q264976), ``&`` before brackets (Q262242), a line break
#: as HTML (Q236039), everything after the component lost (Q227025).
_TRAILER = re.compile(
    r"""
    (?P<component> [^<>]*+ )
    (?P<edge> [<>&\s]*+ )
    (?P<time> (?! thread= | BR\s*+/?> ) [^<>]*+ )
    (?P<closed> >? ) [<>&\s]*+
    (?: thread= (?P<thread> [^<>]*+ ) (?P<ended> >? ) )?
    (?: [<>&\s]*+ BR \s*+ /? )*+
    [<>&\s]*+
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)

_THREAD = re.compile(
    r"(?P<number>[0-9A-F]{1,10})(?:\s*\((?P<hex>0x[0-9A-F]{1,8})\))?",
    re.ASCII | re.IGNORECASE,
)

#: A component whose ``$$<`` was lost in copying (Q264630).
_PROGRAM = re.compile(
    r'[A-Z]:\\[^<>:"|?*]{1,255}\.(?:EXE|DLL)', re.ASCII | re.IGNORECASE
)


class Trailer(Struct, frozen=True, kw_only=True):
    """A recognised trailer.

    Attributes:
        body: the line's text before it, as written.
        component: who wrote the record, as written.
        stamp: local time, or ``None`` if it is missing or impossible.
        thread: id of the writing thread, or ``None`` if unknown.
        exact: nothing about it had to be repaired.
    """

    body: str
    component: str
    stamp: Stamp | None
    thread: int | None
    exact: bool


def read_trailer(text: str) -> Trailer | None:
    """Find the trailer of a line, damaged or not; ``None`` if it has none."""
    for marker in ("$$<", "$$&<", "<$$"):
        at = text.rfind(marker)
        if at >= 0:
            trailer = _match(text[:at], text[at + len(marker) :])
            if trailer is not None:
                return trailer if marker == "$$<" else _repaired(trailer)
    at = text.rfind(":\\") - 1
    if at < 0 or (at > 0 and not text[at - 1].isspace()):
        return None
    trailer = _match(text[:at], text[at:])
    if trailer is None or _PROGRAM.fullmatch(trailer.component) is None:
        return None
    return _repaired(trailer)


def read_thread(text: str, *, early: bool = False) -> int | None:
    """Read a thread id such as ``52 (0x34)``: unsigned 32 bits (Win9x, Q236596).

    Args:
        text: what follows ``thread=``.
        early: the record is SMS 1.x's, which writes the hexadecimal number alone.

    Returns:
        The id, or ``None`` if it is none, too big, or its two spellings differ.
    """
    found = _THREAD.fullmatch(text)
    if found is None:
        return None
    number, hexadecimal = found["number"], found["hex"]
    if hexadecimal is None and early:
        value = int(number, 16)
    elif number.isdecimal():
        value = int(number)
    else:
        return None
    if hexadecimal is not None and value != int(hexadecimal, 16):
        return None
    return value if value <= _HIGHEST_THREAD else None


def _match(body: str, tail: str) -> Trailer | None:
    found = _TRAILER.fullmatch(tail)
    if found is None:
        return None
    component = found["component"].strip(" \t&")
    time, thread_text = found["time"], found["thread"]
    edge, closed = found["edge"], found["closed"]
    if len(component) > _LONGEST_COMPONENT or not edge:
        return None
    header_only = not time and ">" in edge
    cut_short = not closed and "<" in edge
    written_time = time.rstrip(" \t&")
    if not (header_only or cut_short or thread_text or looks_timed(written_time)):
        return None
    # A time that is cut may have lost its zone or the last digit of its bias.
    stamp = read_stamp(written_time) if closed else None
    early = stamp is not None and stamp.early
    thread_text = thread_text or ""
    thread = None
    if found["ended"] or ")" in thread_text:
        thread = read_thread(thread_text.strip(" \t&"), early=early)
    return Trailer(
        body=body,
        component=component,
        stamp=stamp,
        thread=thread,
        exact=stamp is not None
        and stamp.sound
        and thread is not None
        and (early or thread_text.endswith(")"))
        and component != ""
        and tail == f"{component}><{time}><thread={thread_text}>",
    )


def _repaired(trailer: Trailer) -> Trailer:
    return Trailer(
        body=trailer.body,
        component=trailer.component,
        stamp=trailer.stamp,
        thread=trailer.thread,
        exact=False,
    )
