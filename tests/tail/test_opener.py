# SPDX-License-Identifier: Apache-2.0
"""Opening files, and what errors say about them."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from shipper.tail import LocalOpener, opener
from shipper.tail.opener import LookError, Trouble, trouble_of
from shipper.tail.shares import Mounts


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
        LocalOpener().names(str(tmp_path / "nowhere"), "a")
    assert found.value.trouble is Trouble.MISSING


def test_names_of_a_log_are_listed(tmp_path: Path) -> None:
    """Just names, and only those its generations may go by."""
    for name in ("Clisvc.log", "Clisvc.lo_", "Ccim32.log", "Clisvc.txt"):
        (tmp_path / name).touch()

    found = LocalOpener().names(str(tmp_path), "clisvc")
    assert sorted(found) == ["Clisvc.lo_", "Clisvc.log"]


def test_a_folder_of_one_log_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can write there could else make each look take for ever."""
    monkeypatch.setattr(opener, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"Clisvc.{number}").touch()
    with pytest.raises(LookError) as found:
        LocalOpener().names(str(tmp_path), "clisvc")

    assert found.value.trouble is Trouble.IRREGULAR
    assert found.value.detail == f"more than 3 files of one log in {tmp_path}"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Return a root below which links lead out of it, and around in it."""
    secret = tmp_path / "etc"
    secret.mkdir()
    (secret / "Clisvc.log").write_bytes(b"root:x:0")
    root = tmp_path / "fleet"
    (root / "pc1").mkdir(parents=True)
    (root / "pc1" / "Clisvc.log").write_bytes(b"fine")
    (root / "out").symlink_to(secret)
    (root / "in").symlink_to(root / "pc1")
    return root


@pytest.mark.parametrize("attempt", ["open", "names"])
def test_a_link_out_of_the_root_is_refused(fleet: Path, attempt: str) -> None:
    """A client must not make the collector read, or list, what is not a client's."""
    files = LocalOpener([str(fleet)])
    attempts: dict[str, Callable[[], object]] = {
        "open": lambda: files.open(str(fleet / "out" / "Clisvc.log")),
        "names": lambda: files.names(str(fleet / "out"), "clisvc"),
    }
    with pytest.raises(LookError) as found:
        attempts[attempt]()

    there = str(fleet.parent / "etc")
    assert found.value.trouble is Trouble.IRREGULAR
    assert f"leads out of {fleet}: to {there}" in found.value.detail


def test_a_link_that_stays_below_the_root_is_followed(fleet: Path) -> None:
    """An admin may give a machine two names."""
    files = LocalOpener([str(fleet)])
    with files.open(str(fleet / "in" / "Clisvc.log")) as file:
        assert file.pread(0, 9) == b"fine"
    assert files.names(str(fleet / "in"), "clisvc") == ["Clisvc.log"]


def test_the_root_itself_may_be_a_link(fleet: Path) -> None:
    """What the user wrote is what the user meant."""
    link = fleet.parent / "link"
    link.symlink_to(fleet)
    files = LocalOpener([str(link)])
    with files.open(str(link / "pc1" / "Clisvc.log")) as file:
        assert file.pread(0, 9) == b"fine"
    with pytest.raises(LookError, match="leads out"):
        files.open(str(link / "out" / "Clisvc.log"))


def test_the_innermost_root_counts(fleet: Path) -> None:
    """A path named by itself may lead where a pattern above it may not."""
    files = LocalOpener([str(fleet), str(fleet / "out")])
    with files.open(str(fleet / "out" / "Clisvc.log")) as file:
        assert file.pread(0, 9) == b"root:x:0"


def test_a_name_that_begins_like_the_root_is_not_below_it(fleet: Path) -> None:
    """``/mnt/fleet-old`` is not in ``/mnt/fleet``."""
    other = fleet.parent / "fleet-old"
    other.mkdir()
    (other / "Clisvc.log").touch()
    (fleet / "old").symlink_to(other)

    with pytest.raises(LookError, match="leads out"):
        LocalOpener([str(fleet)]).open(str(fleet / "old" / "Clisvc.log"))


def test_a_file_exchanged_after_the_look_is_not_opened(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at is what is read, whatever its name stands for by then."""
    path = fleet / "pc1" / "Clisvc.log"
    fstat = os.fstat

    def exchange(fd: int) -> os.stat_result:
        monkeypatch.setattr(os, "fstat", fstat)
        found = fstat(fd)
        path.rename(fleet / "pc1" / "Clisvc.lo_")
        path.symlink_to("/etc/passwd")
        return found

    monkeypatch.setattr(os, "fstat", exchange)
    with LocalOpener([str(fleet)]).open(str(path)) as file:
        assert file.pread(0, 9) == b"fine"


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (r"C:\Logs\pc1\Clisvc.log", r"C:\Logs"),
        (r"D:\Logs\Clisvc.log", ""),
        (r"\\pc1\SMSLogs$\Clisvc.log", r"\\pc1\SMSLogs$"),
        ("/mnt/fleet/pc1/Clisvc.log", "/mnt/fleet"),
        ("/mnt/other/Clisvc.log", ""),
    ],
)
def test_each_path_has_its_root(path: str, root: str) -> None:
    """Of a template for servers, such as of shares, the share is the root."""
    roots = ["C:\\Logs", "/mnt/fleet", "\\\\"]

    assert LocalOpener(roots)._root(path) == root


def test_a_refusal_says_what_is_there(tmp_path: Path) -> None:
    """In words a user knows."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    found = {}
    for path in (*tmp_path.iterdir(), Path("/dev/null"), tmp_path):
        with pytest.raises(LookError) as refused:
            LocalOpener().open(str(path))
        found[path.name] = refused.value.detail

    assert found == {
        "pipe": "a named pipe, not a log",
        "link": "a symbolic link, which is not followed",
        "socket": "a socket, not a log",
        "null": "a device, not a log",
        tmp_path.name: "a folder, not a log",
    }


def test_whether_a_path_is_on_a_share_is_asked_once(tmp_path: Path) -> None:
    """The reading side must not touch a mount that may hang."""
    files = LocalOpener()
    first = files.is_share(str(tmp_path))
    files._mounts = Mounts(table="/nowhere")

    assert first is files.is_share(str(tmp_path)) is False


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
        (303, errno.EACCES, Trouble.LOCKED),  # delete pending
        (2, errno.ENOENT, Trouble.MISSING),  # file not found
        (3, errno.ENOENT, Trouble.MISSING),  # path not found
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
