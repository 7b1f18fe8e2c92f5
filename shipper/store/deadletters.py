# SPDX-License-Identifier: Apache-2.0
"""Documents Elasticsearch refuses, kept as lines of JSON until somebody looks.

A running shipper appends while others read, and while what has been sent again is
taken out: whoever writes holds a lock, and a file is replaced as a whole.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from shipper.clock import Clock
from shipper.errors import StateError
from shipper.records import DeadLetter
from shipper.store.exclusive import adopt, exclusive
from shipper.store.letter import (
    Damaged,
    Key,
    Letter,
    Refusal,
    letter_in,
    line_of,
    renewed,
)


class DeadLetters:
    """A file of letters, each on the disk before it counts as dealt with.

    Args:
        path: NDJSON file; a lock is kept beside it.
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
        now = self._clock.wall_ms()
        lines = [line_of(letter, now) for letter in letters]
        try:
            with self._lock, exclusive(self._guard), self._path.open("a+b") as file:
                _end_line(file)
                file.write(b"\n".join(lines) + b"\n")
                _sync(file)
        except OSError as error:
            raise self._unwritten(error) from error

    def count(self) -> int:
        """Return the number of lines in the file."""
        return sum(1 for _ in self._raw())

    def read(self) -> Generator[Letter | Damaged]:
        """Yield what is in the file now, line by line, doubles included.

        Raises:
            StateError: the file cannot be read.
        """
        for number, line in enumerate(self._raw(), start=1):
            letter = letter_in(line)
            yield letter if letter is not None else Damaged(line=number)

    def summary(self) -> tuple[list[Letter], list[Damaged]]:
        """Return each letter once, as it is in its last line, without its document.

        A crash between a letter and the checkpoint writes the same letter twice.

        Raises:
            StateError: the file cannot be read.
        """
        found: dict[Key, Letter] = {}
        damaged: list[Damaged] = []
        for entry in self.read():
            if isinstance(entry, Damaged):
                damaged.append(entry)
                continue
            before = found.get(entry.key)
            times = before.times + 1 if before else 1
            found[entry.key] = replace(entry, document=b"", times=times)
        return list(found.values()), damaged

    def settle(self, taken: set[Key], refused: Mapping[Key, Refusal]) -> None:
        """Take out what Elasticsearch has by now, and note anew why it refuses others.

        Lines added meanwhile stay, and so do damaged ones. The file is replaced as a
        whole, by one of the same owner and mode: a crash leaves the old or the new one.

        Args:
            taken: documents that are there.
            refused: documents refused again; each stays once, as it was last.

        Raises:
            StateError: the file cannot be written.
        """
        if not (taken or refused):
            return
        now = self._clock.wall_ms()
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            with self._lock, exclusive(self._guard):
                with new.open("wb") as file:
                    self._adopt(new)
                    left = self._times(refused)
                    for line in self._raw():
                        letter = letter_in(line)
                        key = letter.key if letter else None
                        if key in taken:
                            continue
                        if letter and key in refused:
                            left[letter.key] -= 1
                            if left[letter.key]:
                                continue
                            line = renewed(line, refused[letter.key], now)  # noqa: PLW2901 - the line's new text
                        file.write(line.rstrip(b"\n") + b"\n")
                    _sync(file)
                new.replace(self._path)
        except OSError as error:
            raise self._unwritten(error) from error

    def _times(self, keys: Mapping[Key, Refusal]) -> Counter[Key]:
        """Count how often letters are in the file."""
        if not keys:
            return Counter()
        found = map(letter_in, self._raw())
        return Counter(each.key for each in found if each and each.key in keys)

    def _adopt(self, new: Path) -> None:
        """Let a file that takes the place of ours have its owner and its mode."""
        with suppress(FileNotFoundError):
            adopt(new, self._path)
            new.chmod(stat.S_IMODE(self._path.stat().st_mode))

    @property
    def _guard(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _raw(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                yield from file
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(
                f"{self._path}: dead letters cannot be read: "
                f"{error.strerror or error}.",
                remedy="Check the file's permissions.",
            ) from error

    def _unwritten(self, error: OSError) -> StateError:
        return StateError(
            f"{self._path}: dead letters cannot be written: {error.strerror or error}.",
            remedy="Free space on that disk; nothing is lost meanwhile.",
        )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _end_line(file: BinaryIO) -> None:
    """End a line that a full disk or a crash has cut, so that only it is lost."""
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
