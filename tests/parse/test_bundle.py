# SPDX-License-Identifier: Apache-2.0
"""Records of several lines: the same ones however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shipper.parse import Neighbour, Parsed, Parser, Zones
from shipper.records import Chunk, Encoding, Record
from tests.parse.pieces import read
from tests.strategies import chunkings

READ_MS = 1_100_000_000_000
LIMIT = 1024
ENDED = (
    ']LOG]!><time="08:15:30.500-60" date="03-04-2015" component="execmgr"'
    ' context="" type="1" thread="8744" file="execreqmgr.cpp:2083">'
)
LEGACY = "Working~  $$<CCIM32><Mon Nov 15 16:54:10.253 1999><thread=52 (0x34)>"
NEIGHBOUR = Neighbour(epoch_ms=942_706_450_253, timezone="UTC")


def parser(limit: int = LIMIT) -> Parser:
    """Make a parser with a limit."""
    return Parser(Zones(default_zone="America/Chicago"), max_record_bytes=limit)


def parse(text: str, *, start: int = 0, final: bool = False) -> Parsed:
    """Parse one chunk of a log that may go on."""
    data = text.encode()
    chunk = Chunk(start=start, data=data, end=start + len(data))
    return parser().parse(chunk, NEIGHBOUR, READ_MS, final=final)


def messages(records: list[Record]) -> list[str]:
    """Return what the records say."""
    return [record.message for record in records]


def portraits(records: list[Record]) -> list[Record]:
    """Leave out where a cut line ends: its rest may come with it, or afterwards."""
    return [
        replace(record, end=record.start + len(record.raw))
        if "truncated" in record.flags
        else record
        for record in records
    ]


WORDS = st.sampled_from(
    ["", "Done.", "}", "]LOG]", "a $$<b", " ", "é", "\tx = <1>;", "\0" * 16, "w" * 700]
)
ROWS = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"<![LOG[{word}"),
    WORDS.map(lambda word: f"[<![LOG[{word}{ENDED}"),
    WORDS.map(lambda word: f"<![LOG[{word}{ENDED}"),
    WORDS.map(lambda word: f"{word}{ENDED}"),
    st.just(LEGACY),
    st.just(f"<![LOG[{LEGACY}"),
    st.just("<![LOG[" + "v" * 1100),
    st.just("u" * 1100 + ENDED),
)
LOGS = st.tuples(
    st.lists(st.tuples(ROWS, st.sampled_from(["\n", "\r\n"])), max_size=24),
    st.sampled_from(["", "Done.", "<![LOG[Done.", f"Done.{ENDED}", LEGACY]),
).map(lambda log: "".join(row + end for row, end in log[0]) + log[1])


@given(LOGS, st.sampled_from(Encoding), st.data())
def test_chunking_changes_nothing(
    text: str, encoding: Encoding, data: st.DataObject
) -> None:
    """Wherever a log is cut while it is read, its records are the same."""
    log = text.encode("utf-8" if encoding is Encoding.ANSI else encoding.value)

    def records(pieces: list[bytes]) -> list[Record]:
        return read(
            parser(),
            pieces,
            max_line_bytes=LIMIT,
            read_ms=READ_MS,
            encoding=encoding,
            neighbour=NEIGHBOUR,
        )

    whole = records([log])

    assert portraits(records(data.draw(chunkings(log)))) == portraits(whole)
    at = 0
    for record in whole:
        if record.sub < 2:
            assert record.start >= at
            assert log[record.start : record.start + len(record.raw)] == record.raw
            at = record.end
    assert at <= len(log)


def test_open_record_is_left() -> None:
    """What may go on is not taken, and what stands before it is."""
    head = f"{LEGACY}\r\n"

    parsed = parse(f"{head}<![LOG[One\r\ntwo\r\n")

    assert messages(parsed.records) == ["Working"]
    assert parsed.end == len(head)


def test_given_again_with_more_it_is_taken() -> None:
    """The record covers all of its lines."""
    text = f"<![LOG[One\r\ntwo{ENDED}\r\n"

    parsed = parse(text, start=500)

    (record,) = parsed.records
    assert (record.start, record.end, parsed.end) == (500, 500 + len(text), record.end)
    assert record.raw == text.removesuffix("\r\n").encode()
    assert record.original == text.removesuffix("\r\n")
    assert record.message == "One\ntwo"


@pytest.mark.parametrize("start", [0, 500])
def test_no_record_is_over_the_limit(start: int) -> None:
    """Its lines up to the limit are the record; the others are their own."""
    rows = ["<![LOG[" + "a" * 493, "b" * 499, "c" * 22, "d", f"e{ENDED}"]
    # 500 + 1 + 499 + 1 = 1,001 bytes, 1,023 with the third line, 1,025 with the fourth.

    records = parse("\n".join([*rows, ""]), start=start).records

    assert len(records[0].raw) == 1023
    assert records[0].flags == ("truncated",)
    assert messages(records[1:]) == ["d", "e"]
    assert [record.dialect for record in records] == ["ccm", "plain", "ccm"]


def test_limit_is_reached_exactly() -> None:
    """A record of just the limit is whole."""
    head = "<![LOG[" + "a" * (1024 - 7 - 1 - len(ENDED))

    (record,) = parse(f"{head}\n{ENDED}\n").records

    assert len(record.raw) == 1024
    assert (record.quality, record.flags) == ("exact", ())


def test_beginning_may_end_a_record() -> None:
    """The first lines of a log wait until it is clear what they are."""
    assert parse("State = 4;\n").end == 0
    assert messages(parse(f"State = 4;\n}};{ENDED}\n").records) == ["State = 4;\n};"]
    assert messages(parse(f"State = 4;\n{LEGACY}\n").records) == [
        "State = 4;",
        "Working",
    ]
    assert messages(parse("State = 4;\n", final=True).records) == ["State = 4;"]


@pytest.mark.parametrize(
    ("rows", "count"),
    [(["x"] * 15, 1), (["x"] * 16, 17), (["x" * 500] * 7, 1), (["x" * 500] * 8, 9)],
)
def test_beginning_is_as_long_as_its_name_needs(rows: list[str], count: int) -> None:
    """Sixteen lines or 4 KiB name a generation, so no longer is waited for.

    With the end marker's line of 126 bytes eight lines of 501 make 4,134 bytes.
    """
    ended = "\n".join([*rows, f"y{ENDED}", ""])

    assert len(parse(ended).records) == count


def test_line_of_nul_bytes_is_flagged() -> None:
    """Also inside of a record."""
    (record,) = parse("<![LOG[a\n" + "\0" * 16 + f"\nb{ENDED}\n").records

    assert record.flags == ("nul",)


@pytest.mark.parametrize("row", ["<![LOG[x", f"x{ENDED}", "]LOG]!><time=" * 9])
def test_time_is_linear(row: str) -> None:
    """Thousands of markers are dealt with one by one, also without line ends."""
    many = parse("\n".join([row] * 5_000) + "\n", final=True).records
    (one,) = parse(row * 5_000 + "\n", final=True).records

    assert len(many) == 5_000
    assert one.dialect == "ccm"
