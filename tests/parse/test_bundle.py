# SPDX-License-Identifier: Apache-2.0
"""Records of several lines: the same ones however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shipper.parse import Parsed, Parser, Zones
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


def parser(limit: int = LIMIT) -> Parser:
    """Make a parser with a limit."""
    return Parser(Zones(default_zone="America/Chicago"), max_record_bytes=limit)


def parse(text: str, *, start: int = 0, final: bool = False) -> Parsed:
    """Parse one chunk of a log that may go on."""
    data = text.encode()
    chunk = Chunk(start=start, data=data, end=start + len(data))
    return parser().parse(chunk, None, READ_MS, final=final)


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
    ("limit", "most"), [(LIMIT, LIMIT), (65_536, 65_536), (200_000, 65_536)]
)
def test_beginning_ends_a_record_within_the_limit(limit: int, most: int) -> None:
    """A record begun before the log is one as long as any may be, 64 KiB at most."""
    end = f"y{ENDED}"
    whole = "x\n" * ((most - len(end)) // 2 - 1)
    whole += "z" * (most - len(end) - len(whole) - 1) + "\n"

    def counted(text: str) -> int:
        chunk = Chunk(start=0, data=text.encode(), end=len(text))
        return len(parser(limit).parse(chunk, None, READ_MS, final=False).records)

    assert counted(f"{whole}{end}\n") == 1
    assert counted(f"z{whole}{end}\n") == whole.count("\n") + 1


def test_lines_wait_for_the_first_time() -> None:
    """What stands before the first timed record has its time, however it comes."""
    rows = "".join(f"Row {number}\n" for number in range(40))

    assert parse(rows).end == 0
    assert parse(f"{rows}<![LOG[open\n").end == 0
    (*before, timed) = parse(f"{rows}{LEGACY}\n").records
    assert {record.moment.source for record in before} == {"neighbour"}
    assert {record.epoch_ms for record in before} == {timed.epoch_ms}


def test_lines_wait_no_longer_than_64_kib() -> None:
    """A log without times is not kept back for ever."""
    rows = "x" * 1023 + "\n"

    held, taken = parse(rows * 63), parse(rows * 64)

    assert (held.end, held.records) == (0, [])
    assert (taken.end, len(taken.records)) == (65_536, 64)
    assert {record.moment.source for record in taken.records} == {"read"}


def test_cut_line_is_not_waited_behind() -> None:
    """A line that was cut answers for more bytes than there are, so it is taken."""
    data = b"Row\n" + b"x" * LIMIT
    chunk = Chunk(start=0, data=data, end=9000, flags=("truncated",))

    parsed = parser().parse(chunk, None, READ_MS, final=False)

    assert [record.flags for record in parsed.records] == [(), ("truncated",)]
    assert parsed.end == 9000


def test_two_records_on_one_line() -> None:
    """Each has its own message, time, thread and number; both have the whole line."""
    later = ENDED.replace("08:15:30.500", "08:15:31.250").replace("8744", "8745")
    text = f"<![LOG[One{ENDED} [<![LOG[Two{later}\n"

    one, two = parse(text).records

    assert [(one.sub, one.message), (two.sub, two.message)] == [(1, "One"), (2, "Two")]
    assert two.epoch_ms - one.epoch_ms == 750
    assert (one.thread, two.thread) == (8744, 8745)
    assert (one.start, one.raw, one.flags) == (two.start, two.raw, two.flags)
    assert one.flags == ("glued",)
    assert {one.quality, two.quality} == {"exact"}


def test_many_records_on_one_line_are_bounded() -> None:
    """Every one carries the whole line, so what is beyond sixteen is left together."""
    records = parse(f"<![LOG[One{ENDED}" * 20 + "\n").records

    assert [record.sub for record in records] == list(range(1, 17))
    assert records[-1].message.count("One") == 5


def test_quoted_record_is_no_second_one() -> None:
    """Only what begins right behind a whole envelope is another record."""
    inner = f"<![LOG[Inner{ENDED}"

    (record,) = parse(f'<![LOG[Saw "{inner}" today{ENDED}\n').records

    assert record.message == f'Saw "{inner}" today'


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
