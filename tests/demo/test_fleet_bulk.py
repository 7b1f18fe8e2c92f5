# SPDX-License-Identifier: Apache-2.0
"""One long log for benchmarks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from shipper.demo.fleet import write_big


@pytest.mark.parametrize("records", [0, 1, 19_999, 20_001, 50_000])
def test_exactly_so_many_lines(tmp_path: Path, records: int) -> None:
    """The number of records is the number of lines, and all of them are ended."""
    path = tmp_path / "Clisvc.log"
    write_big(path, records, 3)
    data = path.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == records
    assert data[-1:] == (b"\n" if records else b"")


def test_records_look_natural(tmp_path: Path) -> None:
    """A record has some 170 bytes, and one in fifty belongs to a refusal."""
    path = tmp_path / "Clisvc.log"
    write_big(path, 50_000, 3)
    data = path.read_bytes()
    assert 150 < len(data) / 50_000 < 190
    refusals = data.count(b"***ERROR: Unable to launch")
    assert 0.01 < 3 * refusals / 50_000 < 0.03


def test_times_ascend_without_a_repeat(tmp_path: Path) -> None:
    """Every record is 1 to 400 ms later than the one before, also between blocks."""
    path = tmp_path / "Clisvc.log"
    write_big(path, 45_000, 3)
    times = [
        datetime.strptime(text.decode(), "%b %d %H:%M:%S.%f %Y")  # noqa: DTZ007 - only differences count
        for text in re.findall(
            rb"<\w{3} (\w{3} \d\d [\d:.]{12} \d{4})", path.read_bytes()
        )
    ]
    gaps = {later - earlier for earlier, later in pairwise(times)}
    assert len(times) == 45_000
    assert min(gaps) == timedelta(milliseconds=1)
    assert max(gaps) == timedelta(milliseconds=400)


def test_seed_decides_the_bytes(tmp_path: Path) -> None:
    """The same seed gives the same file, another one another."""
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(paths, (3, 3, 4), strict=True):
        write_big(path, 1_000, seed)
    one, same, other = (path.read_bytes() for path in paths)
    assert one == same
    assert one != other
