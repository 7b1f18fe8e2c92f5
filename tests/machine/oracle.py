# SPDX-License-Identifier: Apache-2.0
"""What has to be in the index, worked out from what the writer wrote alone.

A line is named by its generation, its offset there and its bytes. Whatever was on the
disk must arrive, unless it was destroyed before it was read, or was only in the memory
of a process that was killed; then it may arrive, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from zlib import crc32

from shipper.records import Checkpoint
from shipper.tail.identity import HEAD_BYTES
from tests.fakes.cluster import Cluster
from tests.machine.pipeline import LIMIT, Pipeline
from tests.tail.test_machine import name_of

RECORDS = "logs-sms.clisvc-default"

#: Bytes of a line by the id of its document.
Lines = dict[str, bytes]


def lines_of(content: bytes, *, final: bool) -> Lines:
    """Return the lines that a file holds; ``final``: an unfinished one counts."""
    found: Lines = {}
    position = 0
    for line in content.splitlines(keepends=True):
        bare = line.removesuffix(b"\n")
        if bare != line or final:
            raw = bare[:LIMIT].removesuffix(b"\r")
            found[f"{name_of(content)}-{position:09x}-{crc32(raw):08x}"] = line
        position += len(line)
    return found


class Oracle:
    """Knows which lines have to be there, and which may.

    Args:
        cluster: where they have to be.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._present: Lines = {}
        self._known: Lines = {}
        self._due: set[str] = set()  # destroyed, but read before
        self._fragile: set[str] = set()  # of those the ones in memory only
        self._gone: set[str] = set()  # destroyed, or lost with the memory
        self._versions: dict[str, list[bytes]] = {}

    def changed(
        self, files: Mapping[str, tuple[bytes, bool]], pipeline: Pipeline
    ) -> None:
        """Take note of what is on the disk now.

        Args:
            files: by path the content, and whether it is a rotated file's.
            pipeline: tells what of the rest it has read or kept.
        """
        before = self._present
        self._present = {}
        for content, final in files.values():
            self._present |= lines_of(content, final=final)
            self._version(content)
        self._known |= self._present
        vanished = {n: v for n, v in before.items() if n not in self._present}
        if not vanished:
            return
        done = self._cluster.answered | pipeline.letters | pipeline.kept(vanished)
        held = pipeline.held
        for name in vanished:
            if name in done:
                self._due.add(name)
            elif name in held:
                self._due.add(name)
                self._fragile.add(name)
            else:
                self._gone.add(name)
        self._gone -= self._present.keys()

    def killed(self, safe: set[str]) -> None:
        """Take note that what was in memory is gone."""
        lost = self._fragile - self._cluster.answered - safe
        self._due -= lost
        self._gone |= lost
        self._fragile.clear()

    def check_index(self) -> None:
        """Assert that nothing is there twice, and nothing that was never written."""
        times = Counter((stream, name) for stream, name, _ in self._cluster.documents())
        doubled = [key for key, number in times.items() if number > 1]
        assert not doubled, f"doubled: {doubled}"
        strange = {name for _, name in self._records()} - self._known.keys()
        assert not strange, f"indexed, but never written: {strange}"

    def check_books(
        self, checkpoints: tuple[Checkpoint, ...], letters: set[str]
    ) -> None:
        """Assert that the store claims no more than what was acknowledged."""
        assert letters <= self._cluster.refused, "dead letters without a fault"
        done = self._cluster.answered | letters
        for saved in checkpoints:
            assert saved.pending >= 0, saved
            versions = self._versions[saved.generation.gen_id]
            if len({version[:HEAD_BYTES] for version in versions}) < len(versions):
                continue  # alike by all proofs there are: one may be taken for another
            assert any(self._covers(v, saved, done, letters) for v in versions), (
                f"{saved} passes what is not acknowledged"
            )

    def check_end(self, letters: set[str]) -> None:
        """Assert that all is there that has to be."""
        self.check_index()
        indexed = {name for _, name in self._records()}
        missing = (self._due | self._present.keys()) - indexed - letters
        lost = {name: self._known[name] for name in missing}
        assert not lost, f"lost: {lost}"

    def _records(self) -> list[tuple[str, str]]:
        documents = self._cluster.documents()
        return [(stream, name) for stream, name, _ in documents if stream == RECORDS]

    def _version(self, content: bytes) -> None:
        """Remember what a generation held; one may have held several things."""
        if not content:
            return
        versions = self._versions.setdefault(name_of(content), [])
        for number, known in enumerate(versions):
            if content.startswith(known) or known.startswith(content):
                versions[number] = max(known, content, key=len)
                return
        versions.append(content)

    @staticmethod
    def _covers(
        content: bytes, saved: Checkpoint, done: set[str], letters: set[str]
    ) -> bool:
        """Tell whether ``saved`` is true of a generation with this content."""
        offset = saved.progress.offset
        lines = lines_of(content, final=True)
        starts = {name: int(name.split("-")[1], 16) for name in lines}
        passed = {name for name, start in starts.items() if start < offset}
        dead = sum(len(lines[name]) for name in passed & letters)
        return (
            saved.seen <= len(content)
            and passed <= done
            and saved.dead_lettered <= dead
            and saved.acked >= offset - dead
        )
