# SPDX-License-Identifier: Apache-2.0
"""A log being followed, in memory or on disk, with the clock in the test's hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shipper.parse import first_time
from shipper.records import Checkpoint, Generation, Source
from shipper.store import Spool
from shipper.tail import Harvester, LocalOpener, Opener, Pacing, Reading, Siblings
from tests.fakes.clock import ManualClock
from tests.fakes.files import MemoryFiles

ACTIVE = "Clisvc.log"
ROTATED = "Clisvc.lo_"
MOST_VISITS = 1000


def line(number: int, text: str = "Working") -> bytes:
    """Return a timed record; ``number`` is its second after ten past ten."""
    minute, second = divmod(number, 60)
    time = f"Wed Feb 12 10:{10 + minute:02}:{second:02}.253 2003"
    return f"{text}~  $$<CLISVCL.EXE><{time}><thread=52 (0x34)>\r\n".encode()


def lines(*numbers: int) -> bytes:
    """Return several timed records."""
    return b"".join(line(number) for number in numbers)


class World(Protocol):
    """A folder with logs, as its writer sees it. Names are without the folder."""

    opener: Opener
    folder: str

    def read(self, name: str) -> bytes:
        """Return the content."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Create or replace a file."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Write at the end."""
        ...

    def rewrite(self, name: str, data: bytes) -> None:
        """Replace the content in place."""
        ...

    def rename(self, name: str, to: str) -> None:
        """Rename, replacing what is there."""
        ...

    def copy(self, name: str, to: str) -> None:
        """Make a copy."""
        ...

    def remove(self, name: str) -> None:
        """Delete."""
        ...


class Memory:
    """The folder ``/logs`` of a file system in memory."""

    folder = "/logs"

    def __init__(self, *, share: bool = False) -> None:
        self.files = MemoryFiles(share=share)
        self.opener: Opener = self.files

    def path(self, name: str) -> str:
        """Return the path of ``name``."""
        return f"{self.folder}/{name}"

    def read(self, name: str) -> bytes:
        """Return the content."""
        return self.files.read(self.path(name))

    def write(self, name: str, data: bytes) -> None:
        """Create or replace a file."""
        self.files.write(self.path(name), data)

    def append(self, name: str, data: bytes) -> None:
        """Write at the end."""
        self.files.append(self.path(name), data)

    def rewrite(self, name: str, data: bytes) -> None:
        """Replace the content in place."""
        self.files.rewrite(self.path(name), data)

    def rename(self, name: str, to: str) -> None:
        """Rename, replacing what is there."""
        self.files.rename(self.path(name), self.path(to))

    def copy(self, name: str, to: str) -> None:
        """Make a copy."""
        self.files.copy(self.path(name), self.path(to))

    def remove(self, name: str) -> None:
        """Delete."""
        self.files.remove(self.path(name))


class Disk:
    """A real folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.folder = str(folder)
        self.opener: Opener = LocalOpener()

    def read(self, name: str) -> bytes:
        """Return the content."""
        return (self._folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Create or replace a file."""
        fresh = self._folder / "fresh.tmp"
        fresh.write_bytes(data)
        fresh.replace(self._folder / name)

    def append(self, name: str, data: bytes) -> None:
        """Write at the end."""
        with (self._folder / name).open("ab") as file:
            file.write(data)

    def rewrite(self, name: str, data: bytes) -> None:
        """Replace the content in place."""
        (self._folder / name).write_bytes(data)

    def rename(self, name: str, to: str) -> None:
        """Rename, replacing what is there."""
        (self._folder / name).replace(self._folder / to)

    def copy(self, name: str, to: str) -> None:
        """Make a copy."""
        shutil.copyfile(self._folder / name, self._folder / to)

    def remove(self, name: str) -> None:
        """Delete."""
        (self._folder / name).unlink()


class Handed(Struct, frozen=True, kw_only=True):
    """A chunk that was handed on.

    Attributes:
        gen_id: of its generation.
        ordinal: of the same.
        life: of the same.
        start: offset of its first byte.
        data: its bytes.
        flags: of its last line.
    """

    gen_id: str
    ordinal: int
    life: int
    start: int
    data: bytes
    flags: tuple[str, ...]


class Follower:
    """Drives a harvester as the application does.

    Args:
        world: where the log is.
        pacing: sizes and waits.
        host: whose log it is.
        active: name of the active log.
        spool: where rests are kept; it opens the files of ``world``.

    Attributes:
        handed: what was handed on, in order.
        unsaved: what of it is not saved, by generation.
        harvester: the one at work; a new one after :meth:`restart`.
    """

    def __init__(
        self,
        world: World,
        *,
        pacing: Pacing | None = None,
        host: str = "pc0417",
        active: str = ACTIVE,
        spool: Spool | None = None,
    ) -> None:
        self.spool = spool
        self.world = world
        self.clock = ManualClock()
        self.pacing = pacing or Pacing()
        self.source = Source(
            host=host,
            log="clisvc",
            directory=world.folder,
            path=f"{world.folder}/{active}",
        )
        self.handed: list[Handed] = []
        self.unsaved: dict[Generation, int] = {}
        self.harvester = self._new(())

    def _new(self, checkpoints: tuple[Checkpoint, ...]) -> Harvester:
        return Harvester(
            self.source,
            Siblings(path=self.source.path),
            self.spool or self.world.opener,
            first_time,
            self.clock,
            self.pacing,
            checkpoints,
            self.spool,
        )

    def look(self, after_s: float = 1.0, *, read: bool = True) -> bytes:
        """Let time pass, look once, and return the bytes it brought."""
        self.clock.advance(after_s)
        reading = self.harvester.visit(read=read)
        return self._hand_on(reading) if reading else b""

    def follow(self, looks: int = 5, every_s: float = 6.0) -> bytes:
        """Look several times, each time until there is nothing more."""
        brought = b""
        for _ in range(looks):
            self.clock.advance(every_s)
            for _ in range(MOST_VISITS):
                reading = self.harvester.visit()
                if reading is None:
                    break
                brought += self._hand_on(reading)
            else:
                raise AssertionError("the harvester finds no end")
        return brought

    def suffer(self, after_s: float = 1.0) -> None:
        """Let time pass and look once, while nothing can be delivered."""
        self.look(after_s, read=False)
        self.harvester.rescue(self.unsaved)

    def _hand_on(self, reading: Reading) -> bytes:
        life = reading.life
        for chunk in reading.chunks:
            assert chunk.start == life.position
            if chunk.data:
                self.handed.append(
                    Handed(
                        gen_id=life.generation.gen_id,
                        ordinal=life.generation.ordinal,
                        life=life.generation.life,
                        start=chunk.start,
                        data=chunk.data,
                        flags=chunk.flags,
                    )
                )
            life.advance(chunk, chunk.end, b"state at %d" % chunk.end)
        return b"".join(chunk.data for chunk in reading.chunks)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return what the store would have, were all of it acknowledged."""
        return tuple(
            Checkpoint(
                generation=life.generation,
                progress=life.progress,
                observation=life.observe(),
            )
            for life in self.harvester.lives
        )

    def restart(self, checkpoints: tuple[Checkpoint, ...] | None = None) -> None:
        """Stop and start again from what was saved."""
        saved = self.checkpoints() if checkpoints is None else checkpoints
        self.harvester = self._new(saved)

    @property
    def lost(self) -> int:
        """Bytes that were gone before they were read."""
        return sum(life.lost for life in self.harvester.lives)

    @property
    def gaps(self) -> list[bool]:
        """Whether more may have been lost, by generation."""
        return [life.gap for life in self.harvester.lives]
