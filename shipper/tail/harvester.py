# SPDX-License-Identifier: Apache-2.0
"""Follows one log through all its generations.

Each visit opens the file, proves by head and anchor that it is the generation being
followed, reads, checks the head again, and closes. Nothing is decided from a name, a
date or a size in a directory entry. What cannot be decided changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from msgspec.structs import replace

from shipper.clock import Clock
from shipper.records import (
    Checkpoint,
    Generation,
    Observation,
    Progress,
    Source,
)
from shipper.tail.candidates import Siblings, flavour
from shipper.tail.framing import before_nul_run, frame
from shipper.tail.identity import FirstTime, Head
from shipper.tail.life import Life
from shipper.tail.opener import LookError, Opener, Trouble
from shipper.tail.pacing import Pacing, Wait
from shipper.tail.probe import Candidate, Found, examine, probe
from shipper.tail.reading import STATUS_OF, Reading, Status

_log = structlog.get_logger(__name__)


class Harvester:
    """Reads one source.

    Args:
        source: whose log it is.
        siblings: where its generations may be.
        opener: the file system.
        first_time: tells whether a line is a timed record.
        clock: time.
        pacing: sizes and waits.
        checkpoints: what the store has of this source.

    Attributes:
        status: what the last visit found.
        detail: the system's own words about it, or empty.
        lives: the generations followed, in reading order.
    """

    def __init__(
        self,
        source: Source,
        siblings: Siblings,
        opener: Opener,
        first_time: FirstTime,
        clock: Clock,
        pacing: Pacing,
        checkpoints: tuple[Checkpoint, ...] = (),
    ) -> None:
        self.source = source
        self.status = Status.NEVER_SEEN
        self.detail = ""
        self.lives = [
            Life(saved.generation, saved.progress, saved.observation)
            for saved in sorted(checkpoints, key=lambda c: c.generation.ordinal)
        ]
        self._siblings = siblings
        self._opener = opener
        self._first_time = first_time
        self._clock = clock
        self._pacing = pacing
        self._folder = flavour(source.path).split(source.path)[0]
        self._still = Wait()
        self._missing = Wait()
        self._nul = Wait()
        self._short: dict[str, Wait] = {}
        self._next_survey = clock.monotonic() + pacing.survey_s

    @property
    def latest(self) -> Life | None:
        """The newest generation, if there is any."""
        return self.lives[-1] if self.lives else None

    def visit(self, *, read: bool = True) -> Reading | None:
        """Look at the log and return what is new in it, if anything.

        Args:
            read: hand on data. Without it the visit only keeps track of what is there,
                so that loss can be counted while nothing can be sent.
        """
        try:
            return self._visit(self._clock.monotonic(), read=read)
        except LookError as error:
            self.status, self.detail = STATUS_OF[error.trouble], error.detail
            return None

    def _visit(self, now: float, *, read: bool) -> Reading | None:
        while True:
            life = next((life for life in self.lives if not life.finished), None)
            if life is None:
                if not self._begin_next(now):
                    return None
                continue
            found, rewritten = self._find(life)
            if found is None:
                if not self._give_up(life, now, rewritten=rewritten):
                    return None
                continue
            self.status, self.detail = Status.OK, ""
            self._missing.reset()
            life.path = found.path
            if len(found.beginning) > life.head.length:
                life.head = Head.of(found.beginning)
            life.seen = max(life.seen, found.last_line_end)
            if not read:
                return None
            reading = self._take(life, found, now)
            if reading is not None:
                return reading
            if not life.finished and not self._reopened(now):
                return None

    def _find(self, life: Life) -> tuple[Found | None, str]:
        """Find the file that holds ``life``: the last path first, then all others.

        Returns:
            The proven find, or ``None`` and the path at which the same beginning goes
            on differently (or an empty string).
        """
        rewritten = ""
        for path in self._guesses(life):
            try:
                found = probe(
                    self._opener, path, life, read_bytes=self._pacing.read_bytes
                )
            except LookError as error:
                if self._tells_nothing(error, path):
                    raise
                continue
            if isinstance(found, Found):
                return found, ""
            if found.same_head:
                rewritten = rewritten or path
        return None, rewritten

    def _guesses(self, life: Life) -> Iterator[str]:
        yield life.path
        yield from (path for path in self._paths() if path != life.path)

    def _tells_nothing(self, error: LookError, path: str) -> bool:
        """Tell whether ``error`` leaves open what ``path`` holds."""
        if error.trouble is Trouble.IRREGULAR:
            return path == self.source.path
        return error.trouble is not Trouble.MISSING

    def _paths(self) -> list[str]:
        return self._siblings.select(self._opener.names(self._folder))

    def _take(self, life: Life, found: Found, now: float) -> Reading | None:
        """Frame what was read; decide whether the generation ends here."""
        body = found.data[life.position - found.start :]
        flags: tuple[str, ...] = ()
        nul = None if life.progress.skipping else before_nul_run(body, life.encoding)
        if nul == 0:
            if not self._nul_stayed(life, now):
                self.status, self.detail = Status.UNDECIDED, "NUL bytes, not text"
                return None
            flags, nul = ("nul",), body.find(b"\n") + 1 or None
        body = body[:nul]
        at_end = life.position + len(body) >= found.size
        settled = at_end and (self._pacing.once or self._rotated_and_still(found, now))
        chunks = tuple(
            replace(chunk, flags=flags + chunk.flags) if flags else chunk
            for chunk in frame(
                body,
                life.position,
                max_line_bytes=self._pacing.max_line_bytes,
                encoding=life.encoding,
                skipping=life.progress.skipping,
                final=settled,
            )
        )
        if settled:
            life.final = found.size
            life.seen = max(life.seen, found.size)
        if not chunks:
            return None
        life.remember(found.data, found.start + len(found.data))
        return Reading(life=life, chunks=chunks, more=not at_end)

    def _nul_stayed(self, life: Life, now: float) -> bool:
        """Tell whether NUL bytes at the read position have become content."""
        pacing = self._pacing
        where = (life.generation, life.position)
        return pacing.once or self._nul.passed(
            where, now, pacing.nul_wait_s, pacing.nul_looks
        )

    def _rotated_and_still(self, found: Found, now: float) -> bool:
        if found.path == self.source.path:
            return False
        still = (found.path, found.size)
        return self._still.passed(still, now, self._pacing.rotation_wait_s)

    def _give_up(self, life: Life, now: float, *, rewritten: str) -> bool:
        """Decide whether a generation that is nowhere is gone; count what went with it.

        It is given up only when that helps: a successor waits, or bytes are missing.
        """
        waiting = rewritten or self._unknown(now)
        if not (waiting or life.seen > life.position or self._pacing.once):
            self.status, self.detail = Status.NO_LOG, ""
            return False
        share = self._opener.is_share(self.source.path)
        wait = self._pacing.share_confirm_s if share else self._pacing.rotation_wait_s
        if rewritten and not share:
            wait = 0.0
        if not (
            self._pacing.once
            or (wait == 0.0)
            or self._missing.passed((life.generation, rewritten), now, wait)
        ):
            self.status, self.detail = Status.UNDECIDED, "the file being read is gone"
            return False
        life.lost = max(0, life.seen - life.position)
        life.gap = True
        life.final = life.position
        _log.warning(
            "log replaced before it was read to its end",
            host=self.source.host,
            path=life.path,
            generation=life.generation.gen_id,
            lost_bytes_at_least=life.lost,
        )
        if rewritten:
            self._start(self._examine(rewritten, at_end=True), again=life)
        return True

    def _begin_next(self, now: float) -> bool:
        """Begin the oldest generation not known yet, or reopen one that has grown."""
        unknown = self._unknown(now, reopen=True)
        if any(not life.finished for life in self.lives):
            return True
        if not unknown:
            return False
        self._start(min(unknown, key=Candidate.order))
        return True

    def _unknown(self, now: float, *, reopen: bool = False) -> list[Candidate]:
        """Return the candidates that hold a generation not known yet."""
        known: dict[str, Life] = {life.generation.gen_id: life for life in self.lives}
        unknown: dict[str, Candidate] = {}
        paths = self._paths()
        if reopen:
            self.status, self.detail = Status.FINISHED if paths else Status.NO_LOG, ""
        for path in paths:
            try:
                candidate = self._examine(path, at_end=self._pacing.once)
            except LookError as error:
                if self._tells_nothing(error, path):
                    raise
                continue
            if candidate.identity is None and self._settled(candidate, now):
                candidate = self._examine(path, at_end=True)
            if candidate.identity is None:
                if reopen and path == self.source.path:
                    self.status = Status.WAITING
                continue
            life = known.get(candidate.identity.gen_id)
            if life is None:
                unknown.setdefault(candidate.identity.gen_id, candidate)
            elif reopen and candidate.size > life.position:
                self._reopen(life, path)
        return list(unknown.values())

    def _reopened(self, now: float) -> bool:
        """Look now and then whether an older, finished generation has grown."""
        if self._pacing.once or now < self._next_survey:
            return False
        self._next_survey = now + self._pacing.survey_s
        status, detail = self.status, self.detail
        unfinished = sum(not life.finished for life in self.lives)
        self._unknown(now, reopen=True)
        self.status, self.detail = status, detail
        return sum(not life.finished for life in self.lives) > unfinished

    def _settled(self, candidate: Candidate, now: float) -> bool:
        """Tell whether a rotated file too short to be identified stays as it is."""
        if candidate.path == self.source.path or candidate.size == 0:
            return False
        wait = self._short.setdefault(candidate.path, Wait())
        return wait.passed(candidate.size, now, self._pacing.rotation_wait_s)

    def _reopen(self, life: Life, path: str) -> None:
        """Go on with a finished generation whose file has grown."""
        found = probe(self._opener, path, life, read_bytes=0)
        if isinstance(found, Found):
            life.final, life.path = None, path

    def _examine(self, path: str, *, at_end: bool) -> Candidate:
        return examine(self._opener, path, self.source, self._first_time, at_end=at_end)

    def _start(self, candidate: Candidate, *, again: Life | None = None) -> None:
        """Follow a new generation, which inherits its predecessor's state."""
        last = self.latest
        if candidate.identity is None:
            return
        generation = Generation(
            gen_id=candidate.identity.gen_id,
            ordinal=last.generation.ordinal + 1 if last else 0,
            life=again.generation.life + 1 if again else 0,
        )
        head = Head.of(candidate.beginning)
        observation = Observation(
            path=candidate.path,
            head_length=head.length,
            head=head.digest,
            first_time=candidate.identity.first_time,
            encoding=candidate.identity.encoding,
        )
        inherited = last.progress.snapshot if last else b""
        self.lives.append(Life(generation, Progress(snapshot=inherited), observation))
        _log.debug(
            "generation begun",
            host=self.source.host,
            path=candidate.path,
            generation=generation.gen_id,
        )
