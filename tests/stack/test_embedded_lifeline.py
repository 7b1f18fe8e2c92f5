# SPDX-License-Identifier: Apache-2.0
"""The guard at the other end of the lifeline, with small programs for servers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shipper.errors import EmbeddedError
from shipper.stack.embedded import guard
from shipper.stack.embedded.lifeline import Lifeline, Program

if sys.platform == "win32":
    pytest.skip("process groups and modes are POSIX", allow_module_level=True)

PARENT = """
import os, sys, threading
from pathlib import Path
from shipper.stack.embedded.lifeline import Lifeline, Program

home = Path(sys.argv[1])
with Lifeline() as lifeline:
    lifeline.remove_at_end(home)
    home.mkdir()
    child = lifeline.launch(Program(
        command=("/bin/sh", "-c", "sleep 60 & wait"), environment={},
        folder=home, output=home / "output", account=None))
    print(child.pid, flush=True)
    threading.Event().wait(60)
"""


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    return condition()


def _group_members(group: int) -> list[int]:
    members = []
    for process in psutil.process_iter():
        try:
            if (
                os.getpgid(process.pid) == group
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                members.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Program]:
    """Give shell scripts as programs."""

    def program(script: str) -> Program:
        return Program(
            command=("/bin/sh", "-c", script),
            environment={},
            folder=tmp_path,
            output=tmp_path / "output",
            account=None,
        )

    return program


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Give a process in a group of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_closing_ends_the_whole_group(shell: Callable[[str], Program]) -> None:
    """Neither the program nor what it started outlives the lifeline."""
    with Lifeline() as lifeline:
        child = lifeline.launch(shell("sleep 60 & sleep 60 & wait"))
        assert _eventually(lambda: len(_group_members(child.pid)) == 3)

    assert _group_members(child.pid) == []
    assert not child.alive()


def test_closing_removes_what_was_promised(tmp_path: Path) -> None:
    """Folders and files go, others stay, and what never was is no matter."""
    home, record, kept = (tmp_path / name for name in ("home", "record", "kept"))
    with Lifeline() as lifeline:
        for path in (home, record, tmp_path / "never"):
            lifeline.remove_at_end(path)
        (home / "deep").mkdir(parents=True)
        record.touch()
        kept.touch()

    assert list(tmp_path.iterdir()) == [kept]


def test_an_exit_code_is_told(shell: Callable[[str], Program]) -> None:
    """Closing says how a program that ended by itself did so."""
    lifeline = Lifeline()
    child = lifeline.launch(shell("exit 3"))
    assert _eventually(lambda: not child.alive())

    assert lifeline.close() == 3
    assert lifeline.close() is None


def test_a_program_that_cannot_start_is_named(tmp_path: Path) -> None:
    """The system's reason is in the error."""
    missing = str(tmp_path / "missing")
    program = Program(
        command=(missing,),
        environment={},
        folder=tmp_path,
        output=tmp_path / "output",
        account=None,
    )

    with Lifeline() as lifeline, pytest.raises(EmbeddedError) as caught:
        lifeline.launch(program)

    assert missing in caught.value.message
    assert "No such file" in caught.value.message


def test_a_released_program_runs_on(shell: Callable[[str], Program]) -> None:
    """After its release neither closing nor the guard's end touches it."""
    with Lifeline() as lifeline:
        child = lifeline.launch(shell("exec sleep 60"))
        lifeline.release()

    assert child.alive()
    child.end()
    assert not child.alive()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_the_parent_ends_the_program(
    tmp_path: Path, number: signal.Signals
) -> None:
    """A parent that had no time for anything leaves no process and no folder."""
    home = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        parent.send_signal(number)

    assert _eventually(lambda: not _group_members(group))
    assert _eventually(lambda: not home.exists())


def test_a_killed_guard_is_stood_in_for(
    tmp_path: Path, shell: Callable[[str], Program]
) -> None:
    """Closing cleans up even when the guard is gone."""
    before = set(psutil.Process().children())
    lifeline = Lifeline()
    (guarding,) = set(psutil.Process().children()) - before
    child = lifeline.launch(shell("exec sleep 60"))
    lifeline.remove_at_end(tmp_path / "home")
    (tmp_path / "home").mkdir()
    guarding.kill()

    lifeline.close()

    assert not child.alive()
    assert not (tmp_path / "home").exists()


def test_a_dead_guard_is_reported(shell: Callable[[str], Program]) -> None:
    """Without its guard nothing is started."""
    before = set(psutil.Process().children())
    with Lifeline() as lifeline:
        (guarding,) = set(psutil.Process().children()) - before
        guarding.kill()
        with pytest.raises(EmbeddedError, match="guard"):
            lifeline.launch(shell("exec sleep 60"))


def test_a_terminal_does_not_reach_the_guard() -> None:
    """Ctrl-C goes to a terminal's foreground group, and the guard is not in it."""
    before = set(psutil.Process().children())
    with Lifeline():
        (guarding,) = set(psutil.Process().children()) - before

        assert os.getpgid(guarding.pid) != os.getpgrp()


def test_a_stubborn_program_is_killed() -> None:
    """A program that ignores the request to end is killed after the grace."""
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        token = guard.started(process.pid)
        assert token is not None

        guard.end(process.pid, token, grace_s=0.2)

        assert process.wait() == -signal.SIGKILL


def test_another_process_of_that_id_is_left_alone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    """Only the process that began at the noted moment is ended."""
    guard.end(sleeper.pid, "another moment", grace_s=0.1)

    assert sleeper.poll() is None


@pytest.mark.parametrize("started", [guard.started, guard.started_by_command])
def test_a_token_tells_the_living_from_the_dead(
    sleeper: subprocess.Popen[bytes], started: Callable[[int], str | None]
) -> None:
    """It stays the same while a process lives, and is None from its end on."""
    first = started(sleeper.pid)

    assert first
    assert started(sleeper.pid) == first
    sleeper.kill()
    assert _eventually(lambda: started(sleeper.pid) is None)  # not waited for yet
    sleeper.wait()
    assert started(sleeper.pid) is None
