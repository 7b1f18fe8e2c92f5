# SPDX-License-Identifier: Apache-2.0
"""Finding the trailer of a line."""

from __future__ import annotations

import pytest

from shipper.parse import first_time
from shipper.parse.grammar import read_thread, read_trailer

LINE = b"Working~  $$<CCIM32><Mon Nov 15 16:54:10.253 1999><thread=52 (0x34)>"
# Day 10,910 since 1970, second 60,850 of that day (see test_stamp).
LOCAL_MS = (10_910 * 86_400 + 60_850) * 1000 + 253


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        LINE + b"\r\n",
        b"\xef\xbb\xbf" + LINE,
        b"\x81\xff " + LINE,
        LINE.decode().encode("utf-16"),
        (LINE.decode() + "\r\n").encode("utf-16-be"),
        LINE.replace(b"><M", b"<M"),
        LINE.replace(b" 1999", b" 1999 Tokyo Standard Time"),
        b"x $$<CCIM32><11-15-1999 16:54:10.253+0><thread=52 (0x34)>",
    ],
)
def test_first_time_is_local(line: bytes) -> None:
    """The wall clock is told in any encoding and whatever the zone."""
    assert first_time(line) == LOCAL_MS


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\r\n",
        b"Working",
        b"x = y",
        b"Working  $$<CCIM32>",
        LINE.replace(b"Nov 15", b"Nov 31"),
        b'<![LOG[x]LOG]!><time="19:33:19.766-330" date="11-31-2014">',
        b'<![LOG[time="19:33:19.766-330" date="11-28-2014"',
    ],
)
def test_untimed_lines_have_no_first_time(line: bytes) -> None:
    """Only the line with a possible time of a record counts."""
    assert first_time(line) is None


@pytest.mark.parametrize(
    ("text", "thread"),
    [
        ("52 (0x34)", 52),
        ("161 (0xa1)", 161),
        ("4294967295 (0xFFFFFFFF)", 2**32 - 1),
        ("0 (0x0)", 0),
        ("112", 112),
        ("53 (0x34)", None),
        ("4294967296", None),
        ("E0", None),
        ("", None),
        ("-1", None),
    ],
)
def test_thread(text: str, thread: int | None) -> None:
    """A thread id is an unsigned 32-bit number on whose spellings both agree."""
    assert read_thread(text) == thread


def test_early_thread_is_hexadecimal() -> None:
    """SMS 1.x writes the hexadecimal number alone."""
    assert read_thread("112", early=True) == 0x112


@pytest.mark.parametrize(
    "text",
    [
        "Copied $$<X> twice",
        "a < b > c",
        'Starting C:\\x.exe "quoted">',
        f"x $${'<'}{'c' * 300}>",
        "$$",
        "$$<",
    ],
)
def test_no_trailer(text: str) -> None:
    """Text that merely has some of the marks stays text."""
    assert read_trailer(text) is None


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "unit",
    [
        *("~", "$$<", " ", "7", "<", ">", "&", "$", "x><", "<BR/>", "thread=", ":\\"),
        *("C:\\x.exe>", "><BR", "$$&<", "<$$", "&>&<", "\t"),
    ],
)
@pytest.mark.parametrize("head", ["", "x  $$<CCIM32><", "x $$<CCIM32><a><thread="])
@pytest.mark.parametrize("tail", ["", "x", ">"])
def test_monotonous_line_is_quick(head: str, unit: str, tail: str) -> None:
    """A line of 64 KiB takes linear time: milliseconds, where quadratic is seconds."""
    line = (head + unit * (65_536 // len(unit)) + tail).encode()

    assert first_time(line) is None
