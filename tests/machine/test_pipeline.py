# SPDX-License-Identifier: Apache-2.0
"""Whatever log, share, server and process do in whatever order: each line once.

The tailer's own machine (``tests/tail/test_machine.py``) forbids what destroys unread
lines, this one allows everything and keeps book of what may be missing.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from shipper.tail.opener import Trouble
from tests.enrich.story import OFFERS, failed
from tests.fakes import faults
from tests.fakes.cluster import Cluster, Fault, Operation, Take
from tests.machine.oracle import Oracle
from tests.machine.pipeline import Killed, Pipeline
from tests.tail.following import ACTIVE, ROTATED, Memory, line

BACKUP = "Clisvc-20030212-101000.log"
NUL_BYTES = 40


def killed(share: float) -> Fault:
    """Kill the process when this share of the documents was indexed."""

    def fault(take: Take, sent: list[Operation]) -> None:
        take(sent[: round(len(sent) * share)])
        raise Killed

    return fault


FAULTS: dict[str, Fault] = {
    "cut before": faults.cut(0),
    "cut halfway": faults.cut(0.5),
    "cut after (lost reply)": faults.cut(1),
    "401": faults.answer(401),
    "403": faults.answer(403),
    "413": faults.answer(413),
    "429": faults.answer(429),
    "503": faults.answer(503),
    "504 of a proxy, after indexing": faults.answer(504, indexed=True),
    "items 429": faults.answer_items(429, "es_rejected_execution_exception"),
    "items 403": faults.answer_items(403, "cluster_block_exception", every=3),
    "items 400": faults.answer_items(400, "document_parsing_exception"),
    "all items 400": faults.answer_items(400, "document_parsing_exception", every=1),
    "short": faults.short,
    "malformed": faults.malformed,
    "no items": faults.no_items,
    "failure store": faults.failure_store,
}
KILLS: dict[str, Fault] = {
    "killed before": killed(0),
    "killed halfway": killed(0.5),
    "killed after": killed(1),
}
SECONDS = st.sampled_from([0.0, 0.3, 1.0, 4.0, 6.0, 13.0, 70.0])
BETWEEN = st.sampled_from(["nothing", "look", "save", "roll over", "write"])


class Shipping(RuleBasedStateMachine):
    """A writer, a share, a server, and a shipper that is killed at any moment."""

    @initialize(share=st.booleans())
    def begin(self, *, share: bool) -> None:
        """Start with an empty folder, an empty store and an empty index."""
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        self.temporary = tempfile.TemporaryDirectory()
        self.world = Memory(share=share)
        self.cluster = Cluster()
        self.pipeline = Pipeline(
            self.world.files, self.cluster, Path(self.temporary.name)
        )
        self.oracle = Oracle(self.cluster)
        self.count = 0
        self.unwritten = b""  # rest of a line of which half is on disk
        self.between: list[str] = []

    # --- the writer -----------------------------------------------------------------

    def _next_line(self, size: int) -> bytes:
        self.count += 1
        text = f"{self.count:05} " + "x" * size
        return line(self.count, failed(OFFERS) if size == 1 else text)

    @rule(sizes=st.lists(st.sampled_from([0, 1, 9, 90, 250]), min_size=1, max_size=3))
    def write_lines(self, sizes: list[int]) -> None:
        """Append whole lines: calm ones, a failed launch (1), overlong ones."""
        new = self.unwritten + b"".join(self._next_line(size) for size in sizes)
        self.unwritten = b""
        self.world.append(ACTIVE, new)
        self._changed()

    @rule(number=st.integers(10, 30))
    def write_many(self, number: int) -> None:
        """Append so many lines that the room in memory may become short."""
        self.write_lines([40] * number)

    @rule(cut=st.integers(5, 60))
    def write_half_a_line(self, cut: int) -> None:
        """Append a part of a line, at least its number, or some more of it."""
        whole = self.unwritten or self._next_line(0)
        cut = min(cut, len(whole) - 1)
        self.world.append(ACTIVE, whole[:cut])
        self.unwritten = whole[cut:]
        self._changed()

    @precondition(lambda self: self._has_content())
    @rule()
    def rename(self) -> None:
        """Rotate by renaming; the next write creates the log anew."""
        self.unwritten = b""
        self.world.rename(ACTIVE, ROTATED)
        self._changed()

    @precondition(lambda self: self._has_content())
    @rule()
    def copy_and_truncate(self) -> None:
        """Rotate by copying and truncating in place."""
        self.unwritten = b""
        self.world.copy(ACTIVE, ROTATED)
        self.world.rewrite(ACTIVE, b"")
        self._changed()

    @precondition(lambda self: self._has_content())
    @rule(more=st.integers(0, 200), kept=st.sampled_from([0, 1, 12, 20]))
    def truncate_and_regrow(self, more: int, kept: int) -> None:
        """Truncate in place and write beyond the old end before anybody looks.

        ``kept`` lines are the same as before: more than a head covers, at times.
        """
        old = self.world.read(ACTIVE)
        new = b"".join(old[: old.rfind(b"\n") + 1].splitlines(keepends=True)[:kept])
        while len(new) <= len(old) + more:
            new += self._next_line(40)
        self.unwritten = b""
        self.world.rewrite(ACTIVE, new)
        self._changed()

    @precondition(lambda self: self._exists(ACTIVE))
    @rule()
    def truncate(self) -> None:
        """Truncate in place."""
        self.unwritten = b""
        self.world.rewrite(ACTIVE, b"")
        self._changed()

    @precondition(lambda self: self._exists(ACTIVE))
    @rule(name=st.sampled_from([ACTIVE, ROTATED, BACKUP]))
    def delete(self, name: str) -> None:
        """Delete a file."""
        if self._exists(name):
            if name == ACTIVE:
                self.unwritten = b""
            self.world.remove(name)
            self._changed()

    @precondition(lambda self: self._has_content())
    @rule(lines=st.integers(1, 3))
    def re_create(self, lines: int) -> None:
        """Delete the log and begin it again with the very same first line."""
        old = self.world.read(ACTIVE)
        head = old[: old.find(b"\n") + 1]
        self.unwritten = b""
        new = b"".join(self._next_line(9) for _ in range(lines))
        self.world.write(ACTIVE, head + new)
        self._changed()

    @precondition(lambda self: self._has_content() and not self.unwritten)
    @rule()
    def back_up(self) -> None:
        """Leave a copy of the log beside it."""
        self.world.copy(ACTIVE, BACKUP)
        self._changed()

    # --- the file system ------------------------------------------------------------

    @rule(
        name=st.sampled_from([ACTIVE, ROTATED, ""]),
        trouble=st.sampled_from([Trouble.LOCKED, Trouble.DENIED, Trouble.UNREACHABLE]),
    )
    def trouble(self, name: str, trouble: Trouble) -> None:
        """A file is locked or denied, or the host is down."""
        path = self.world.path(name) if name else self.world.folder
        self.world.files.faults[path] = trouble
        if not name:
            for each in (ACTIVE, ROTATED, BACKUP):
                self.world.files.faults[self.world.path(each)] = trouble

    @precondition(lambda self: self.world.files.faults)
    @rule()
    def sound_again(self) -> None:
        """All files can be opened again."""
        self.world.files.faults.clear()

    @precondition(lambda self: self._has_content() and not self.world.files.faults)
    @rule(begin=st.floats(0, 1))
    def read_nul(self, begin: float) -> None:
        """One look sees NUL bytes where text is; more of them would be content."""
        content = self.world.read(ACTIVE)
        cut = round(begin * len(content))
        nul = min(len(content) - cut, NUL_BYTES)
        seen = content[:cut] + b"\0" * nul + content[cut + nul :]
        if nul == NUL_BYTES:
            self._look_at_other(seen, 1.0)
            self.look(1.0)

    @precondition(lambda self: self._has_content())
    @rule(begin=st.floats(0, 1), seconds=SECONDS)
    def stale(self, begin: float, seconds: float) -> None:
        """One look at a share sees the log as it was some time ago."""
        content = self.world.read(ACTIVE)
        if self.world.files.is_share(self.world.folder):
            self._look_at_other(content[: round(begin * len(content))], seconds)
            self.look(1.0)

    def _look_at_other(self, seen: bytes, seconds: float) -> None:
        path = self.world.path(ACTIVE)
        self.world.files.stale[path] = seen
        self.look(seconds)
        self.world.files.stale.clear()

    # --- the shipper ----------------------------------------------------------------

    @rule(seconds=SECONDS)
    def look(self, seconds: float) -> None:
        """The reader looks."""
        self.pipeline.look(seconds)

    @rule()
    def take(self) -> None:
        """A sender takes a batch."""
        self.pipeline.take()

    @rule(
        number=st.integers(0, 3),
        troubles=st.lists(st.sampled_from(sorted(FAULTS)), max_size=3),
        kill=st.sampled_from([None, None, None, *sorted(KILLS)]),
        between=st.lists(BETWEEN, max_size=3),
        look_ups=st.lists(st.sampled_from([0, 429, 503]), max_size=2),
    )
    def deliver(
        self,
        number: int,
        troubles: list[str],
        kill: str | None,
        between: list[str],
        look_ups: list[int],
    ) -> None:
        """A sender delivers a batch in spite of trouble, or is killed over it."""
        if not (self.pipeline.batches or self.pipeline.take()):
            return
        self.cluster.faults.extend(FAULTS[name] for name in troubles)
        self.cluster.look_up_faults.extend(look_ups)
        if kill is not None:
            self.cluster.faults.append(KILLS[kill])
        self.between = between
        self.pipeline.meanwhile = self._meanwhile
        try:
            self.pipeline.deliver(number)
        except Killed:
            self._crash()
        finally:
            self._heal()

    def _heal(self) -> None:
        self.cluster.faults.clear()
        self.cluster.look_up_faults.clear()
        self.between = []

    def _meanwhile(self) -> None:
        """What the others do while a sender waits before it tries again.

        Not between its look-up and its request: no server can exclude that a data
        stream rolls over just then.
        """
        match self.between.pop() if self.between else "nothing":
            case "look":
                self.look(1.0)
            case "save":
                self.save()
            case "roll over":
                self.roll_over()
            case "write":
                self.write_lines([0])
            case _:
                pass

    @rule()
    def deliver_all(self) -> None:
        """All that was read is delivered."""
        self.pipeline.deliver_all()

    @rule()
    def outage(self) -> None:
        """A sender finds that the server is away; the others notice that, too."""
        self.pipeline.fail()

    @rule()
    def roll_over(self) -> None:
        """The data streams begin new backing indices."""
        for stream in self.cluster.streams():
            self.cluster.rollover(stream)

    @rule(kill=st.booleans())
    def roll_over_unanswered(self, *, kill: bool) -> None:
        """A batch is indexed, nobody hears of it, and the data streams roll over."""
        if not (self.pipeline.batches or self.pipeline.take()):
            return
        self.cluster.faults.append(killed(1) if kill else faults.cut(1))
        self.between = ["roll over"]
        self.pipeline.meanwhile = self._meanwhile
        try:
            self.pipeline.deliver()
        except Killed:
            self.roll_over()
            self._crash()
        finally:
            self._heal()

    @rule()
    def save(self) -> None:
        """The keeper saves, and the books are right."""
        self.pipeline.save()
        self.oracle.check_books(self.pipeline.checkpoints, self.pipeline.letters)

    @rule()
    def crash(self) -> None:
        """The process is killed and started again."""
        self._crash()

    def _crash(self) -> None:
        self._heal()
        self.oracle.killed(self.pipeline.letters)
        self.pipeline.crash()
        self.pipeline.start()

    @rule()
    def restart(self) -> None:
        """The process is stopped in order and started again."""
        self.pipeline.stop()
        self.pipeline.start()

    @rule(damaged=st.booleans())
    def lose_state(self, *, damaged: bool) -> None:
        """The process is killed, and its store is lost or damaged."""
        self.oracle.killed(self.pipeline.letters)
        self.pipeline.crash()
        store = self.pipeline.store
        for suffix in ("-wal", "-shm"):
            store.with_name(store.name + suffix).unlink(missing_ok=True)
        if damaged:
            store.write_bytes(b"\0" * 4096)
        else:
            store.unlink()
        self.pipeline.start()

    # --- what holds -----------------------------------------------------------------

    def _exists(self, name: str) -> bool:
        return self.world.files.exists(self.world.path(name))

    def _has_content(self) -> bool:
        return self._exists(ACTIVE) and b"\n" in self.world.read(ACTIVE)

    def _changed(self) -> None:
        files = {
            name: (self.world.read(name), name != ACTIVE)
            for name in (ACTIVE, ROTATED, BACKUP)
            if self._exists(name)
        }
        self.oracle.changed(files, self.pipeline)

    @invariant()
    def holds_always(self) -> None:
        """Nothing is doubled or made up, and no handle is held between looks."""
        self.oracle.check_index()
        assert self.world.files.open_now == 0

    def teardown(self) -> None:
        """In the end, with all trouble over, everything is there."""
        if not hasattr(self, "pipeline"):
            return
        try:
            self._finish()
        finally:
            self.pipeline.crash()
            self.temporary.cleanup()

    def _finish(self) -> None:
        self.world.files.faults.clear()
        for _ in range(20):
            for _ in range(20):
                if self.pipeline.look(7.0):
                    break
                self.pipeline.deliver_all()
            self.pipeline.deliver_all()
        self.save()
        self.oracle.check_end(self.pipeline.letters)
        assert self.pipeline.outstanding == 0
        left = [saved for saved in self.pipeline.checkpoints if saved.pending]
        assert not left, f"seen, and neither delivered nor counted as lost: {left}"


#: ``make soak`` asks for many; otherwise half of what a profile gives a plain test.
_ASKED = os.environ.get("MACHINE_EXAMPLES")

TestShipping = pytest.mark.timeout(0 if _ASKED else 280)(Shipping.TestCase)
TestShipping.settings = settings(
    max_examples=int(_ASKED or settings().max_examples // 2), stateful_step_count=50
)
