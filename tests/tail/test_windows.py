# SPDX-License-Identifier: Apache-2.0
"""Logs on a real Windows, whose files cannot be renamed under everybody's hands."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipper.tail import LocalOpener, LookError
from shipper.tail.opener import Trouble

if sys.platform != "win32":
    pytest.skip("needs Windows file semantics", allow_module_level=True)

pytestmark = pytest.mark.windows

READ, WRITE, DELETE = 1, 2, 4
_GENERIC_WRITE = 0x40000000
_ACCESS_DELETE = 0x00010000
_CREATE_ALWAYS = 2
_DELETE_ON_CLOSE = 0x04000000
_LONG = "\\\\?\\"


@contextmanager
def writer(
    path: Path, share: int, *, flags: int = 0
) -> Iterator[Callable[[bytes], None]]:
    """Hold a log open as its writer does; yield a function that writes to it.

    Args:
        path: the log, created anew.
        share: what others may do meanwhile.
        flags: further flags of ``CreateFileW``.
    """
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = ctypes.c_void_p
    access = _GENERIC_WRITE | (_ACCESS_DELETE if flags else 0)
    handle = ctypes.c_void_p(
        kernel.CreateFileW(str(path), access, share, None, _CREATE_ALWAYS, flags, None)
    )
    assert handle.value not in (None, 2**64 - 1), ctypes.FormatError()

    def write(data: bytes) -> None:
        written = ctypes.c_uint32()
        assert kernel.WriteFile(handle, data, len(data), ctypes.byref(written), None)

    try:
        yield write
    finally:
        kernel.CloseHandle(handle)


def content(path: Path, root: str = "") -> bytes:
    """Read a log as the shipper does."""
    with LocalOpener([root] if root else []).open(str(path)) as file:
        return file.pread(0, 99)


def test_a_log_can_be_renamed_and_deleted_while_it_is_read(tmp_path: Path) -> None:
    """That needs delete sharing, which Python's own open does not give."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(b"old\x1a\r\n")
    with LocalOpener().open(str(path)) as file:
        path.rename(tmp_path / "Clisvc.lo_")
        path.write_bytes(b"new")
        assert file.pread(0, 99) == b"old\x1a\r\n"
        (tmp_path / "Clisvc.lo_").unlink()
    assert content(path) == b"new"


@pytest.mark.parametrize("share", [READ, READ | WRITE, READ | WRITE | DELETE])
def test_a_log_held_open_by_its_writer_is_read(tmp_path: Path, share: int) -> None:
    """Whatever it lets others do, if it lets them read."""
    path = tmp_path / "Clisvc.log"
    with writer(path, share) as write:
        write(b"one\r\n")
        first = content(path)
        write(b"two\r\n")

        assert (first, content(path)) == (b"one\r\n", b"one\r\ntwo\r\n")


def test_a_log_shared_with_nobody_is_locked(tmp_path: Path) -> None:
    """It is looked at again, and read once its writer lets it go."""
    path = tmp_path / "Clisvc.log"
    with writer(path, 0) as write:
        write(b"one\r\n")
        with pytest.raises(LookError) as found:
            content(path)
    assert found.value.trouble is Trouble.LOCKED
    assert content(path) == b"one\r\n"


def test_the_name_of_a_deleted_log_is_free_for_a_new_one(tmp_path: Path) -> None:
    """Once nobody has it open: reading it must not keep the name taken."""
    path = tmp_path / "Clisvc.log"
    with writer(path, READ | WRITE | DELETE, flags=_DELETE_ON_CLOSE) as write:
        write(b"old\r\n")
        assert content(path) == b"old\r\n"
    path.write_bytes(b"new\r\n")

    assert content(path) == b"new\r\n"


def test_a_log_about_to_be_deleted_is_not_called_unreachable(tmp_path: Path) -> None:
    """Its name may be free at once or taken until the last one closes it."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(b"old\r\n")
    with LocalOpener().open(str(path)) as file:
        path.unlink()
        with pytest.raises(LookError) as found:
            content(path)
        assert file.pread(0, 99) == b"old\r\n"

    # Newer systems delete as POSIX does; older ones refuse till the file is closed.
    possible = {Trouble.MISSING, Trouble.DENIED, Trouble.LOCKED}
    assert found.value.trouble in possible


def test_paths_may_be_long(tmp_path: Path) -> None:
    """Beyond 260 characters, which many programs cannot open."""
    folder = Path(_LONG + str(tmp_path)) / ("a" * 120) / ("b" * 120)
    folder.mkdir(parents=True)
    (folder / "Clisvc.log").write_bytes(b"deep")
    path = Path(str(folder / "Clisvc.log").removeprefix(_LONG))

    assert content(path) == b"deep"


@pytest.fixture
def junction(tmp_path: Path) -> Path:
    """Return a junction below a root, to a folder beside it."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "Clisvc.log").write_bytes(b"secret")
    (tmp_path / "fleet").mkdir()
    path = tmp_path / "fleet" / "pc1"
    subprocess.run(
        ["cmd", "/c", "mklink", "/J", str(path), str(tmp_path / "secret")],
        check=True,
        capture_output=True,
    )
    return path


def test_a_junction_out_of_the_root_is_refused(junction: Path) -> None:
    """Neither its files are opened nor its names listed."""
    root = str(junction.parent)
    with pytest.raises(LookError, match="leads out"):
        content(junction / "Clisvc.log", root)
    with pytest.raises(LookError, match="leads out"):
        LocalOpener([root]).names(str(junction), "clisvc")


def test_a_junction_the_user_named_is_followed(junction: Path) -> None:
    """What the user wrote is what the user meant."""
    assert content(junction / "Clisvc.log", str(junction)) == b"secret"


def test_ctrl_break_ends_it(tmp_path: Path) -> None:
    """A service stops it so; it ends with 0, though Elasticsearch is away."""
    log, said = tmp_path / "Clisvc.log", tmp_path / "said"
    log.write_bytes(b"one\r\n")
    words = [
        *("run", str(log), "--state", str(tmp_path / "state")),
        *("--elasticsearch-url", "http://127.0.0.1:9"),
    ]
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "shipper", *words],
            stderr=errors,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )
        try:
            deadline = time.monotonic() + 30
            while "cannot be reached" not in said.read_text(encoding="utf-8"):
                assert time.monotonic() < deadline, said.read_text(encoding="utf-8")
                threading.Event().wait(0.05)
            process.send_signal(signal.CTRL_BREAK_EVENT)
            code = process.wait(timeout=30)
        finally:
            process.kill()
            process.wait()

    assert code == 0
