# SPDX-License-Identifier: Apache-2.0
"""Which generation a file holds is a pure function of host, log and content."""

from __future__ import annotations

import base64
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.parse import first_time
from shipper.records import Encoding
from shipper.tail import identify
from shipper.tail.identity import Head, Identity, encoding_of
from tests.strategies import clisvc_lines
from tests.tail.following import line, lines

#: 2003-02-12 10:10:00.253 on the writer's own clock.
TIME_0 = 1_045_044_600_253


def identity(
    content: bytes, *, host: str = "pc0417", at_end: bool = False
) -> Identity | None:
    """Identify the beginning of a file with ``content``."""
    return identify(
        content[:4096], host=host, log="clisvc", first_time=first_time, at_end=at_end
    )


def expected_id(covered: bytes, *, host: str = "pc0417") -> str:
    """Work an identity out by its definition."""
    raw = blake2b(f"{host}\0clisvc\0".encode() + covered, digest_size=12).digest()
    return base64.b32hexencode(raw).decode().rstrip("=").lower()


def test_the_first_timed_record_names_the_generation() -> None:
    """All bytes up to and including it count, and none behind it."""
    found = identity(b"Starting\r\n" + lines(0, 1, 2))

    assert found == Identity(
        gen_id=expected_id(b"Starting\r\n" + line(0)),
        length=len(b"Starting\r\n" + line(0)),
        first_time=TIME_0,
        encoding=Encoding.ANSI,
    )


def test_the_name_is_twenty_characters() -> None:
    """Ninety-six bits in base32hex, lower case."""
    found = identity(lines(0))

    assert found is not None
    assert len(found.gen_id) == 20
    assert set(found.gen_id) <= set("0123456789abcdefghijklmnopqrstuv")


@given(clisvc_lines(), st.binary(max_size=5000))
def test_growth_does_not_rename(first: bytes, rest: bytes) -> None:
    """From its first record on a generation keeps its name."""
    begun = identity(first + b"\r\n")

    assert begun is None or identity(first + b"\r\n" + rest) == begun


@given(st.lists(clisvc_lines(), max_size=3), st.integers(0, 400))
def test_a_beginning_is_not_named_otherwise(drawn: list[bytes], cut: int) -> None:
    """Cut anywhere, a file has no name yet or the one it will keep."""
    content = b"".join(text + b"\r\n" for text in drawn)

    assert identity(content[:cut]) in {None, identity(content)}


def test_hosts_with_the_same_log_have_different_generations() -> None:
    """Cloned machines begin alike."""
    one, other = identity(lines(0)), identity(lines(0), host="pc0418")

    assert one is not None
    assert other is not None
    assert one.gen_id != other.gen_id


@pytest.mark.parametrize(
    "content", [b"", b"Starting", b"Starting\r\n" * 15, line(0)[:-1]]
)
def test_too_little_to_tell(content: bytes) -> None:
    """No timed record, fewer than 16 lines and less than 4 KiB: not yet."""
    assert identity(content) is None


def test_sixteen_lines_without_a_time_are_enough() -> None:
    """Such a log is named by them, and what follows does not matter."""
    header = b"Starting\r\n" * 16
    found = identity(header + lines(0))

    assert found == Identity(
        gen_id=expected_id(header),
        length=160,
        first_time=None,
        encoding=Encoding.ANSI,
    )


def test_the_sixteenth_line_may_carry_the_time() -> None:
    """The limit is inclusive."""
    found = identity(b"Starting\r\n" * 15 + line(0))

    assert found is not None
    assert found.first_time == TIME_0


def test_four_kib_without_a_time_are_enough() -> None:
    """A log of one endless line is named by its first 4,096 bytes."""
    found = identity(b"x" * 9000)

    assert found == Identity(
        gen_id=expected_id(b"x" * 4096),
        length=4096,
        first_time=None,
        encoding=Encoding.ANSI,
    )


def test_at_its_end_a_short_file_counts_as_it_stands() -> None:
    """A shipped or a rotated file is named by all it holds, if that is anything."""
    found = identity(b"Starting\r\n" + line(0)[:-2], at_end=True)

    assert found == Identity(
        gen_id=expected_id(b"Starting\r\n" + line(0)[:-2]),
        length=len(b"Starting\r\n" + line(0)[:-2]),
        first_time=TIME_0,
        encoding=Encoding.ANSI,
    )
    assert identity(b"", at_end=True) is None


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"\xff\xfe", Encoding.UTF_16_LE), (b"\xfe\xff", Encoding.UTF_16_BE)],
)
def test_utf_16_is_read_by_its_mark(mark: bytes, encoding: Encoding) -> None:
    """Time stamps are found in it, and the bytes are counted as they are."""
    content = mark + lines(0, 1).decode().encode(encoding.value)
    covered = content[: 2 + 2 * len(line(0))]

    assert identity(content) == Identity(
        gen_id=expected_id(covered),
        length=len(covered),
        first_time=TIME_0,
        encoding=encoding,
    )
    assert encoding_of(lines(0)) is Encoding.ANSI


def test_a_head_fits_what_it_was_made_of_and_what_that_grew_into() -> None:
    """A shorter file and one that begins otherwise do not fit."""
    head = Head.of(b"abc")

    assert head.matches(b"abcdef")
    assert not head.matches(b"ab")
    assert not head.matches(b"abX")
    assert Head.of(b"x" * 5000).length == 1024
