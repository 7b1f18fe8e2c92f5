# SPDX-License-Identifier: Apache-2.0
"""Our end of the pipe that keeps a server and its folders alive."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from shipper.errors import EmbeddedError
from shipper.stack.embedded import guard
from shipper.stack.embedded.account import Account


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program to run.

    Attributes:
        command: program and arguments.
        environment: all its environment variables.
        folder: its working folder.
        output: file that receives what it prints.
        account: the account to run as, or None for our own.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    output: Path
    account: Account | None


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A process that cannot be mistaken for another.

    Attributes:
        pid: process id.
        started: token for the moment it began, from `guard.started`.
    """

    pid: int
    started: str

    def alive(self) -> bool:
        """Return whether this very process still runs."""
        return guard.started(self.pid) == self.started

    def end(self) -> None:
        """End it and its group: ask, then kill.

        Raises:
            PermissionError: it belongs to someone else.
        """
        guard.end(self.pid, self.started)


class Lifeline:
    """Ends a program and removes folders when closed, or when this process dies."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._child: Child | None = None
        # Its own session: Ctrl-C reaches us, and we decide when the server goes.
        self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def remove_at_end(self, path: Path) -> None:
        """Remove a file or folder at the end; say so before making it."""
        self._paths.append(path)
        self._order({"remove": str(path)})

    def launch(self, program: Program) -> Child:
        """Start a program in a process group of its own.

        Raises:
            EmbeddedError: the system cannot start it.
        """
        account = program.account
        self._order(
            {
                "launch": {
                    "command": program.command,
                    "environment": program.environment,
                    "folder": str(program.folder),
                    "output": str(program.output),
                    "uid": account.uid if account else None,
                    "gid": account.gid if account else None,
                }
            }
        )
        answer = self._answer()
        if "pid" not in answer:
            problem = answer.get("problem", "its guard ended")
            raise EmbeddedError(
                f"{program.command[0]} could not be started: {problem}."
            )
        self._child = Child(pid=answer["pid"], started=answer["started"])
        return self._child

    def release(self) -> None:
        """Leave the program running and every path in place."""
        self._order({"release": True})
        self._answer()
        self._paths.clear()
        self._child = None

    def close(self) -> int | None:
        """End the program and remove what was promised; closing again does nothing.

        Returns:
            The program's exit code (negative: the signal that ended it), or None when
            there was none or it is not known.
        """
        stdin, stdout = self._guard.stdin, self._guard.stdout
        if stdin is None or stdout is None or stdin.closed:
            return None
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        with stdout:
            answer = json.loads(stdout.readline() or "{}")
        if self._guard.wait() != 0:
            self._stand_in()
        code: int | None = answer.get("code")
        return code

    def _stand_in(self) -> None:
        """Do what the guard would have done had it not been killed."""
        if self._child is not None:
            self._child.end()
        for path in self._paths:
            guard.remove(path)

    def _order(self, order: dict[str, Any]) -> None:
        stdin = self._guard.stdin
        if stdin is None:
            return
        try:
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise EmbeddedError(
                "The process guarding the embedded Elasticsearch was ended "
                f"(exit code {self._guard.wait()}).",
                remedy="Start again.",
            ) from None

    def _answer(self) -> dict[str, Any]:
        stdout = self._guard.stdout
        answer: dict[str, Any] = json.loads(
            (stdout.readline() if stdout else "") or "{}"
        )
        return answer
