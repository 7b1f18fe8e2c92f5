# SPDX-License-Identifier: Apache-2.0
"""Bytes to chunks of whole lines: a pure function, so that chunking cannot matter.

A line is complete at its line feed. A line over the limit is cut at the limit, and the
rest is skipped to the next line feed in bounded memory. Runs of NUL bytes are what some
network file systems return instead of data; whether they have stayed long enough to be
content is for the caller to say, a line with one is flagged here.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shipper.records import Chunk, Encoding
from shipper.tail.identity import find_unit, newline, rfind_unit

#: A run this long is not text. One or two NUL bytes may be.
NUL_RUN = b"\0" * 16


def frame(
    data: bytes,
    start: int,
    *,
    max_line_bytes: int,
    encoding: Encoding = Encoding.ANSI,
    skipping: bool = False,
    final: bool = False,
) -> Iterator[Chunk]:
    """Yield the chunks in ``data``, in order; what they leave over is incomplete.

    Lines with a run of NUL bytes are flagged ``nul``, each in a chunk of its own.

    Args:
        data: bytes from offset ``start`` on. For UTF-16 ``start`` is even.
        start: offset of ``data[0]`` in the generation, in bytes.
        max_line_bytes: limit of one line without its line end (even).
        encoding: of the generation.
        skipping: ``start`` is inside an overlong line.
        final: nothing more will come: an unterminated last line is taken as
            ``partial``.
    """
    chunks = _cut(
        data,
        start,
        max_line_bytes=max_line_bytes,
        encoding=encoding,
        skipping=skipping,
        final=final,
    )
    for chunk in chunks:
        yield from _apart(chunk)


def _cut(
    data: bytes,
    start: int,
    *,
    max_line_bytes: int,
    encoding: Encoding,
    skipping: bool,
    final: bool,
) -> Iterator[Chunk]:
    end = newline(encoding)
    half = 0 if final else len(data) % len(end)  # half a code unit waits for the other
    data = data[: len(data) - half]
    position = 0
    if skipping:
        stop = find_unit(data, end, 0, len(data))
        position = len(data) if stop < 0 else stop + len(end)
        still = stop < 0 and not final
        if position:
            yield Chunk(start=start, data=b"", end=start + position, skipping=still)
        if stop < 0:
            return
    begin = position
    while position < len(data):
        # The last line end within reach: leaps of a whole line limit, not of a line.
        reach = position + max_line_bytes + len(end)
        stop = rfind_unit(data, end, position, reach)
        if stop >= 0:
            position = stop + len(end)
            continue
        if len(data) - position <= max_line_bytes:
            break
        if begin < position:
            yield _plain(data, begin, position, start, encoding)
        stop = find_unit(data, end, position + max_line_bytes, len(data))
        after = len(data) if stop < 0 else stop + len(end)
        yield Chunk(
            start=start + position,
            data=data[position : position + max_line_bytes],
            end=start + after,
            encoding=encoding,
            flags=("truncated",),
            skipping=stop < 0 and not final,
        )
        begin = position = after
    if begin < position:
        yield _plain(data, begin, position, start, encoding)
    if final and position < len(data):
        yield Chunk(
            start=start + position,
            data=data[position:],
            end=start + len(data),
            encoding=encoding,
            flags=("partial",),
        )


def before_nul_run(data: bytes, encoding: Encoding) -> int | None:
    """Return where the line with the first run of NUL bytes begins, if there is one."""
    if encoding is not Encoding.ANSI:
        return None
    found = data.find(NUL_RUN)
    return None if found < 0 else data.rfind(b"\n", 0, found) + 1


def _apart(chunk: Chunk) -> Iterator[Chunk]:
    """Give each line with a run of NUL bytes a chunk of its own."""
    data = chunk.data
    while (begin := before_nul_run(data, chunk.encoding)) is not None:
        stop = data.find(b"\n", begin) + 1 or len(data)
        if begin:
            yield replace(chunk, data=data[:begin], end=chunk.start + begin)
        rest = data[stop:]
        end = chunk.start + stop if rest else chunk.end
        flags = ("nul", *chunk.flags)
        line = data[begin:stop]
        yield replace(chunk, start=chunk.start + begin, data=line, end=end, flags=flags)
        if not rest:
            return
        chunk, data = replace(chunk, start=chunk.start + stop, data=rest), rest
    yield chunk


def _plain(
    data: bytes, begin: int, position: int, start: int, encoding: Encoding
) -> Chunk:
    whole = begin == 0 and position == len(data)
    return Chunk(
        start=start + begin,
        data=data if whole else data[begin:position],
        end=start + position,
        encoding=encoding,
    )
