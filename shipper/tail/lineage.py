# SPDX-License-Identifier: Apache-2.0
"""The generations of one log that are followed, in the order they are read."""

from __future__ import annotations

from math import inf

import structlog

from shipper.records import Checkpoint, Generation, Observation, Progress, Source
from shipper.tail.candidates import Siblings
from shipper.tail.life import Life
from shipper.tail.probe import Candidate

_log = structlog.get_logger(__name__)


class Lineage:
    """The generations of one log.

    Args:
        source: whose log it is.
        siblings: tells the active log from rotated ones.
        checkpoints: what the store has of this source.
        today: the day, counted from 1970.

    Attributes:
        lives: in reading order; one is read when those before it are finished.
    """

    def __init__(
        self,
        source: Source,
        siblings: Siblings,
        checkpoints: tuple[Checkpoint, ...],
        today: int,
    ) -> None:
        self._source = source
        self._siblings = siblings
        self.lives = [
            Life(saved.generation, saved.progress, saved.observation, saved.since)
            for saved in sorted(checkpoints, key=lambda c: c.generation.ordinal)
        ]
        for life in self.lives:
            life.day = today  # as if found: it is looked for now

    @property
    def current(self) -> Life | None:
        """The one to be read now, if any."""
        return next((life for life in self.lives if not life.finished), None)

    def begin(self, candidate: Candidate, today: int) -> Life | None:
        """Follow a new generation.

        It comes last, or before what is unfinished if it is older than that.
        """
        identity = candidate.identity
        if identity is None:
            return None
        place = self._place(candidate)
        ordinal = 0
        if place < len(self.lives):
            ordinal = self.lives[place].generation.ordinal - 1
        elif self.lives:
            ordinal = self.lives[-1].generation.ordinal + 1
        same = [life for life in self.lives if life.has_id(identity.gen_id)]
        number = max((life.generation.life for life in same), default=-1) + 1
        if candidate.kept is not None and candidate.kept.life not in {
            life.generation.life for life in same
        }:
            number = candidate.kept.life
        head = candidate.head(identity)
        life = Life(
            Generation(gen_id=identity.gen_id, ordinal=ordinal, life=number),
            candidate.origin,
            Observation(
                path=candidate.path,
                head_length=head.length,
                head=head.digest,
                first_time=identity.first_time,
                encoding=identity.encoding,
                day=today,
            ),
        )
        self.lives.insert(place, life)
        _log.debug(
            "generation begun",
            host=self._source.host,
            path=candidate.path,
            generation=identity.gen_id,
        )
        return life

    def enter(self, life: Life) -> None:
        """Let a generation inherit its predecessor's state, before it is read.

        Not sooner: it may have been begun while its predecessor was being read.
        """
        place = self.lives.index(life)
        if place and not life.position and life.carry is None:
            before = self.lives[place - 1]
            life.origin = life.progress = Progress(snapshot=before.progress.snapshot)
            before.carry = None  # nothing more is decoded with it

    def end(self, life: Life, size: int) -> None:
        """End a generation behind ``size`` bytes; say what is missing."""
        life.end(size)
        if life.gap:
            say = _log.warning if life.lost else _log.info
            say(
                "log replaced or removed; it may have held more than was read",
                host=self._source.host,
                path=life.path,
                generation=life.generation.gen_id,
                lost_bytes_at_least=life.lost,
            )

    def prune(self, oldest: int) -> None:
        """Let go of finished ones found last before the day ``oldest``.

        The newest stays: its successor inherits from it.
        """
        kept = [life for life in self.lives[:-1] if not life.over(oldest)]
        self.lives = kept + self.lives[-1:]

    def _place(self, candidate: Candidate) -> int:
        if not self._siblings.rotated(candidate.path):
            return len(self.lives)
        time = candidate.identity.first_time if candidate.identity else None
        for place, life in enumerate(self.lives):
            # The active log never ends, so nothing may wait for it.
            active = not self._siblings.rotated(life.path)
            later = (life.first_time or inf) > (time or -inf)
            if not life.finished and (active or later):
                return place
        return len(self.lives)
