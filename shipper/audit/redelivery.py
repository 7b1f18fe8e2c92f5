# SPDX-License-Identifier: Apache-2.0
"""Dead letters sent again, once the cause of their refusal is gone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from shipper.audit.resending import Resending, batches
from shipper.config import OutputSettings
from shipper.deliver import Sink, Verdict
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
    """

    indexed: int
    duplicates: int
    refused: int
    damaged: tuple[int, ...]


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
                        self._progress(len(self._taken) + len(self._refused))
        finally:
            self._letters.settle(self._taken, self._refused)
        return Redelivered(
            indexed=self._indexed,
            duplicates=len(self._taken) - self._indexed,
            refused=len(self._refused),
            damaged=tuple(self._damaged),
        )

    def _fresh(self, wanted: frozenset[str]) -> Generator[Letter]:
        """Yield each letter that is wanted and can be sent, once."""
        seen = set()
        with closing(self._letters.read()) as entries:
            for entry in entries:
                if isinstance(entry, Damaged):
                    self._damaged.append(entry.line)
                    continue
                if entry.key in seen or (wanted and entry.id not in wanted):
                    continue
                seen.add(entry.key)
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
        self._taken.add(key)
        self._indexed += verdict.outcome is Outcome.DELIVERED


def _event(letter: Letter) -> Event:
    return Event(id=letter.id, stream=letter.stream, document=letter.document)
