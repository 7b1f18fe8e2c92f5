# SPDX-License-Identifier: Apache-2.0
"""One state folder, one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shipper.errors import StateError
from shipper.store import StateFolder

_HOLD = """
import sys
from pathlib import Path
from shipper.store import StateFolder
with StateFolder(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_made_and_named(tmp_path: Path) -> None:
    """The folder is made with its parents; its files have fixed names."""
    with StateFolder(tmp_path / "a" / "b") as folder:
        assert folder.path == tmp_path / "a" / "b"
        assert folder.path.is_dir()
        assert folder.database.name == "state.db"
        assert folder.dead_letters.name == "dead-letters.ndjson"
        assert (folder.path / "pid").read_text() == str(os.getpid())
    assert not (tmp_path / "a" / "b" / "pid").exists()


def test_second_instance(tmp_path: Path) -> None:
    """Another process's folder is refused with that process's number."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"

        with pytest.raises(StateError) as caught:
            StateFolder(tmp_path)
        holder.communicate("")

    assert caught.value.exit_code == 65
    assert caught.value.message == (
        f"state.dir: {tmp_path} is in use by process {holder.pid}."
    )
    assert "--state" in caught.value.remedy
    StateFolder(tmp_path).close()


def test_killed_instance(tmp_path: Path) -> None:
    """A process that was killed holds nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        holder.kill()

    with StateFolder(tmp_path):
        assert (tmp_path / "pid").read_text() == str(os.getpid())


def test_unusable_folder(tmp_path: Path) -> None:
    """A path that cannot be a folder is named."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError) as caught:
        StateFolder(tmp_path / "file")

    assert caught.value.message == (
        f"state.dir: {tmp_path / 'file'} cannot be used: File exists."
    )


def test_sending_is_remembered(tmp_path: Path) -> None:
    """Who is killed while sending leaves a trace, who stops in order does not."""
    with StateFolder(tmp_path) as first:
        first.sending()
        first.abandoned = True
    with StateFolder(tmp_path) as second:
        at = (tmp_path / "sent").stat().st_mtime_ns // 1_000_000
    with StateFolder(tmp_path) as third:
        pass

    assert (first.sent_ms, second.sent_ms, third.sent_ms) == (None, at, None)
