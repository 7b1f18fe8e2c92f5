# SPDX-License-Identifier: Apache-2.0
"""What a file holds by itself: its generation, and where its last line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.audit.extent import Bounded, Extent, measure, opened
from shipper.errors import InputProblem
from shipper.records import Encoding
from shipper.tail import LocalOpener
from tests.enrich.story import SOURCE, line

LINE = line("Working set trimmed to 812 KB~", 0)


def extent(path: Path, data: bytes) -> Extent:
    """Return what a file with these bytes holds."""
    path.write_bytes(data)
    with opened(LocalOpener(), str(path)) as file:
        return measure(file, SOURCE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "Clisvc.log"


@pytest.mark.parametrize(
    ("rest", "complete"),
    [(b"", 0), (b"half", 0), (b"\n", 1), (b"x" * 200_000, 0), (b"y\nx", 2)],
    ids=["whole", "half", "blank", "very long", "one more"],
)
def test_last_line(path: Path, rest: bytes, complete: int) -> None:
    """The end of the last complete line is found, however long the rest is."""
    found = extent(path, LINE + rest)

    assert found.end == len(LINE) + complete
    assert found.size == len(LINE) + len(rest)


@pytest.mark.parametrize(
    ("rest", "taken"),
    [
        (b"<![LOG[a\nb\n", 0),
        (b"<![LOG[a\nb]LOG]!><time=\n", 24),
        (b"<![LOG[a\n<![LOG[b\n", 9),
        (b"<![LOG[a\n" + b"b\n" * 40_000, 80_009),
    ],
    ids=["open", "closed", "another", "over the limit"],
)
def test_record_that_may_go_on(path: Path, rest: bytes, taken: int) -> None:
    """Lines of a record whose end is not there yet are not taken."""
    assert extent(path, LINE + rest).end == len(LINE) + taken


def test_wide_characters(path: Path) -> None:
    """In UTF-16 only a whole code unit ends a line: U+0A00 and U+000A differ."""
    text = "\ufeff" + LINE.decode() + "\u0a00\u010a"
    found = extent(path, text.encode("utf-16-le"))

    assert found.encoding is Encoding.UTF_16_LE
    assert found.end == 2 * (1 + len(LINE))


def test_identity(path: Path) -> None:
    """A first timed record names the generation for good; less may still change it."""
    timed, plain = extent(path, LINE), extent(path, b"Working\r\n")

    assert timed.settled
    assert not plain.settled
    assert timed.gen_id != plain.gen_id
    # 2003-02-12 06:00:00, as the log's own clock says.
    assert timed.first_time == 1_045_029_600_000
    assert plain.first_time is None


def test_empty(path: Path) -> None:
    """An empty file holds nothing."""
    found = extent(path, b"")

    assert (found.gen_id, found.settled, found.size, found.end) == ("", False, 0, 0)


def test_growing_file(path: Path) -> None:
    """A stream ends where it was told to, whatever has been written since."""
    path.write_bytes(b"12345")
    with opened(LocalOpener(), str(path)) as file:
        stream = Bounded(file, 3)
        parts = [stream.read(2), stream.read(2), stream.read(2)]

    assert (parts, stream.position) == ([b"12", b"3", b""], 3)


def test_no_file(path: Path) -> None:
    """A file that is not there is named."""
    with (
        pytest.raises(InputProblem, match="cannot be read: missing"),
        opened(LocalOpener(), str(path)),
    ):
        pass
