# SPDX-License-Identifier: Apache-2.0
"""Why a file is taken for the generation it is taken for. Only looks.

What ``run`` decides by is laid open here: the file's beginning, the proofs the state
has of each generation, and what follows from both.
"""

from __future__ import annotations

from msgspec import Struct

from shipper.audit.extent import Extent, measure, opened
from shipper.records import Checkpoint, Source
from shipper.store import SourceStatus
from shipper.tail import (
    Life,
    LogFile,
    LookError,
    Opener,
    Siblings,
    active_path,
    log_name,
)
from shipper.tail.candidates import flavour
from shipper.tail.identity import ANCHOR_BYTES, HEAD_BYTES


class Comparison(Struct, frozen=True, kw_only=True):
    """A file held against one generation of the state.

    Attributes:
        generation: its id.
        life: counts the times the same beginning was rewritten in place.
        head: the file begins as the generation did; ``None``: too short to tell.
        head_length: bytes compared for that.
        anchor: what stands before the read position is what was read; ``None``: too
            short to tell.
        position: acknowledged read position, in bytes.
        seen: end of the last complete line observed, in bytes.
        final: where the generation ended, ``None`` while it may grow.
        lost: bytes that were gone before they were read.
        path: where it was found last.
    """

    generation: str
    life: int
    head: bool | None
    head_length: int
    anchor: bool | None
    position: int
    seen: int
    final: int | None
    lost: int
    path: str

    @property
    def proven(self) -> bool:
        """The file is this life of the generation."""
        return bool(self.head and self.anchor)


class Sibling(Struct, frozen=True, kw_only=True):
    """A file of the same log.

    Attributes:
        path: its path.
        size: bytes.
        generation: what it holds; empty if it cannot be told.
        known: the state has that generation.
        detail: why it cannot be looked at, or empty.
    """

    path: str
    size: int
    generation: str
    known: bool
    detail: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known about a file.

    Attributes:
        path: the file.
        host: whose log it is.
        log: logical name of the log.
        extent: what the file says.
        generations: the log's generations in the state, in reading order, compared.
        siblings: the other files of the log.
        decision: what ``run`` does with it next, in words.
    """

    path: str
    host: str
    log: str
    extent: Extent
    generations: tuple[Comparison, ...]
    siblings: tuple[Sibling, ...]
    decision: str


def evidence(
    path: str, known: list[SourceStatus], *, host: str, opener: Opener
) -> Evidence:
    """Compare a file with the state.

    Args:
        path: the file, from the root on.
        known: what the state has.
        host: whose log it is, if the state has no log of that path.
        opener: the file system.

    Raises:
        InputProblem: the file cannot be read.
    """
    active = active_path(path)
    folder, name = flavour(active).split(active)
    found = next((each for each in known if each.path == active), None)
    source = Source(
        host=found.host if found else host.lower().partition(".")[0],
        log=found.log if found else log_name(name).log,
        directory=folder,
        path=active,
    )
    checkpoints = found.checkpoints if found else ()
    with opened(opener, path) as file:
        extent = measure(file, source)
        compared = tuple(_compare(file, checkpoint) for checkpoint in checkpoints)
        names = opener.names(folder, source.log)
    siblings = Siblings(path=active)
    return Evidence(
        path=path,
        host=source.host,
        log=source.log,
        extent=extent,
        generations=compared,
        siblings=tuple(
            _sibling(opener, other, source, checkpoints)
            for other in siblings.select(names)
            if other != path
        ),
        decision=_decision(extent, compared, rotated=siblings.rotated(path)),
    )


def _compare(file: LogFile, checkpoint: Checkpoint) -> Comparison:
    life = Life(checkpoint.generation, checkpoint.progress, checkpoint.observation)
    beginning = file.pread(0, HEAD_BYTES)
    short = len(beginning) < life.head.length
    start = max(0, life.position - ANCHOR_BYTES)
    before = file.pread(start, life.position - start)
    cut = len(before) < life.position - start
    return Comparison(
        generation=checkpoint.generation.gen_id,
        life=checkpoint.generation.life,
        head=None if short else life.head.matches(beginning),
        head_length=life.head.length,
        anchor=None if cut else life.proven_by(before),
        position=life.position,
        seen=checkpoint.seen,
        final=life.final,
        lost=life.lost,
        path=life.path,
    )


def _sibling(
    opener: Opener, path: str, source: Source, known: tuple[Checkpoint, ...]
) -> Sibling:
    try:
        with opener.open(path) as file:
            extent = measure(file, source)
    except LookError as error:
        return Sibling(path=path, size=0, generation="", known=False, detail=str(error))
    return Sibling(
        path=path,
        size=extent.size,
        generation=extent.gen_id,
        known=any(each.generation.gen_id == extent.gen_id for each in known),
    )


def _decision(
    extent: Extent, compared: tuple[Comparison, ...], *, rotated: bool
) -> str:
    if not extent.size:
        return "nothing: the file is empty"
    if not (extent.settled or rotated):
        return "waits for a first timed record, or 16 lines: too short to be identified"
    same = [each for each in compared if each.generation == extent.gen_id]
    proven = next((each for each in reversed(same) if each.proven), None)
    if proven is not None:
        return _next(extent, proven)
    if same and rotated and all(None in (each.head, each.anchor) for each in same):
        return "nothing: a shorter copy of what has been read"
    if same:
        return (
            f"begins life {max(each.life for each in same) + 1} of the generation at 0:"
            " it begins alike, and goes on differently than what has been read"
        )
    first = next((each for each in compared if each.final != each.position), None)
    after = f", after what is left of generation {first.generation}" if first else ""
    return f"begins a new generation at 0{after}"


def _next(extent: Extent, proven: Comparison) -> str:
    new = extent.size - proven.position
    if proven.final == proven.position:
        if new <= 0:
            return "nothing: it was read to its end"
        return f"goes on at {proven.position}: finished, but {new} bytes longer since"
    if new <= 0:
        return f"waits for more: all {extent.size} bytes have been read"
    return f"reads on at {proven.position}: {new} bytes are new"
