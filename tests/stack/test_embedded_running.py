# SPDX-License-Identifier: Apache-2.0
"""Finding and stopping a server from another process, by its record."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.errors import EmbeddedError
from shipper.stack.embedded import RunningServer, guard, status, stop
from shipper.stack.embedded.lifeline import Child
from shipper.stack.embedded.running import record_path, write_record

if sys.platform == "win32":
    pytest.skip("process groups and modes are POSIX", allow_module_level=True)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Give a process in a group of its own, in place of a server."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as made:
        yield made
        made.kill()


def _record(home: Path, pid: int, started: str) -> RunningServer:
    server = RunningServer(
        version="9.2.0",
        url="http://127.0.0.1:9200",
        home=home,
        process=Child(pid=pid, started=started),
    )
    write_record(server)
    return server


def _started(process: subprocess.Popen[bytes]) -> str:
    token = guard.started(process.pid)
    assert token is not None
    return token


def test_nothing_runs_in_an_empty_folder(tmp_path: Path) -> None:
    """No record means no server, and stopping none is no error."""
    assert status(tmp_path) is None
    assert stop(tmp_path) is None


def test_the_record_comes_back_as_it_was_written(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    """Another process sees the same version, address and folder."""
    written = _record(tmp_path, process.pid, _started(process))

    assert status(tmp_path) == written


def test_stopping_ends_the_process_and_removes_the_record(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    """After a stop nothing is left, and the caller learns what ran."""
    written = _record(tmp_path, process.pid, _started(process))

    assert stop(tmp_path) == written
    assert process.wait() == -15
    assert list(tmp_path.iterdir()) == []
    assert status(tmp_path) is None


def test_a_process_with_another_start_is_not_signalled(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    """A process id that was used again belongs to somebody else."""
    _record(tmp_path, process.pid, "before the last reboot")

    assert status(tmp_path) is None
    assert stop(tmp_path) is None
    assert process.poll() is None
    assert not record_path(tmp_path).exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 9}', b"\xff"])
def test_a_record_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is not ours is named, neither guessed at nor removed."""
    record_path(tmp_path).write_bytes(content)

    with pytest.raises(EmbeddedError) as caught:
        stop(tmp_path)

    assert str(record_path(tmp_path)) in caught.value.message
    assert record_path(tmp_path).read_bytes() == content
