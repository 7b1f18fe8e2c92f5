# SPDX-License-Identifier: Apache-2.0
"""Documents Elasticsearch refuses, kept as lines of JSON until somebody looks."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from shipper.clock import Clock
from shipper.errors import StateError
from shipper.records import DeadLetter


class DeadLetters:
    """Appends to a file, which is on the disk before a letter counts as dealt with.

    Args:
        path: NDJSON file.
        clock: time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()

    def add(self, letters: list[DeadLetter]) -> None:
        """Append ``letters`` and wait until they are on the disk. Thread-safe.

        Raises:
            StateError: the file cannot be written.
        """
        lines = [
            msgspec.json.encode(
                {
                    "time_ms": self._clock.wall_ms(),
                    "id": letter.event.id,
                    "stream": letter.event.stream,
                    "host": letter.source.host,
                    "log": letter.source.log,
                    "status": letter.status,
                    "error": {"type": letter.error_type, "reason": letter.reason},
                    "document": msgspec.Raw(letter.event.document),
                }
            )
            for letter in letters
        ]
        try:
            with self._lock, self._path.open("a+b") as file:
                _end_line(file)
                file.write(b"\n".join(lines) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StateError(
                f"{self._path}: dead letters cannot be written: "
                f"{error.strerror or error}.",
                remedy="Free space on that disk; nothing is lost meanwhile.",
            ) from error

    def count(self) -> int:
        """Return the number of letters in the file."""
        try:
            with self._path.open("rb") as file:
                return sum(1 for _ in file)
        except FileNotFoundError:
            return 0


def _end_line(file: BinaryIO) -> None:
    """End a line that a full disk or a crash has cut, so that only it is lost."""
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
