# SPDX-License-Identifier: Apache-2.0
"""Bytes to text."""

from __future__ import annotations

import pytest

from shipper.parse import UnknownCodePageError
from shipper.parse.text import Decoder, clean
from shipper.records import Chunk


def lines(data: bytes, code_page: str = "cp1252") -> list[tuple[int, int, bytes, str]]:
    """Split and decode bytes from the middle of a generation."""
    chunk = Chunk(start=100, data=data, end=100 + len(data))
    return Decoder(code_page).lines(chunk)


def test_line_ends_belong_to_the_extent() -> None:
    """Offsets cover the line end, the bytes and the text do not hold it."""
    assert lines(b"a\r\nbc\n\r\nd") == [
        (100, 103, b"a", "a"),
        (103, 106, b"bc", "bc"),
        (106, 108, b"", ""),
        (108, 109, b"d", "d"),
    ]


@pytest.mark.parametrize("ending", [b"", b"\n", b"x\n"])
def test_carriage_return_is_taken_once(ending: bytes) -> None:
    """One belongs to the line end, a second is text, whatever the other lines do."""
    assert lines(b"a\r\r\n" + ending)[0] == (100, 104, b"a\r", "a\r")


def test_every_byte_has_a_character_in_cp1252() -> None:
    """The five bytes without one are C1 controls, as on Windows."""
    data = bytes(byte for byte in range(256) if byte != 0x0A)

    text = lines(data)[0][3]

    assert len(text) == 255
    assert [text[data.index(byte)] for byte in b"\x80\x81\x8d\x8f\x90\x9d\xe4"] == [
        "€",
        "\x81",
        "\x8d",
        "\x8f",
        "\x90",
        "\x9d",
        "ä",
    ]


def test_each_line_has_its_own_encoding() -> None:
    """A line in the code page does not spoil its neighbour in UTF-8."""
    rows = lines("ä\n".encode("cp1252") + "ä\n".encode())

    assert [text for _, _, _, text in rows] == ["ä", "ä"]


def test_other_code_pages_never_fail() -> None:
    """What a code page does not know becomes the replacement character."""
    assert lines(b"\xff", "cp1253")[0][3] == "\ufffd"


@pytest.mark.parametrize("name", ["", "klingon", "rot13", "utf-7", "utf-16", "idna"])
def test_unknown_code_page(name: str) -> None:
    """A code page that is none, or does not contain ASCII, is refused by name."""
    with pytest.raises(UnknownCodePageError, match=f'"{name}"'):
        Decoder(name)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a~ ", "a"),
        (" ~ a ~~ ", "a"),
        ("a ~~~ b", "a b"),
        ("a~b", "a~b"),
        ("~~~", ""),
        ("\xa0a\xa0", "\xa0a\xa0"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    """Tildes at the ends go, a run inside is one blank, a single one stays."""
    assert clean(text) == cleaned
