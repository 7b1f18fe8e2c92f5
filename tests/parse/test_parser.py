# SPDX-License-Identifier: Apache-2.0
"""Chunks to records: neighbours, flags, extents."""

from __future__ import annotations

import pytest

from shipper.parse import (
    Neighbour,
    Parsed,
    Parser,
    UnknownCodePageError,
    Zones,
)
from shipper.parse.zones import BiasSign
from shipper.records import Chunk

ZONES = Zones(default_zone="America/Chicago")
READ_MS = 1_100_000_000_000  # 2004-11-09T11:33:20Z
TIMED = b"Working~  $$<CCIM32><Mon Nov 15 16:54:10.253 1999><thread=52 (0x34)>\r\n"
TIMED_MS = 942_706_450_253  # 1999-11-15T22:54:10.253Z: day 10,910, second 82,450
PLAIN = b"Working\r\n"
GLUED = b"Verifying!!!WARNING: Problem starting App (5). Doing App Verify."


def chunk_of(data: bytes, start: int = 0, flags: tuple[str, ...] = ()) -> Chunk:
    """Make a chunk that ends with its data."""
    return Chunk(start=start, data=data, end=start + len(data), flags=flags)


def parse(data: bytes, neighbour: Neighbour | None = None) -> Parsed:
    """Parse the beginning of a generation, or a later part of one."""
    start = 0 if neighbour is None else 1_000_000
    return Parser(ZONES).parse(chunk_of(data, start), neighbour, READ_MS)


def test_timed_record_is_the_next_ones_neighbour() -> None:
    """The time of the last timed record is passed along, with its zone."""
    parsed = parse(TIMED + PLAIN)

    assert parsed.neighbour == Neighbour(epoch_ms=TIMED_MS, timezone="America/Chicago")
    assert parsed.end == len(TIMED + PLAIN)


def test_line_without_a_time_takes_its_neighbours() -> None:
    """It may stand in a chunk before."""
    neighbour = Neighbour(epoch_ms=TIMED_MS, timezone="America/Chicago")

    parsed = parse(PLAIN, neighbour)

    (record,) = parsed.records
    assert (record.epoch_ms, record.moment.source) == (TIMED_MS, "neighbour")
    assert record.moment.timezone == "America/Chicago"
    assert parsed.neighbour == neighbour


def test_leading_lines_wait_64_kib_for_a_time() -> None:
    """A timed record beyond that is too far: then it is the time of reading."""
    leading = PLAIN * (65_536 // len(PLAIN))

    near = parse(leading + TIMED).records[0]
    far = parse(leading + PLAIN + TIMED).records[0]

    assert (near.epoch_ms, near.moment.source) == (TIMED_MS, "neighbour")
    assert (far.epoch_ms, far.moment.source) == (READ_MS, "read")


def test_time_of_reading_is_nobodys_neighbour() -> None:
    """A borrowed time is not lent on to the next chunk."""
    assert parse(PLAIN).neighbour is None


def test_flags_belong_to_the_last_line() -> None:
    """All pieces of it carry them, other lines do not."""
    data = TIMED + GLUED

    records = Parser(ZONES).parse(chunk_of(data, flags=("partial",)), None, 0).records

    assert [record.flags for record in records] == [
        (),
        ("glued", "partial"),
        ("glued", "partial"),
    ]


def test_last_line_answers_for_the_skipped_rest() -> None:
    """The extent of an overlong line goes to the end of its chunk."""
    chunk = Chunk(start=0, data=b"Work", end=90, flags=("truncated",))

    parsed = Parser(ZONES).parse(chunk, None, 0)

    assert [(record.start, record.end) for record in parsed.records] == [(0, 90)]
    assert parsed.end == 90


def test_pieces_share_their_line() -> None:
    """Glued records have one place and one original, and count up."""
    records = parse(GLUED + b"\r\n").records

    assert [
        (record.start, record.end, record.raw, record.sub) for record in records
    ] == [
        (0, len(GLUED) + 2, GLUED, 1),
        (0, len(GLUED) + 2, GLUED, 2),
    ]


def test_unknown_code_page_is_refused_at_once() -> None:
    """A parser with a wrong setting is never made."""
    with pytest.raises(UnknownCodePageError):
        Parser(ZONES, "klingon")


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "unit",
    [b"~", b"$$<", b" ", b"7", b"~~ ", b"#$", b"*** ", b" - Error launching (#0x"],
)
def test_monotonous_line_is_quick(unit: bytes) -> None:
    """A line of 64 KiB of one thing takes linear time, also in front of a trailer."""
    line = unit * (65_536 // len(unit))

    assert len(parse(line + b"\n" + line + TIMED).records) >= 1


@pytest.mark.parametrize(
    "time",
    [
        b"Mon Nov 15 16:54:10.253 1999",
        b"Mon Nov 15 16:54:59.999 1999 Central Daylight Time",
        b"07-30-2018 00:00:00.620+420",
    ],
)
def test_fast_path_takes_regular_lines(time: bytes) -> None:
    """The common forms do not need the careful path, errors among them."""
    parser = Parser(ZONES)
    for message in (b"Working~", b"*** Hinv - Error launching (#0x5)", b"C$ $5"):
        line = message + b"  $$<CCIM32><" + time + b"><thread=52 (0x34)>"
        (row,) = parser._decoder.lines(chunk_of(line))

        assert parser._regular(row) is not None


@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_blank_before_the_time_is_damage(blank: bytes) -> None:
    """Whichever path reads it: the time of a regular line begins at its bracket."""
    line = b"x $$<CCIM32><" + blank + b"7-01-2020 20:56:35.487+0><thread=52 (0x34)>\r\n"

    (record,) = parse(line).records

    assert (record.epoch_ms, record.quality) == (1_593_636_995_487, "repaired")


def test_caches_are_bounded() -> None:
    """A log of very many seconds and messages does not fill the memory."""
    parser = Parser(ZONES)
    line = "Job %d  $$<CCIM32><07-30-2018 %02d:%02d:59.620+0><thread=%d (0x%X)>\n"
    data = "".join(
        line % (number, number // 60 % 24, number % 60, number, number)
        for number in range(4500)
    ).encode()

    records = parser.parse(chunk_of(data), None, READ_MS).records

    assert [record.thread for record in records] == list(range(4500))
    caches = (
        parser._seconds,
        parser._moments._minutes,
        parser._threads,
        parser._messages,
    )
    assert max(len(cache) for cache in caches) <= 4096


@pytest.mark.parametrize("sign", ["ccm", "inverted", "ignore"])
def test_bias_of_a_legacy_record_is_what_it_is(sign: BiasSign) -> None:
    """The setting is for the newer client's records, even with the same time."""
    parser = Parser(Zones(default_zone="Europe/Berlin", bias_sign=sign))
    envelope = (
        b'<![LOG[x]LOG]!><time="00:00:00.620+420" date="07-30-2018" component="c"'
        b' context="" type="1" thread="1" file="a:1">\n'
    )
    legacy = b"x  $$<C><07-30-2018 00:00:00.620+420><thread=52 (0x34)>\n"
    expected = {"ccm": 7, "inverted": -7, "ignore": -2}[sign]

    for log in (envelope + legacy, legacy + envelope, b"plain\n" + legacy):
        for record in parser.parse(chunk_of(log), None, READ_MS).records:
            hours = expected if record.dialect == "ccm" else 7
            assert record.epoch_ms == 1_532_908_800_620 + hours * 3_600_000
