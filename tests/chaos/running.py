# SPDX-License-Identifier: Apache-2.0
"""When the shipper was at work, so that writers know what it had time to see.

Starting up does not count: a stretch begins when the shipper says that it tails. The
times are those of the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path


class Running:
    """Notes when all that is needed runs.

    Args:
        path: file that writers read.
        needs: what has to run.
    """

    def __init__(self, path: Path, needs: tuple[str, ...]) -> None:
        self._path = path
        self._needs = frozenset(needs)
        self._present: set[str] = set()
        self._lock = threading.Lock()

    def note(self, name: str, *, up: bool) -> None:
        """Note that something runs from now on, or is about to end."""
        if name not in self._needs:
            return
        with self._lock:
            before = self._present == self._needs
            (self._present.add if up else self._present.discard)(name)
            now = self._present == self._needs
            if now is not before:
                with self._path.open("a", encoding="ascii") as file:
                    file.write(f"{time.monotonic()}\n")


class Stretches:
    """Reads what `Running` notes.

    Args:
        path: its file.
        quiet_s: seconds of all stretches together that are enough.
        stretch_s: seconds one of them must have.
    """

    def __init__(self, path: Path, quiet_s: float, stretch_s: float) -> None:
        self._path = path
        self._quiet = quiet_s
        self._stretch = stretch_s
        self._edges: list[float] = []
        self._looked = 0.0

    def look(self) -> None:
        """Take in what was noted since."""
        self._looked = time.monotonic()  # before: what is noted later, ended later
        text = self._path.read_text("ascii")
        whole = text[: text.rfind("\n") + 1]
        self._edges = [float(edge) for edge in whole.split()]

    def enough(self, since: float) -> bool:
        """Tell whether the shipper had time, until the last look, to see something.

        Args:
            since: monotonic seconds; what was there by then is meant.
        """
        running = len(self._edges) % 2 == 1
        edges = [*self._edges, self._looked] if running else self._edges
        total = longest = 0.0
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            length = end - max(begin, since)
            if length > 0:
                total += length
                longest = max(longest, length)
        return total >= self._quiet and longest >= self._stretch
