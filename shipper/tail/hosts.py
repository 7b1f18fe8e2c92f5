# SPDX-License-Identifier: Apache-2.0
"""The names of a fleet's hosts, where they cannot be listed."""

from __future__ import annotations

import os
import shlex
import subprocess

from msgspec import Struct

from shipper.errors import InputProblem

_COMMAND_TIMEOUT_S = 60


class HostList(Struct, frozen=True, kw_only=True):
    """The hosts to ask, where they cannot be listed.

    Attributes:
        names: given one by one (``input.hosts``).
        file: one a line, ``#`` begins a comment (``input.hosts_file``); read anew at
            each scan.
        command: prints one a line (``input.hosts_command``); run at each scan.
    """

    names: tuple[str, ...] = ()
    file: str = ""
    command: str = ""

    def __bool__(self) -> bool:
        return bool(self.names or self.file or self.command)

    def read(self) -> list[str]:
        """Return the names, without doubles.

        Raises:
            InputProblem: the file cannot be read or the command fails.
        """
        names = list(self.names)
        if self.file:
            try:
                with open(self.file, encoding="utf-8-sig") as file:  # noqa: PTH123 - as the user wrote it
                    names += file
            except (OSError, UnicodeDecodeError) as error:
                raise InputProblem(
                    f"input.hosts_file: {self.file} cannot be read: {error}.",
                    remedy="Give a text file with one host name a line.",
                ) from error
        if self.command:
            names += self._run()
        cleaned = (name.partition("#")[0].strip() for name in names)
        return list(dict.fromkeys(name for name in cleaned if name))

    def _run(self) -> list[str]:
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, no shell
                shlex.split(self.command, posix=os.name != "nt"),
                capture_output=True,
                text=True,
                check=True,
                timeout=_COMMAND_TIMEOUT_S,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise InputProblem(
                f"input.hosts_command: {self.command!r} failed: {error}.",
                remedy="It must print one host name a line and exit with 0.",
            ) from error
        return done.stdout.splitlines()
