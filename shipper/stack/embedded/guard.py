# SPDX-License-Identifier: Apache-2.0
"""The process that ends the server when whoever asked for it is gone.

It reads orders, one JSON object a line, until its input ends. The input ends when the
asking process closes it or dies of anything, ``kill -9`` included, so one way of
cleaning up serves them all.

::

    {"remove": PATH}     remove this file or folder at the end
    {"launch": {...}}    start a program in its own process group; answers a line
    {"release": true}    leave everything as it is and go

It runs by its path with ``python -I``, so it imports nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GRACE_S = 20.0
"""Seconds a program may take to end by itself before it is killed."""

_PAUSE_S = 0.05
_LINGER_S = 5.0  # a killed program may still be closing files
_never = threading.Event()


def started(pid: int) -> str | None:
    """Return a token for the moment a process began, or None when it has ended.

    A process id alone names nobody, since ids are used again; with this token it does.

    Args:
        pid: process id.
    """
    if not Path("/proc/self/stat").exists():
        return started_by_command(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name before the last parenthesis may hold anything, blanks included.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]


def started_by_command(pid: int) -> str | None:
    """Return the same for systems without ``/proc``, at the price of a process."""
    if sys.platform == "win32":
        ask = f"(Get-Process -Id {pid}).StartTime.ToFileTimeUtc()"
        command = ["powershell", "-NoProfile", "-Command", ask]
    else:
        command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(  # noqa: S603 - fixed words and one number
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout.strip()
    if sys.platform == "win32":
        return answer or None
    state, _, began = answer.partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def end(pid: int, token: str, *, grace_s: float = GRACE_S) -> None:
    """End a process and its group: ask first, then kill.

    Args:
        pid: process id, which is also its group's.
        token: what `started` said of it; another process of that id is left alone.
        grace_s: seconds between asking and killing.

    Raises:
        PermissionError: the process belongs to someone else.
    """
    for number in ("SIGTERM", "SIGKILL"):
        if started(pid) != token:
            return
        _signal_group(pid, number)
        _wait_until(lambda: started(pid) != token, grace_s)


def _signal_group(pid: int, number: str) -> None:
    if sys.platform == "win32":
        subprocess.run(  # noqa: S603 - fixed words and one number
            ["taskkill", "/PID", str(pid), "/T", "/F"],  # noqa: S607 - part of Windows
            capture_output=True,
            check=False,
        )
        return
    try:
        os.killpg(pid, getattr(signal, number))
    except ProcessLookupError:
        return


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        _never.wait(_PAUSE_S)


def _launch(spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    with Path(spec["output"]).open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - ordered by our own parent
            spec["command"],
            env=spec["environment"],
            cwd=spec["folder"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=spec["uid"],
            group=spec["gid"],
            extra_groups=None if spec["uid"] is None else [],
        )


def _end_child(child: subprocess.Popen[bytes], token: str) -> int:
    end(child.pid, token)
    # Until it is waited for, the child's id cannot belong to anyone else: whatever is
    # left in its group may be killed safely.
    _signal_group(child.pid, "SIGKILL")
    code = child.wait()
    _wait_until(lambda: _group_is_empty(child.pid), _LINGER_S)
    return code


def _group_is_empty(group: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # the id has gone to someone else
        return True
    return False


def remove(path: Path) -> None:
    """Remove a file or a folder, trying again while something still writes there."""

    def gone() -> bool:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        return not path.exists()

    _wait_until(gone, _LINGER_S)


def main() -> None:
    """Follow orders until the input ends, then end the program and clean up."""
    # Handlers, not SIG_IGN: an ignored signal would stay ignored in the program.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    paths: list[str] = []
    child: subprocess.Popen[bytes] | None = None
    token = ""
    for line in iter(sys.stdin.readline, ""):
        match json.loads(line):
            case {"remove": path}:
                paths.append(path)
            case {"launch": spec}:
                try:
                    child = _launch(spec)
                    token = started(child.pid) or ""
                    answer: dict[str, Any] = {"pid": child.pid, "started": token}
                except OSError as problem:
                    answer = {"problem": str(problem)}
                _say(answer)
            case _:
                _say({"released": True})
                return
    code = None if child is None else _end_child(child, token)
    for path in paths:
        remove(Path(path))
    _say({"code": code})


def _say(answer: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody is left to listen. Python would complain again while it closes.
        sys.stdout = None


if __name__ == "__main__":
    main()
