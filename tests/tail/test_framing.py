# SPDX-License-Identifier: Apache-2.0
"""Framing: whole lines, whatever the pieces in which the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.records import Chunk, Encoding
from shipper.tail import frame
from shipper.tail.framing import before_nul_run
from tests.strategies import chunkings, logs

LIMIT = 64

Line = tuple[int, bytes, tuple[str, ...]]


def lines_of(chunks: list[Chunk]) -> list[Line]:
    """Take chunks apart: offset, bytes and flags of each line."""
    found: list[Line] = []
    for chunk in chunks:
        position = chunk.start
        pieces = chunk.data.splitlines(keepends=True) if chunk.flags else []
        pieces = [chunk.data] if chunk.flags else _cut(chunk.data)
        for piece in pieces:
            found.append((position, piece, chunk.flags))
            position += len(piece)
    return [(start, data, flags) for start, data, flags in found if data]


def _cut(data: bytes) -> list[bytes]:
    *whole, rest = data.split(b"\n")
    assert rest == b""
    return [piece + b"\n" for piece in whole]


def read(pieces: list[bytes], **kwargs: bool) -> list[Chunk]:
    """Frame as a reader does: what is left over is read again with what follows."""
    chunks: list[Chunk] = []
    rest, position, skipping = b"", 0, False
    for number, piece in enumerate(pieces, start=1):
        rest += piece
        final = number == len(pieces) and kwargs.get("final", False)
        for chunk in frame(
            rest, position, max_line_bytes=LIMIT, skipping=skipping, final=final
        ):
            chunks.append(chunk)
            rest = rest[chunk.end - position :]
            position, skipping = chunk.end, chunk.skipping
    return chunks


@given(st.data(), logs())
def test_any_chunking_frames_the_same_lines(data: st.DataObject, log: bytes) -> None:
    """How the bytes come in pieces decides nothing: not the lines, not the flags."""
    pieces = data.draw(chunkings(log))

    assert lines_of(read(pieces, final=True)) == lines_of(read([log], final=True))


@given(logs())
def test_every_byte_is_answered_for_in_order(log: bytes) -> None:
    """Chunks lie end to end, and a final one reaches the end of the bytes."""
    chunks = read([log], final=True)
    ends = [0, *(chunk.end for chunk in chunks)]

    assert [chunk.start for chunk in chunks] == ends[:-1]
    assert ends[-1] == len(log)


@given(logs())
def test_lines_are_what_splitting_gives(log: bytes) -> None:
    """Against the plain definition: split at line feeds, cut at the limit."""
    expected: list[Line] = []
    position = 0
    *whole, rest = log.split(b"\n")
    for body in whole:
        long = len(body) > LIMIT
        flags = ("truncated",) if long else ()
        kept = body[:LIMIT] if long else body + b"\n"
        expected.append((position, kept, flags))
        position += len(body) + 1
    if rest:
        long = len(rest) > LIMIT
        flag = "truncated" if long else "partial"
        expected.append((position, rest[:LIMIT], (flag,)))

    assert lines_of(read([log], final=True)) == expected


def test_lines_travel_together() -> None:
    """Regular lines make one chunk, not one each."""
    assert list(frame(b"a\nbc\nd", 7, max_line_bytes=LIMIT)) == [
        Chunk(start=7, data=b"a\nbc\n", end=12)
    ]


def test_an_unterminated_line_waits() -> None:
    """Nothing is made of it until the generation is final."""
    assert list(frame(b"abc", 0, max_line_bytes=LIMIT)) == []


def test_an_unterminated_line_is_taken_at_the_end() -> None:
    """Then it is a chunk of its own, flagged."""
    assert list(frame(b"a\nbc", 0, max_line_bytes=LIMIT, final=True)) == [
        Chunk(start=0, data=b"a\n", end=2),
        Chunk(start=2, data=b"bc", end=4, flags=("partial",)),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_of_just_the_limit_is_whole(end: bytes) -> None:
    """The limit counts the line without its line feed."""
    body = b"x" * (LIMIT + 1 - len(end))
    log = body + end

    assert list(frame(log, 0, max_line_bytes=LIMIT)) == [
        Chunk(start=0, data=log, end=LIMIT + 1)
    ]


def test_a_line_over_the_limit_is_cut_and_skipped() -> None:
    """Its chunk answers for the whole line and holds its beginning."""
    log = b"a\n" + b"x" * 100 + b"\nb\n"

    assert list(frame(log, 0, max_line_bytes=LIMIT)) == [
        Chunk(start=0, data=b"a\n", end=2),
        Chunk(start=2, data=b"x" * LIMIT, end=103, flags=("truncated",)),
        Chunk(start=103, data=b"b\n", end=105),
    ]


def test_the_rest_of_an_overlong_line_is_skipped_over_reads() -> None:
    """Each read in between answers for its bytes and brings nothing."""
    pieces = [b"x" * 100, b"x" * 50, b"x\na\n"]

    assert read(pieces) == [
        Chunk(start=0, data=b"x" * LIMIT, end=100, flags=("truncated",), skipping=True),
        Chunk(start=100, data=b"", end=150, skipping=True),
        Chunk(start=150, data=b"", end=152),
        Chunk(start=152, data=b"a\n", end=154),
    ]


@pytest.mark.parametrize("encoding", [Encoding.UTF_16_LE, Encoding.UTF_16_BE])
def test_utf_16_is_framed_on_code_units(encoding: Encoding) -> None:
    """U+0A0D and U+0D0A hold the byte of a line feed and are none."""
    mark = "\ufeff".encode(encoding.value)
    first = "a\u0a0d\u0d0a\n".encode(encoding.value)
    second = "\u0100\n".encode(encoding.value)
    data = mark + first + second + "b".encode(encoding.value)

    chunks = list(frame(data, 0, max_line_bytes=LIMIT, encoding=encoding))
    assert chunks == [
        Chunk(start=0, data=mark + first + second, end=14, encoding=encoding)
    ]


@given(st.data(), st.sampled_from([Encoding.UTF_16_LE, Encoding.UTF_16_BE]))
def test_any_chunking_of_utf_16_frames_the_same_lines(
    data: st.DataObject, encoding: Encoding
) -> None:
    """Also when a piece ends inside a code unit, at the limit or while skipping."""
    bodies = data.draw(st.lists(st.text("a\u0a0a\u0d0a", max_size=9), max_size=6))
    log = "".join(body + "\n" for body in bodies).encode(encoding.value)
    end = "\n".encode(encoding.value)
    starts: list[tuple[int, bytes]] = []
    rest, position, skipping = b"", 0, False
    for piece in data.draw(chunkings(log)):
        rest += piece
        for chunk in frame(
            rest, position, max_line_bytes=8, encoding=encoding, skipping=skipping
        ):
            assert chunk.end % 2 == 0
            if chunk.data:
                starts.append((chunk.start, chunk.data))
            rest = rest[chunk.end - position :]
            position, skipping = chunk.end, chunk.skipping
    joined: dict[int, bytes] = {}
    place = 0
    for body in bodies:
        raw = body.encode(encoding.value)
        joined[place] = raw[:8] if len(raw) > 8 else raw + end
        place += len(raw) + 2

    assert b"".join(found for _, found in starts) == b"".join(joined.values())
    assert position == len(log)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\0b\n", None),
        (b"a\n" + b"\0" * 15 + b"\n", None),
        (b"a\nbc" + b"\0" * 16 + b"\nd\n", 2),
        (b"\0" * 16, 0),
    ],
)
def test_runs_of_nul_bytes_are_found_by_line(data: bytes, expected: int | None) -> None:
    """Sixteen in a row are no text; fewer may be."""
    assert before_nul_run(data, Encoding.ANSI) == expected


def test_nul_bytes_are_usual_in_utf_16() -> None:
    """There they are half of every plain character."""
    assert before_nul_run(b"\0" * 64, Encoding.UTF_16_LE) is None


def test_lines_with_a_run_of_nul_bytes_stand_alone() -> None:
    """They are flagged as what they are, wherever a read begins or ends."""
    hole, cut = b"\0" * 16 + b"\n", b"x" + b"\0" * 99
    log = b"a\n" + hole + hole + b"b\n" + cut + b"\nc\n"

    assert list(frame(log, 0, max_line_bytes=LIMIT, final=True)) == [
        Chunk(start=0, data=b"a\n", end=2),
        Chunk(start=2, data=hole, end=19, flags=("nul",)),
        Chunk(start=19, data=hole, end=36, flags=("nul",)),
        Chunk(start=36, data=b"b\n", end=38),
        Chunk(start=38, data=cut[:LIMIT], end=139, flags=("nul", "truncated")),
        Chunk(start=139, data=b"c\n", end=141),
    ]


def test_a_last_line_of_nul_bytes_is_partial_too() -> None:
    """What has no line end is taken at the end of a final log."""
    log = b"a\n" + b"\0" * 16

    assert list(frame(log, 0, max_line_bytes=LIMIT, final=True)) == [
        Chunk(start=0, data=b"a\n", end=2),
        Chunk(start=2, data=b"\0" * 16, end=18, flags=("nul", "partial")),
    ]
