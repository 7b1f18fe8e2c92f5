# SPDX-License-Identifier: Apache-2.0
"""Records as Microsoft's articles print them, where a collection of them is at hand.

The articles' text is not ours to publish, so it is no part of the project; the golden
pairs have lines of the same shape.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.parse import Parser, Zones
from shipper.records import Chunk, Record

COLLECTION = Path(__file__).parents[3] / "shared"

#: Number, thread, time in UTC for a client in Chicago, quality.
EXPECTED = [
    (1, 52, "1999-11-15T22:54:10.112", "exact"),
    (2, 52, "1999-11-15T22:54:10.190", "exact"),
    (3, 52, "1999-11-15T22:54:10.190", "exact"),
    (4, 52, "1999-11-15T22:54:10.253", "exact"),
    (5, 1600, "2001-07-26T21:22:53.512", "exact"),
    (6, 52, "1999-11-15T22:54:10.253", "exact"),
    (7, 161, "1999-10-22T05:43:51.125", "exact"),
    (8, 161, "1999-10-22T05:43:51.140", "exact"),
    (9, 208, "2000-07-28T01:40:04.529", "exact"),
    (10, None, None, "plain"),
    (11, None, None, "plain"),
    (12, None, None, "plain"),
    (14, None, None, "plain"),
    (15, None, None, "plain"),
    (16, None, None, "plain"),
    (17, None, None, "repaired"),
    (18, 4_294_798_339, "1999-06-22T06:26:12.270", "exact"),
    (19, 1512, "2000-05-16T18:17:10.804", "exact"),
    (20, 561, "1999-04-22T14:36:15.716", "repaired"),
    (21, 108, "1999-03-18T21:06:47.218", "repaired"),
    (22, 322, "1999-12-10T09:12:40.320", "exact"),
    (23, 0x112, "1998-11-10T23:56:25.000", "exact"),
    (24, 40_800, "2018-07-30T07:00:00.620", "exact"),
    (25, 4844, "2022-11-30T00:03:34.179", "exact"),
]


def collected(name: str) -> str:
    """Read a file of the collection, or skip the test."""
    path = COLLECTION / name
    if not path.is_file():
        pytest.skip(
            f"the collection of article texts is not beside this folder: {name}"
        )
    return path.read_text("utf-8")


def parse(line: str) -> list[Record]:
    """Parse one line of a client in Chicago."""
    data = line.encode()
    chunk = Chunk(start=0, data=data, end=len(data))
    parser = Parser(Zones(default_zone="America/Chicago"))
    return parser.parse(chunk, None, 0).records


@pytest.mark.parametrize(("number", "thread", "time", "quality"), EXPECTED)
def test_sample(
    number: int, thread: int | None, time: str | None, quality: str
) -> None:
    """A printed record has the thread, the time and the quality worked out by hand."""
    lines = collected("samples.txt").splitlines()
    head = next(
        index for index, line in enumerate(lines) if line[:4] == f"[{number:02}]"
    )

    (record,) = parse(lines[head + 1])

    assert (record.thread, record.quality) == (thread, quality)
    told = f"{record.moment.text}.{record.millis:03}"
    assert (told if record.moment.source != "read" else None) == time


def test_article_prints_three_records_as_one() -> None:
    """The line of KB828371 is three records, and no other line of it is glued."""
    records = [
        record
        for line in collected("data/kb828371.txt").splitlines()
        for record in parse(line)
        if record.sub
    ]

    assert [
        (record.sub, record.message[:3], record.message[-6:]) for record in records
    ] == [
        (1, '"C:', ": 1314"),
        (2, "***", "0x3EB)"),
        (3, "!!!", "erify."),
    ]
