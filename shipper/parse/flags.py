# SPDX-License-Identifier: Apache-2.0
"""What is odd about the bytes of records.

Runs of NUL bytes are looked for in each record itself: in which chunk a line came does
not matter to it.
"""

from __future__ import annotations

from msgspec.structs import replace

from shipper.records import Chunk, Encoding, Record

_NUL_RUN = b"\0" * 16  # what the tailer flags lines for


def flagged(records: list[Record], chunk: Chunk, last: int) -> list[Record]:
    """Mark records whose bytes are odd.

    Args:
        records: those of a chunk.
        chunk: its flags are its last line's.
        last: where that line's records begin, in bytes; -1 if they are not among them.
    """
    nul = chunk.encoding is Encoding.ANSI and _NUL_RUN in chunk.data
    if not nul and not chunk.flags:
        return records
    marked = []
    for record in records:
        flags = list(record.flags)
        if nul and _NUL_RUN in record.raw:
            flags.append("nul")
        if record.start == last:
            flags += chunk.flags
        more = tuple(dict.fromkeys(flags))
        marked.append(replace(record, flags=more) if more != record.flags else record)
    return marked
