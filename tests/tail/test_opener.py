# SPDX-License-Identifier: Apache-2.0
"""Opening files, and what errors say about them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from shipper.tail import LocalOpener, opener
from shipper.tail.opener import LookError, Trouble, is_unc, trouble_of


def trouble_at(path: Path) -> Trouble:
    """Return the trouble that opening ``path`` gives."""
    with pytest.raises(LookError) as found:
        LocalOpener().open(str(path))
    return found.value.trouble


def test_a_file_is_read_by_position(tmp_path: Path) -> None:
    """Control characters that end a file in text mode are bytes like others."""
    path = tmp_path / "a.log"
    path.write_bytes(b"ab\x1a\r\ncd")
    with LocalOpener().open(str(path)) as file:
        assert file.size() == 7
        assert file.pread(1, 4) == b"b\x1a\r\n"
        assert file.pread(5, 9) == b"cd"
        assert file.pread(9, 9) == b""


def test_a_log_can_be_renamed_while_it_is_read(tmp_path: Path) -> None:
    """The handle stays with the file, and its writer is not in the way."""
    path = tmp_path / "a.log"
    path.write_bytes(b"old")
    with LocalOpener().open(str(path)) as file:
        path.rename(tmp_path / "a.lo_")
        path.write_bytes(b"new!")
        assert file.pread(0, 9) == b"old"


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """Neither after reading nor after a refusal."""
    (tmp_path / "a.log").write_bytes(b"abc")
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - numbers, not paths
    with LocalOpener().open(str(tmp_path / "a.log")) as file:
        file.pread(0, 3)
    trouble_at(tmp_path / "pipe")
    trouble_at(tmp_path)

    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208 - the same


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """Pipes, folders, links and devices; a pipe does not block."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    paths = [tmp_path / "pipe", tmp_path, tmp_path / "link", Path("/dev/null")]

    assert {trouble_at(path) for path in paths} == {Trouble.IRREGULAR}


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    """A file below a file is missing too."""
    (tmp_path / "file").write_bytes(b"")

    assert trouble_at(tmp_path / "a.log") is Trouble.MISSING
    assert trouble_at(tmp_path / "file" / "a.log") is Trouble.MISSING
    with pytest.raises(LookError) as found:
        LocalOpener().names(str(tmp_path / "nowhere"))
    assert found.value.trouble is Trouble.MISSING


def test_names_are_listed(tmp_path: Path) -> None:
    """Just names, of all that is there."""
    (tmp_path / "a.log").touch()
    (tmp_path / "b").mkdir()

    assert sorted(LocalOpener().names(str(tmp_path))) == ["a.log", "b"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOENT, Trouble.MISSING),
        (errno.EACCES, Trouble.DENIED),
        (errno.EPERM, Trouble.DENIED),
        (errno.EBUSY, Trouble.LOCKED),
        (errno.EIO, Trouble.UNREACHABLE),
        (errno.ESTALE, Trouble.UNREACHABLE),
        (errno.EHOSTDOWN, Trouble.UNREACHABLE),
        (errno.EMFILE, Trouble.UNREACHABLE),
    ],
)
def test_system_errors_say_what_is_the_matter(number: int, expected: Trouble) -> None:
    """What is not known to be about the file leaves open what it holds."""
    found = trouble_of(OSError(number, os.strerror(number)))

    assert (found.trouble, found.detail) == (expected, os.strerror(number))


@pytest.mark.parametrize(
    ("winerror", "number", "expected"),
    [
        (32, errno.EACCES, Trouble.LOCKED),  # sharing violation
        (33, errno.EACCES, Trouble.LOCKED),  # lock violation
        (53, errno.ENOENT, Trouble.UNREACHABLE),  # network path not found
        (64, errno.ENOENT, Trouble.UNREACHABLE),  # network name gone
        (2, errno.ENOENT, Trouble.MISSING),  # file not found
        (5, errno.EACCES, Trouble.DENIED),  # access denied
    ],
)
def test_windows_errors_go_before_what_python_makes_of_them(
    winerror: int, number: int, expected: Trouble
) -> None:
    """Python calls a dead network path a missing file; that would lose data."""
    error = OSError(number, "in words")
    error.winerror = winerror  # type: ignore[attr-defined]  # only Windows has it

    assert trouble_of(error).trouble is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"\\pc0417\SMSLogs$\Clisvc.log", True),
        (r"\\?\UNC\pc0417\SMSLogs$\Clisvc.log", True),
        (r"\\?\C:\Logs\Clisvc.log", False),
        (r"\\?\d:\Logs\Clisvc.log", False),
        (r"\\.\D:\Logs\Clisvc.log", False),
        (r"C:\Logs\Clisvc.log", False),
        ("/logs/Clisvc.log", False),
    ],
)
def test_a_network_path_is_told_by_its_form(path: str, *, expected: bool) -> None:
    """The long form of a local path begins with two backslashes too."""
    assert is_unc(path) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cifs", True),
        ("nfs4", True),
        ("fuse.sshfs", True),
        ("fuseblk", False),
        ("ext4", False),
    ],
)
def test_a_share_is_told_by_its_file_system(
    kind: str, *, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches and hangs are a matter of the file system, not of the path."""
    monkeypatch.setattr(opener, "_filesystem", lambda _path: kind)

    assert LocalOpener().is_share("/mnt/fleet/pc0417/Clisvc.log") is expected
    assert LocalOpener().is_share(r"\\pc0417\SMSLogs$\Clisvc.log")


def test_a_local_folder_is_no_share(tmp_path: Path) -> None:
    """As the kernel's own list of mounts has it."""
    assert not LocalOpener().is_share(str(tmp_path))
