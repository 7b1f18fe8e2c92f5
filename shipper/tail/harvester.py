# SPDX-License-Identifier: Apache-2.0
"""Follows one log through all its generations.

Each visit opens the file, proves by head and anchor that it is the generation being
followed, reads, checks the head again, and closes. Nothing is decided from a name, a
date or a size in a directory entry. What cannot be decided changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from shipper.clock import Clock
from shipper.records import Checkpoint, Generation, Source
from shipper.tail.candidates import Siblings
from shipper.tail.framing import before_nul_run, frame
from shipper.tail.identity import FirstTime
from shipper.tail.life import Life, today
from shipper.tail.lineage import Lineage
from shipper.tail.opener import LookError, Opener
from shipper.tail.pacing import Pacing, Wait
from shipper.tail.probe import Candidate, Found, is_copy, probe
from shipper.tail.reading import STATUS_OF, Reading, Status
from shipper.tail.rescue import Spool, rescue
from shipper.tail.survey import Survey

_DECISIONS = 100  # in one visit: generations finished, given up, begun
_LINE_END_BYTES = 4  # the longest line end, CR and LF in UTF-16


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
        spool: where rests of files are kept while nothing can be delivered.

    Attributes:
        status: what the last visit found.
        detail: the system's own words about it, or empty.
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
        spool: Spool | None = None,
    ) -> None:
        self.source = source
        self.status = Status.NEVER_SEEN
        self.detail = ""
        self._opener = opener
        self._clock = clock
        self._pacing = pacing
        # Less could not tell an overlong line from an unfinished one.
        line_bytes = pacing.max_line_bytes + _LINE_END_BYTES
        self._read_bytes = max(pacing.read_bytes, line_bytes)
        self._lineage = Lineage(source, siblings, checkpoints, today(clock))
        self._spool = spool
        self._survey = Survey(source, siblings, opener, first_time, pacing, spool)
        self._still = Wait()
        self._missing = Wait()
        self._nul = Wait()
        self._next_survey = clock.monotonic() + pacing.survey_s

    @property
    def lives(self) -> list[Life]:
        """The generations followed, in reading order."""
        return self._lineage.lives

    def visit(self, *, read: bool = True) -> Reading | None:
        """Look at the log and return what is new in it, if anything.

        Args:
            read: hand on data. Without it the visit only keeps track of what is there,
                so that loss can be counted while nothing can be sent.
        """
        now = self._clock.monotonic()
        if now >= self._next_survey and not self._pacing.once:
            self._next_survey = now + self._pacing.survey_s
            with suppress(LookError):
                self._survey_old(now)
        try:
            return self._visit(now, read=read)
        except LookError as error:
            self.status, self.detail = STATUS_OF[error.trouble], error.detail
            return None

    def rescue(self, unsaved: Mapping[Generation, int]) -> None:
        """Keep what is left of rotated files, while nothing can be delivered.

        Args:
            unsaved: generations of which something read is not saved as acknowledged,
                with the offset from which on.
        """
        now = self._clock.monotonic()
        for life in list(self.lives):
            self._rescue(life, unsaved)
        with suppress(LookError):
            for candidate in self._reopen_grown(now):
                begun = self._lineage.begin(candidate, today(self._clock))
                if begun is not None:
                    self._rescue(begun, unsaved)

    def _rescue(self, life: Life, unsaved: Mapping[Generation, int]) -> None:
        start = unsaved.get(life.generation, life.position)
        if self._spool is None or (life.finished and start == life.position):
            return
        with suppress(LookError):
            found = self._find(life)
            if found is None:
                return
            if not life.finished:
                life.found(found.path, found.beginning, found.last_line_end)
            if self._survey.rotated(found.path):
                rescue(self._opener, found.path, self.source, life, start, self._spool)

    def _visit(self, now: float, *, read: bool) -> Reading | None:
        for _ in range(_DECISIONS):
            life = self._lineage.current
            if life is None:
                if not self._begin_next(now):
                    return None
                continue
            found = self._find(life)
            if found is None:
                if not self._give_up(life, now):
                    return None
                continue
            self.status, self.detail = Status.OK, ""
            self._missing.reset()
            self._survey.proven(found.path)
            life.found(found.path, found.beginning, found.last_line_end)
            rotated = self._survey.rotated(found.path)
            life.was_there(found.size, now, self._survey.stale_s, rotated=rotated)
            if not read:
                return None
            reading = self._take(life, found, now)
            if reading is not None or not life.finished:
                return reading
        return None  # whatever it is, it must not keep others waiting

    def _find(self, life: Life) -> Found | None:
        """Find the file that holds ``life``.

        The active log decides at once. Of rotated files that go on alike the longest
        counts: others may be older copies.
        """
        best: Found | None = None
        trouble: LookError | None = None
        read_bytes = self._read_bytes + life.seen_to - life.position
        for path in self._survey.guesses(life):
            try:
                found = probe(self._opener, path, life, read_bytes=read_bytes)
            except LookError as error:
                if self._survey.tells_nothing(error, path):
                    trouble = trouble or error
                continue
            if not isinstance(found, Found):
                continue
            if best is not None and not self._extends(found, best):
                continue
            best = found
            if not self._survey.rotated(path):
                break
        if best is None and trouble is not None:
            raise trouble
        return best

    def _extends(self, found: Found, best: Found) -> bool:
        """Tell whether a longer file goes on with what ``best`` has to be read."""
        with suppress(LookError):
            longer = found.size > best.size
            return longer and is_copy(self._opener, best.path, found.path, best.start)
        return False

    def _take(self, life: Life, found: Found, now: float) -> Reading | None:
        """Frame what was read; decide whether the generation ends here."""
        body = found.data[life.position - found.start :]
        held = life.seen_to - life.position  # begins a record that may go on
        nul = before_nul_run(body[held:], life.encoding)
        life.nul = nul == 0 and (
            # The rest of a line that was found to have them is skipped as it comes.
            (life.nul and life.progress.skipping) or self._nul_stayed(life, now)
        )
        if nul == 0:
            if not life.nul:
                self.status, self.detail = Status.UNDECIDED, "NUL bytes, not text"
                return None
            body = body[: body.find(b"\n", held) + 1 or None]
        elif nul is not None:
            body = body[: held + nul]
        at_end = life.position + len(body) >= found.size
        settled = at_end and (self._pacing.once or self._rotated_and_still(found, now))
        chunks = tuple(
            frame(
                body,
                life.position,
                max_line_bytes=self._pacing.max_line_bytes,
                encoding=life.encoding,
                skipping=life.progress.skipping,
                final=settled,
            )
        )
        end = chunks[-1].end if chunks else life.position
        # A rest read to its end is given back: its file may be gone by then.
        if settled or (found.kept and end == found.size):
            self._lineage.end(life, found.size)
        if not chunks or (end == life.seen_to and not settled):
            return None
        self._lineage.enter(life)
        life.remember(found.data, found.start + len(found.data))
        return Reading(life=life, chunks=chunks, more=not at_end, final=settled)

    def _nul_stayed(self, life: Life, now: float) -> bool:
        """Tell whether NUL bytes behind what was handed on have become content."""
        pacing = self._pacing
        where = (life.generation, life.seen_to)
        return pacing.once or self._nul.passed(
            where, now, pacing.nul_wait_s, pacing.nul_looks
        )

    def _rotated_and_still(self, found: Found, now: float) -> bool:
        if not self._survey.rotated(found.path):
            return False
        still = (found.path, found.size)
        return self._still.passed(still, now, self._survey.confirm_s)

    def _give_up(self, life: Life, now: float) -> bool:
        """Decide whether a generation that is nowhere is gone; count what went with it.

        It is given up only when that helps: a successor waits, or bytes are missing.
        """
        once = self._pacing.once
        census = self._survey.take(self.lives, now, today(self._clock))
        awaited = census.unknown or life is not self.lives[-1]
        if not (awaited or life.seen > life.position or once):
            waiting = census.status is Status.WAITING
            self.status = census.status if waiting else Status.NO_LOG
            self.detail = ""
            return False
        rewritten = any(
            other.identity and life.has_id(other.identity.gen_id)
            for other in census.unknown
        )
        gone = once or rewritten
        if not (
            gone or self._missing.passed(life.generation, now, self._survey.confirm_s)
        ):
            self.status, self.detail = Status.UNDECIDED, "the file being read is gone"
            return False
        life.gap = True
        self._lineage.end(life, life.position)
        return True

    def _begin_next(self, now: float) -> bool:
        """Begin the oldest generation not known yet, or reopen one that has grown."""
        unknown = self._reopen_grown(now)
        if self._lineage.current is not None:
            return True
        if not unknown:
            return False
        self._lineage.begin(unknown[0], today(self._clock))
        return True

    def _survey_old(self, now: float) -> None:
        """See whether something older than the log being followed needs reading."""
        unknown = self._reopen_grown(now)
        if unknown and self._survey.rotated(unknown[0].path):
            self._lineage.begin(unknown[0], today(self._clock))
        self._lineage.prune(today(self._clock) - self._pacing.keep_days)

    def _reopen_grown(self, now: float) -> tuple[Candidate, ...]:
        """Go on with finished generations that have grown; return the unknown ones."""
        census = self._survey.take(self.lives, now, today(self._clock))
        if all(life.finished for life in self.lives):
            self.status, self.detail = census.status, census.detail
        for life, path in census.grown:
            # `once` takes a file as it is: what it has read to the end stays read.
            if not (self._pacing.once and life.position > life.origin.offset):
                life.reopen(path)
        return census.unknown
