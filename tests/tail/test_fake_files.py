# SPDX-License-Identifier: Apache-2.0
"""The file system in memory behaves as a real one does, and so does the clock."""

from __future__ import annotations

import pytest

from shipper.tail.opener import LookError, Trouble
from tests.fakes.clock import ManualClock
from tests.fakes.files import MemoryFiles


@pytest.fixture
def files() -> MemoryFiles:
    """Return a file system with one log."""
    files = MemoryFiles()
    files.write("/logs/a.log", b"abcdef")
    return files


def test_bytes_are_read_by_position(files: MemoryFiles) -> None:
    """Reading beyond the end gives less."""
    with files.open("/logs/a.log") as file:
        assert file.size() == 6
        assert file.pread(2, 3) == b"cde"
        assert file.pread(4, 10) == b"ef"
        assert file.pread(9, 1) == b""


def test_an_open_file_sees_what_is_written_to_it(files: MemoryFiles) -> None:
    """Appending and rewriting in place change the open file."""
    with files.open("/logs/a.log") as file:
        files.append("/logs/a.log", b"g")
        assert file.size() == 7
        files.rewrite("/logs/a.log", b"x")
        assert file.pread(0, 9) == b"x"


def test_an_open_file_stays_the_same_when_its_name_goes(files: MemoryFiles) -> None:
    """After a rename, a replacement and a removal the handle has the old content."""
    with files.open("/logs/a.log") as file:
        files.rename("/logs/a.log", "/logs/b.log")
        files.write("/logs/a.log", b"new")
        files.remove("/logs/b.log")
        assert file.pread(0, 9) == b"abcdef"


def test_a_copy_is_independent(files: MemoryFiles) -> None:
    """Truncating the original leaves it alone."""
    files.copy("/logs/a.log", "/logs/b.log")
    files.rewrite("/logs/a.log", b"")

    assert files.read("/logs/b.log") == b"abcdef"
    assert files.names("/logs", "b") == ["b.log"]
    assert not files.exists("/logs/c.log")


def test_missing_files_and_faults_are_raised(files: MemoryFiles) -> None:
    """A fault comes before the file is looked for."""
    with pytest.raises(LookError) as missing:
        files.open("/logs/b.log")
    files.faults |= {"/logs/a.log": Trouble.LOCKED, "/logs": Trouble.UNREACHABLE}
    with pytest.raises(LookError) as locked:
        files.open("/logs/a.log")
    with pytest.raises(LookError) as unreachable:
        files.names("/logs", "a")

    troubles = [found.value.trouble for found in (missing, locked, unreachable)]
    assert troubles == [Trouble.MISSING, Trouble.LOCKED, Trouble.UNREACHABLE]


def test_a_cache_may_show_something_else(files: MemoryFiles) -> None:
    """As that of a share; what is really there is not touched."""
    files.stale["/logs/a.log"] = b"ab"
    with files.open("/logs/a.log") as file:
        assert (file.size(), file.pread(0, 9)) == (2, b"ab")

    assert files.read("/logs/a.log") == b"abcdef"


def test_handles_and_reads_are_told(files: MemoryFiles) -> None:
    """A test can count handles, and act between two reads."""
    reads: list[str] = []
    files.before_read = reads.append
    with files.open("/logs/a.log") as file:
        file.pread(0, 1)
        assert files.open_now == 1

    assert (files.open_now, files.opened, reads) == (0, 1, ["/logs/a.log"])


def test_a_share_says_so() -> None:
    """All of it is one, or nothing."""
    assert MemoryFiles(share=True).is_share("/logs/a.log")
    assert not MemoryFiles().is_share("/logs/a.log")


def test_the_clock_moves_when_it_is_told() -> None:
    """Both of its faces by the same amount."""
    clock = ManualClock()
    before = clock.monotonic(), clock.wall_ms()
    clock.advance(1.5)

    assert clock.monotonic() - before[0] == 1.5
    assert clock.wall_ms() - before[1] == 1500
