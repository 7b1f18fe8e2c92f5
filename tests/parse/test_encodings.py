# SPDX-License-Identifier: Apache-2.0
"""Encodings and hostile bytes: decided line by line, never by how the bytes came."""

from __future__ import annotations

import codecs
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.app import documents
from shipper.parse import Parser, Zones
from shipper.records import Encoding, Record
from tests.enrich.story import SOURCE, assembly
from tests.parse.pieces import read as pieces_of
from tests.strategies import chunkings

TRAILER = "  $$<CLISVCL.EXE><Wed Feb 12 10:10:04.253 2003><thread=52 (0x34)>"
LIMIT = 4096
READ_MS = 1_100_000_000_000


def read(
    data: bytes,
    pieces: list[bytes] | None = None,
    encoding: Encoding = Encoding.ANSI,
    code_page: str = "cp1252",
) -> list[Record]:
    """Frame and parse a log that comes in pieces."""
    return pieces_of(
        Parser(Zones(default_zone="America/Chicago"), code_page),
        pieces or [data],
        max_line_bytes=LIMIT,
        read_ms=READ_MS,
        encoding=encoding,
    )


def texts(records: list[Record]) -> list[str]:
    """Return what the lines say."""
    return [record.original for record in records]


# --- code pages -----------------------------------------------------------------


def test_cp1252_is_total_and_reversible() -> None:
    """Each of the 256 bytes is a character of its own, the five undefined ones too."""
    # After a byte that is valid UTF-8 nowhere, so that the code page decides.
    shown = {}
    for number in range(256):
        if number not in b"\n\r":
            (text,) = texts(read(b"\xff" + bytes([number]) + b"x\n"))
            assert (text[0], text[2:]) == ("\xff", "x")
            shown[number] = text[1]
    expected = {
        number: bytes([number]).decode("cp1252")
        for number in shown
        if number not in b"\x81\x8d\x8f\x90\x9d"
    }

    assert len(set(shown.values())) == 254
    assert {n: shown[n] for n in expected} == expected
    # As Windows has them (best fit 1252): the C1 controls of the same number.
    assert {n: shown[n] for n in b"\x81\x8d\x8f\x90\x9d"} == {
        0x81: "\x81",
        0x8D: "\x8d",
        0x8F: "\x8f",
        0x90: "\x90",
        0x9D: "\x9d",
    }


@pytest.mark.parametrize(
    ("code_page", "text"),
    [
        ("cp1252", "Größe geändert €"),
        ("cp1251", "Ошибка службы"),
        ("cp932", "エラー"),
        ("cp850", "Größe"),
        ("cp1253", "Σφάλμα"),
    ],
)
def test_a_line_is_read_in_the_configured_code_page(code_page: str, text: str) -> None:
    """What the client's Windows wrote is text again, time and thread included."""
    line = (text + TRAILER).encode(code_page) + b"\r\n"

    (record,) = read(line, code_page=code_page)
    assert (record.message, record.thread, record.quality) == (text, 52, "exact")
    assert record.raw == line[:-2]


def test_each_line_is_decided_by_itself() -> None:
    """A line in UTF-8 beside one in the code page: neither changes the other."""
    rows = ["Größe €".encode(), "Größe €".encode("cp1252"), b"plain", b"\xc3\x28"]
    log = b"".join(row + b"\r\n" for row in rows)

    assert texts(read(log)) == ["Größe €", "Größe €", "plain", "\xc3("]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["ä€".encode(), "ä€".encode("cp1252"), b"\x81\x8d", b"\xe2\x82", b"a"]
            ),
            st.binary(min_size=1, max_size=6),
        )
        .map(lambda row: row.replace(b"\n", b"."))
        .filter(lambda row: bool(row.strip(b" \t\r\v\f"))),
        max_size=12,
    ),
    st.data(),
)
def test_chunking_does_not_decide_the_encoding(
    rows: list[bytes], data: st.DataObject
) -> None:
    """A read that ends amid a character or a line gives the same text as any other."""
    log = b"".join(row + b"\n" for row in rows)
    pieces = data.draw(chunkings(log))
    whole, pieced = read(log), read(log, pieces)

    assert texts(pieced) == texts(whole)
    assert [(r.start, r.end, r.raw) for r in pieced] == [
        (r.start, r.end, r.raw) for r in whole
    ]


# --- byte order marks -----------------------------------------------------------


def test_the_mark_of_utf_8_is_no_text() -> None:
    """It stays in the bytes, leaves the text, and is a mark at the beginning only."""
    mark = codecs.BOM_UTF8
    first, second = read(mark + b"a\n" + mark + b"b\n")

    assert (first.raw, first.original, first.start) == (mark + b"a", "a", 0)
    assert second.original == "\ufeffb"


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("utf-16-le", Encoding.UTF_16_LE), ("utf-16-be", Encoding.UTF_16_BE)],
)
@given(
    rows=st.lists(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"),
            min_size=1,
        ).filter(lambda row: bool(row.strip(" \t\v\f"))),
        max_size=8,
    ),
    data=st.data(),
)
def test_utf_16_is_what_was_written(
    codec: str, encoding: Encoding, rows: list[str], data: st.DataObject
) -> None:
    """However it is cut, also amid a code unit or a pair of them; offsets are bytes."""
    log = ("\ufeff" + "".join(row + "\r\n" for row in rows)).encode(codec)
    records = read(log, data.draw(chunkings(log)), encoding)
    lines = {record.start: record.original for record in records}
    expected, at = {}, 0
    for number, row in enumerate(rows):
        length = len((row + "\r\n").encode(codec)) + (2 if number == 0 else 0)
        expected[at] = row
        at += length

    assert lines == expected


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [("utf-16-le", Encoding.UTF_16_LE), ("utf-16-be", Encoding.UTF_16_BE)],
)
def test_the_rest_of_a_long_line_is_skipped_in_whole_characters(
    codec: str, encoding: Encoding
) -> None:
    """Halves of two neighbours that look like a line feed do not end the skipping."""
    long = "\ufeff" + "x" * 3000 + "\u0a41\u0100\u0a41\n"
    first, second = read((long + "b\n").encode(codec), encoding=encoding)

    assert (first.flags, second.original) == (("truncated",), "b")
    assert second.start == len(long.encode(codec))


def test_half_a_pair_of_utf_16_is_text_that_can_be_sent() -> None:
    """A lone surrogate becomes the replacement character: JSON has no word for it."""
    log = b"\xff\xfe" + b"a\x00\x00\xd8b\x00\n\x00"

    (record,) = read(log, encoding=Encoding.UTF_16_LE)
    assert record.original == "a\ufffdb"


# --- hostile lines --------------------------------------------------------------


def made(log: bytes) -> list[dict[str, object]]:
    """Return the record documents of a log."""
    events = list(documents(io.BytesIO(log), SOURCE, assembly(), max_line_bytes=LIMIT))
    assert [event.id for event in events if b"\n" in event.document] == []
    return [json.loads(event.document) for event in events]


@pytest.mark.parametrize(
    "line",
    [
        '"}}\\n{"create":{"_index":"other","_id":"x"}}',
        '{"@timestamp":"1999-01-01T00:00:00Z","event":{"kind":"alert"}}',
        '","event":{"kind":"alert"},"x":"',
        "\x1b[2J\x1b]0;owned\x07\x9b31m",
        "\x00\x01\x02\x08\x1a\x7f\x85\u2028\u2029",
        "\u202egnp.exe",
        "%s %n ${jndi:ldap://x} {{7*7}} $(reboot) `reboot` ';--",
        "a" * 3000,
    ],
    ids=range(8),
)
def test_a_line_is_a_value_whatever_it_says(line: str) -> None:
    """It stands in its document as it is, and changes nothing else in it."""
    log = (line + TRAILER + "\r\n").encode() + ("calm" + TRAILER + "\r\n").encode()
    hostile, calm = made(log)
    _, other = made(("x" * 10 + TRAILER + "\r\n").encode() * 2)

    assert hostile["event"]["original"] == line + TRAILER  # type: ignore[index]
    assert hostile["@timestamp"] == calm["@timestamp"] == other["@timestamp"]
    assert hostile.keys() == calm.keys()


@pytest.mark.parametrize(
    "line",
    [
        "$$<CLISVCL.EXE><Wed Feb 12 10:10:04.253 2003><thread=52 (0x34)> x",
        "x  $$<CLISVCL.EXE><Wed Feb 30 10:10:04.253 2003><thread=52 (0x34)>",
        "x  $$<><><>",
        "x  $$<A><Wed Feb 12 10:10:04.253 2003><thread=99999999999999 (0x1)>",
        "$$<$$<$$<A><B><thread=1 (0x1)>",
    ],
)
def test_an_imitated_trailer_is_one_record(line: str) -> None:
    """What is not quite a trailer costs a time at most, never a line."""
    first, second = made((line + "\r\n" + "calm" + TRAILER + "\r\n").encode())

    assert first["event"]["original"] == line  # type: ignore[index]
    assert second["message"] == "calm"
