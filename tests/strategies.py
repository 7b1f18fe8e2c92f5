# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: lines of a log, and the pieces in which a reader gets them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

MONTH_DAYS = 28  # of February 2003, the month of all drawn lines


@st.composite
def clisvc_lines(draw: st.DrawFn) -> bytes:
    """Draw timed lines as the SMS client writes them, without their line ends."""
    text = draw(st.text(st.characters(codec="ascii", exclude_categories=["C"])))
    day = draw(st.integers(1, MONTH_DAYS))
    hour, minute, second = (draw(st.integers(0, top)) for top in (23, 59, 59))
    millis = draw(st.integers(0, 999))
    thread = draw(st.integers(1, 0xFFFF))
    name = ("Sat", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri")[(day - 1) % 7]
    stamp = f"{name} Feb {day:02} {hour:02}:{minute:02}:{second:02}.{millis:03} 2003"
    trailer = f"$$<CLISVCL.EXE><{stamp}><thread={thread} (0x{thread:X})>"
    return f"{text}~  {trailer}".encode("ascii")


def any_lines() -> st.SearchStrategy[bytes]:
    """Draw timed lines, blank lines, and bytes that are no text at all."""
    junk = st.binary(max_size=80).map(lambda data: data.replace(b"\n", b""))
    return st.one_of(clisvc_lines(), st.just(b""), junk)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a log; its last line may lack its end."""
    ends = st.sampled_from([b"\n", b"\r\n"])
    lines = draw(st.lists(st.tuples(any_lines(), ends).map(b"".join), max_size=20))
    return b"".join(lines) + draw(any_lines())


@st.composite
def chunkings(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Draw a way to cut ``data`` into pieces; joined they are ``data``."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    edges = [0, *cuts, len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]
