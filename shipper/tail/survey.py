# SPDX-License-Identifier: Apache-2.0
"""What the folder of a log holds, compared with the generations that are followed.

Every file that may belong to the log is identified by its content: it is known, it has
grown since it was finished, it is new, or it is a known beginning that goes on anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from msgspec import Struct

from shipper.records import Encoding, Generation, Source
from shipper.tail.candidates import Siblings, flavour
from shipper.tail.framing import NUL_RUN
from shipper.tail.identity import FirstTime, digest
from shipper.tail.life import Life
from shipper.tail.opener import LookError, Opener, Trouble
from shipper.tail.pacing import Pacing, Wait
from shipper.tail.probe import Candidate, Found, examine, is_copy, probe
from shipper.tail.reading import STATUS_OF, Status
from shipper.tail.rescue import Spool

_SIBLING_TROUBLE = frozenset({Trouble.DENIED, Trouble.LOCKED})


class Census(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        status: of the log, if nothing in it needs reading: also that a rotated file of
            it cannot be read.
        detail: the system's own words about it, or empty.
        unknown: files that hold a generation, or a life of one, not followed yet, in
            reading order.
        grown: finished generations that go on, with the path where they do.
    """

    status: Status
    detail: str
    unknown: tuple[Candidate, ...]
    grown: tuple[tuple[Life, str], ...]


class Survey:
    """Looks at all files of one log.

    Args:
        source: whose log it is.
        siblings: where its generations may be.
        opener: the file system.
        first_time: tells whether a line is a timed record.
        pacing: waits.
        spool: where rests of files may be, if there is one.

    Attributes:
        confirm_s: seconds something must stay as it is to be believed.
        stale_s: seconds for which a look may show the log as it was before.
    """

    def __init__(
        self,
        source: Source,
        siblings: Siblings,
        opener: Opener,
        first_time: FirstTime,
        pacing: Pacing,
        spool: Spool | None = None,
    ) -> None:
        self._spool = spool
        self._source = source
        self._siblings = siblings
        self._opener = opener
        self._first_time = first_time
        self._pacing = pacing
        self._folder = flavour(source.path).split(source.path)[0]
        self._share = opener.is_share(source.path)
        self._doubts: dict[str, Wait] = {}
        self._copies: dict[str, tuple[int, bytes, Generation]] = {}  # compared before
        self.confirm_s, self.stale_s = pacing.rotation_wait_s, 0.0
        if self._share:
            self.stale_s = pacing.share_stale_s
            self.confirm_s = max(pacing.rotation_wait_s, pacing.share_confirm_s)

    def paths(self) -> list[str]:
        """Return the files there are; raises :class:`LookError`."""
        names = self._opener.names(self._folder, self._siblings.log)
        return self._siblings.select(names)

    def kept(self) -> list[str]:
        """Return what the spool has of the log."""
        return self._spool.paths(self._source) if self._spool else []

    def guesses(self, life: Life) -> Iterator[str]:
        """Yield where ``life`` may be: its last path, then all others."""
        yield life.path
        others = self.paths() + self.kept()
        yield from (path for path in others if path != life.path)

    def rotated(self, path: str) -> bool:
        """Tell whether ``path`` is not the one the log is written under."""
        return self._siblings.rotated(path)

    def proven(self, path: str) -> None:
        """Note that ``path`` is what it was: doubts of before count no longer."""
        self._doubts.pop(path, None)

    def tells_nothing(self, error: LookError, path: str) -> bool:
        """Tell whether ``error`` leaves open what ``path`` holds."""
        if error.trouble is Trouble.IRREGULAR:
            return not self.rotated(path)
        return error.trouble is not Trouble.MISSING

    def take(self, lives: list[Life], now: float, today: int) -> Census:
        """Look at every file.

        Args:
            lives: the generations followed.
            now: monotonic seconds.
            today: the day, counted from 1970.

        Raises:
            LookError: one of them cannot be told yet.
        """
        paths = self.paths()
        status = Status.FINISHED if paths else Status.NO_LOG
        trouble: LookError | None = None
        unknown: dict[str, Candidate] = {}
        grown: list[tuple[Life, str]] = []
        placed: set[int] = set()
        for path in paths + self.kept():
            try:
                candidate = self._identified(path, lives, now)
                if candidate.identity is None:
                    if not self.rotated(path):
                        status = Status.WAITING
                    continue
                gen_id = candidate.identity.gen_id
                life = self._followed(candidate, gen_id, lives, now)
            except LookError as error:
                if not self.tells_nothing(error, path):
                    continue
                if not self._passed_over(error, path, now):
                    raise
                trouble = LookError(error.trouble, f"{path}: {error.detail}")
                continue
            if life is None:
                unknown.setdefault(gen_id, candidate)
                continue
            self._doubts.pop(path, None)
            life.day = today
            if id(life) not in placed and not life.finished:
                life.path = path  # it may have been renamed since it was read
            placed.add(id(life))
            if life.finished and candidate.size > life.position:
                grown.append((life, path))
        ordered = sorted(unknown.values(), key=self._order)
        return Census(
            status=STATUS_OF[trouble.trouble] if trouble else status,
            detail=trouble.detail if trouble else "",
            unknown=tuple(ordered),
            grown=tuple(grown),
        )

    def _identified(self, path: str, lives: list[Life], now: float) -> Candidate:
        """Identify what ``path`` holds; nothing that may still change counts."""
        candidate = self._examine(path, at_end=self._pacing.once)
        short = candidate.identity is None and self.rotated(path)
        if short:
            candidate = self._examine(path, at_end=True)
        identity = candidate.identity
        known = {life.generation.gen_id for life in lives}
        if identity is None or identity.gen_id in known:
            return candidate
        if short and not self._sure(path, identity, now, self.confirm_s):
            raise LookError(Trouble.UNDECIDED, "too short to be told from others")
        wide = identity.encoding is not Encoding.ANSI
        if wide or short or NUL_RUN not in candidate.beginning[: identity.length]:
            return candidate
        pacing = self._pacing
        if not self._sure(path, identity, now, pacing.nul_wait_s, pacing.nul_looks):
            raise LookError(Trouble.UNDECIDED, "NUL bytes, not text")
        return candidate

    def _order(self, candidate: Candidate) -> tuple[bool, float, str]:
        """Sort by the first timed record, then by name; the active log is the last.

        It never ends, so nothing may wait for it: clocks of machines go back at times.
        """
        time = candidate.identity.first_time if candidate.identity else None
        active = not self.rotated(candidate.path)
        return active, inf if time is None else time, candidate.path

    def _followed(
        self, candidate: Candidate, gen_id: str, lives: list[Life], now: float
    ) -> Life | None:
        """Return the life that a file holds, or ``None`` if it is a new one."""
        path = candidate.path
        same = [life for life in reversed(lives) if life.has_id(gen_id)]
        differs, nul = True, False
        for life in same:
            found = probe(self._opener, path, life, read_bytes=0)
            if isinstance(found, Found):
                return life
            differs = differs and found.differs
            nul = nul or found.nul
        if not same:
            return None
        short = self.rotated(path) and not differs
        if short:
            for life in same:
                new = life.finished and candidate.size > life.position
                if not new and self._copied(candidate, life):
                    return life
        rewritten = ("rewritten", gen_id)
        confirm_s, looks = self.confirm_s if self._share or short else 0.0, 2
        if nul:
            confirm_s, looks = self._pacing.nul_wait_s, self._pacing.nul_looks
        if confirm_s and not self._sure(path, rewritten, now, confirm_s, looks):
            raise LookError(Trouble.UNDECIDED, "the file is not what it was")
        return None

    def _copied(self, candidate: Candidate, life: Life) -> bool:
        """Tell whether a file is a shorter copy of the one that holds ``life``."""
        path = candidate.path
        if path == life.path:
            return False  # it has become shorter, or is another one now
        looked = candidate.size, digest(candidate.beginning), life.generation
        if self._copies.get(path) == looked:
            return True
        try:
            copied = is_copy(self._opener, path, life.path)
        except LookError as error:
            if self.tells_nothing(error, path):
                raise
            return False  # it is gone: what this one holds is read, again or not
        if copied:
            self._copies[path] = looked
        return copied

    def _passed_over(self, error: LookError, path: str, now: float) -> bool:
        """Tell whether a rotated file has been in trouble for too long to wait for."""
        return (
            error.trouble in _SIBLING_TROUBLE
            and self.rotated(path)
            and self._sure(path, error.trouble, now, self._pacing.sibling_wait_s)
        )

    def _sure(
        self, path: str, what: object, now: float, seconds: float, looks: int = 2
    ) -> bool:
        wait = self._doubts.setdefault(path, Wait())
        return self._pacing.once or wait.passed(what, now, seconds, looks)

    def _examine(self, path: str, *, at_end: bool) -> Candidate:
        source, first_time = self._source, self._first_time
        return examine(self._opener, path, source, first_time, at_end=at_end)
