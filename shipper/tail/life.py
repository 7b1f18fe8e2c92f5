# SPDX-License-Identifier: Apache-2.0
"""One generation being followed: its read position and the proofs that guard it."""

from __future__ import annotations

from shipper.clock import Clock
from shipper.records import Chunk, Encoding, Generation, Observation, Progress
from shipper.tail.identity import ANCHOR_BYTES, Head, digest

_DAY_MS = 86_400_000


class Life:
    """Mutable reading state of one generation; owned by its harvester.

    Args:
        generation: which one it is.
        progress: where reading goes on, and the state as of there.
        observation: what else is known of it.
        since: epoch from which on what is not acknowledged may have been sent.

    Attributes:
        origin: where reading began, with the inherited state.
        seen_to: end of what was handed on, in bytes; behind the read position if a
            record may go on there, so that it has to be handed on again with more.
        there_before: bytes that may have been there before this process came.
        nul: the line at the read position has runs of NUL bytes that stayed.
        carry: decoded state of the later stages as of the read position; the tailer
            keeps it for them and never looks inside.
    """

    def __init__(
        self,
        generation: Generation,
        progress: Progress,
        observation: Observation,
        since: int = 0,
    ) -> None:
        self.generation = generation
        self.progress = progress
        self.path = observation.path
        self.head = Head(length=observation.head_length, digest=observation.head)
        self.seen = observation.seen
        # What was read behind the position, and not saved, has to be read again.
        ended = observation.final == progress.offset
        self.final = observation.final if ended else None
        self.lost = observation.lost
        self.gap = observation.gap
        self.first_time = observation.first_time
        self.encoding: Encoding = observation.encoding
        self.day = observation.day
        self.origin = progress
        self.seen_to = progress.offset
        self.there_before = 0
        self._looked_at: float | None = None  # first
        self._sure = False
        self._since = since
        self.nul = False
        self.carry: object | None = None
        self._around = b""  # the bytes that end at `_around_end`
        self._around_end = progress.offset

    @property
    def position(self) -> int:
        """Read position in bytes."""
        return self.progress.offset

    @property
    def finished(self) -> bool:
        """It was read to its end, and nothing more is expected."""
        return self.final == self.position

    def has_id(self, gen_id: str) -> bool:
        """Tell whether it is a life of that generation."""
        return self.generation.gen_id == gen_id

    def proven_by(self, before: bytes) -> bool:
        """Tell whether ``before``, ending at the read position, is what was read."""
        return self.position == 0 or digest(before) == self.progress.anchor

    def found(self, path: str, beginning: bytes, last_line_end: int) -> None:
        """Take down what a look at its file showed."""
        self.path = path
        self.grow_head(beginning)
        self.seen = max(self.seen, last_line_end)

    def sent_since(self, offset: int) -> int | None:
        """Return the epoch from which on what is at ``offset`` may have been sent.

        ``None``: it was not there yet when this process came, so nobody has.
        """
        return self._since if offset < self.there_before else None

    def was_there(
        self, size: int, now: float, stale_s: float, *, rotated: bool
    ) -> None:
        """Take down that a look found so many bytes: at first they were there before.

        Args:
            size: bytes.
            now: monotonic seconds.
            stale_s: seconds for which a look may show the file as it was before.
            rotated: it is no longer written; what appears in it, as in a copy that is
                still being made, was in the log before.
        """
        if self._sure and not rotated:
            return
        if self._looked_at is None:
            self._looked_at = now
        self._sure = now - self._looked_at >= stale_s
        self.there_before = max(self.there_before, size, self.seen)

    def grow_head(self, beginning: bytes) -> None:
        """Let the head cover more of a file that begins with ``beginning``.

        Only bytes before the read position are a proof: what follows may be NUL bytes
        today and text tomorrow.
        """
        proven = beginning[: self.position]
        if len(proven) > self.head.length:
            self.head = Head.of(proven)

    def end(self, size: int) -> None:
        """Expect nothing more behind ``size`` bytes; what was seen there is lost."""
        self.lost = max(0, self.seen - size)
        self.gap = self.gap or self.lost > 0
        self.seen = max(self.seen, size)
        self.final = size

    def reopen(self, path: str) -> None:
        """Go on with it at ``path``; what was thought lost is there."""
        self.path, self.final = path, None
        self.lost, self.gap = 0, False

    def remember(self, data: bytes, end: int) -> None:
        """Keep what was read (``data`` ends at offset ``end``) to make anchors from."""
        self._around, self._around_end = data, end

    def advance(self, chunk: Chunk, end: int, snapshot: bytes) -> Progress:
        """Move the read position behind what was made of ``chunk``.

        Args:
            chunk: the chunk handed on.
            end: how far it was consumed, at most ``chunk.end``.
            snapshot: state of the later stages as of ``end``.
        """
        self.seen_to = chunk.end
        cut = len(self._around) - (self._around_end - end)
        begin = max(0, cut - ANCHOR_BYTES)
        self.progress = Progress(
            offset=end,
            skipping=chunk.skipping and end == chunk.end,
            anchor=digest(self._around[begin:cut]),
            snapshot=snapshot,
        )
        self._around = self._around[begin:]  # thousands of quiet logs keep this
        return self.progress

    def over(self, day: int) -> bool:
        """Tell whether it is finished and was found last before ``day``."""
        return self.finished and self.day < day

    def observe(self) -> Observation:
        """Return what is known of it beside the reading position."""
        return Observation(
            path=self.path,
            head_length=self.head.length,
            head=self.head.digest,
            seen=max(self.seen, self.position),
            final=self.final,
            lost=self.lost,
            gap=self.gap,
            first_time=self.first_time,
            encoding=self.encoding,
            day=self.day,
        )


def today(clock: Clock) -> int:
    """Return the day, counted from 1970, UTC."""
    return clock.wall_ms() // _DAY_MS
