# SPDX-License-Identifier: Apache-2.0
"""Dead letters sent again, once the cause of their refusal is gone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from shipper.audit.resending import Resending, batches, put_off
from shipper.config import OutputSettings
from shipper.deliver import Sink, Verdict
from shipper.errors import NotPermitted, SinkUnavailable
from shipper.records import Event, Outcome
from shipper.store import Damaged, DeadLetters, Key, Letter, Refusal

_UNSENDABLE = Refusal(
    status=0, error_type="unsendable", reason="it is no document a request could hold"
)


class Redelivered(Struct, frozen=True, kw_only=True):
    """What became of dead letters.

    Attributes:
        indexed: taken now.
        duplicates: there already; no letters any more, either.
        refused: refused again; they stay.
        damaged: numbers of lines that are no letters; they stay.
        unchecked: taken now, without a look into older backing indices.
        put_off: neither taken nor refused for good; they stay.
        problem: why, if there are any; a lack of privileges before all else.
    """

    indexed: int
    duplicates: int
    refused: int
    damaged: tuple[int, ...]
    unchecked: int = 0
    put_off: int = 0
    problem: SinkUnavailable | NotPermitted | None = None


class Redelivery:
    """Sends letters again, each once, and takes out of the file what was taken.

    A crash at any point loses no letter: the file changes at the end, as a whole, and
    what is sent a second time is found to be there.

    Args:
        letters: the file.
        sinks: gives the sink of a namespace; empty for letters that name none.
        output: sizes of a batch.
        progress: called with the number of letters dealt with.
    """

    def __init__(
        self,
        letters: DeadLetters,
        sinks: Callable[[str], Sink],
        output: OutputSettings,
        progress: Callable[[int], None],
    ) -> None:
        self._letters = letters
        self._sinks = sinks
        self._output = output
        self._progress = progress
        self._damaged: list[int] = []
        self._taken: set[Key] = set()
        self._refused: dict[Key, Refusal] = {}
        self._indexed = 0
        self._unchecked = 0
        self._put_off = 0
        self._problem: SinkUnavailable | NotPermitted | None = None

    def run(self, wanted: frozenset[str] = frozenset()) -> Redelivered:
        """Send letters again.

        Args:
            wanted: ids of those to send; all if there are none.

        Raises:
            StateError: the file cannot be read or written.
            SinkUnavailable: the server is away; what it had taken is taken out.
            NotPermitted: the same, for lack of a privilege.
        """
        try:
            with closing(self._fresh(wanted)) as fresh:
                for namespace, group in groupby(fresh, attrgetter("namespace")):
                    resending = Resending(self._sinks(namespace))
                    events = (_event(letter) for letter in group)
                    for batch in batches(events, self._output):
                        for event, verdict in zip(
                            batch, resending.send(batch), strict=True
                        ):
                            self._account(event, namespace, verdict)
                        dealt = len(self._taken) + len(self._refused)
                        self._progress(dealt + self._put_off)
        finally:
            self._letters.settle(self._taken, self._refused)
        return Redelivered(
            indexed=self._indexed,
            duplicates=len(self._taken) - self._indexed,
            refused=len(self._refused),
            damaged=tuple(self._damaged),
            unchecked=self._unchecked,
            put_off=self._put_off,
            problem=self._problem,
        )

    def _fresh(self, wanted: frozenset[str]) -> Generator[Letter]:
        """Yield each letter that is wanted and can be sent, once: as it was last."""
        found, damaged = self._letters.summary()
        self._damaged = [each.line for each in damaged]
        newer = {each.key: each.times for each in found}
        with closing(self._letters.read()) as entries:
            for entry in entries:
                if isinstance(entry, Damaged) or (wanted and entry.id not in wanted):
                    continue
                newer[entry.key] = newer.get(entry.key, 0) - 1
                if newer[entry.key]:  # one that came meanwhile has to wait, too
                    continue
                if entry.sendable:
                    yield entry
                else:
                    self._refused[entry.key] = _UNSENDABLE

    def _account(self, event: Event, namespace: str, verdict: Verdict) -> None:
        key = (event.stream, namespace, event.id)
        if verdict.outcome is Outcome.REJECTED:
            self._refused[key] = Refusal(
                status=verdict.status,
                error_type=verdict.error_type,
                reason=verdict.reason,
            )
            return
        if verdict.outcome is Outcome.RETRY:
            self._put_off += 1
            if not isinstance(self._problem, NotPermitted):
                problem = put_off(verdict)
                if self._problem is None or isinstance(problem, NotPermitted):
                    self._problem = problem
            return
        self._taken.add(key)
        self._unchecked += verdict.unchecked
        self._indexed += verdict.outcome is Outcome.DELIVERED


def _event(letter: Letter) -> Event:
    return Event(id=letter.id, stream=letter.stream, document=letter.document)
