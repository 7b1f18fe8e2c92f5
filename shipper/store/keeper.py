# SPDX-License-Identifier: Apache-2.0
"""Saves what is acknowledged: every second or eight batches, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shipper.clock import Clock
from shipper.errors import StateError
from shipper.records import Epochs, Observation, Source, Ticket
from shipper.store.database import Database, Sighting
from shipper.store.ledger import Ledger

EVERY_S = 1.0
_BATCHES = 8
_REPEAT_S = 60.0  # so old may the time of the last successful look be

_Name = tuple[str, str, int]


class Keeper:
    """Collects what there is to save and saves it in one transaction at a time.

    Args:
        database: where to.
        ledger: what is acknowledged.
        clock: time.
        saved: called with the newest saved chunk of each generation.
        every_s: seconds between saves, if there is news.
        since: tells from which epoch on documents not acknowledged may have been sent.
        epochs: tells which epochs there are.

    Attributes:
        trouble: why saving failed, if it did; the shipper has to stop then.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        *,
        saved: Callable[[Ticket], None] | None = None,
        every_s: float = EVERY_S,
        since: Callable[[], int] = int,
        epochs: Callable[[], Epochs] = dict,
    ) -> None:
        self._since = since
        self._epochs = epochs
        self._saved = saved
        self._every_s = every_s
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._batches = 0
        self._sightings: dict[_Name, Sighting] = {}
        self._known: dict[_Name, Observation] = {}
        self._statuses: dict[str, tuple[Source, str, str]] = {}
        self._last_status: dict[str, tuple[str, str, float]] = {}
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self.trouble: StateError | None = None

    def start(self) -> None:
        """Begin to save now and then."""
        self._thread.start()

    def sighted(self, sighting: Sighting) -> None:
        """Note what a visit found out about a generation."""
        generation = sighting.generation
        name = (sighting.source.key, generation.gen_id, generation.life)
        with self._lock:
            if self._known.get(name) != sighting.observation:
                self._known[name] = sighting.observation
                self._sightings[name] = sighting

    def visited(self, source: Source, status: str, detail: str) -> None:
        """Note what the visit of a source found: news, or at least once a minute."""
        now = self._clock.monotonic()
        with self._lock:
            *before, at = self._last_status.get(source.key, (None, None, 0.0))
            if before != [status, detail] or now - at >= _REPEAT_S:
                self._last_status[source.key] = (status, detail, now)
                self._statuses[source.key] = (source, status, detail)

    def batch_done(self) -> None:
        """Count a batch that has been acknowledged."""
        with self._lock:
            self._batches += 1
            enough = self._batches >= _BATCHES
        if enough:
            self._wake.set()

    def forget(self) -> None:
        """Forget what has been saved; what is still followed is noted again."""
        with self._lock:
            self._known.clear()

    def save(self) -> None:
        """Save what there is now.

        Raises:
            StateError: it cannot be saved; the shipper has to stop, in whatever thread
                this came up.
        """
        try:
            self._save()
        except StateError as error:
            self.trouble = error
            raise

    def _save(self) -> None:
        with self._saving:
            # Asked later, it might leave out a batch that the ledger still lacks.
            since = self._since()
            # The ledger first: a chunk's generation has been sighted before it.
            settled = self._ledger.take()
            with self._lock:
                sightings, self._sightings = self._sightings, {}
                statuses, self._statuses = self._statuses, {}
                self._batches = 0
            if settled or sightings or statuses:
                self._database.save(
                    sightings.values(),
                    settled,
                    statuses.values(),
                    since=since,
                    epochs=self._epochs(),
                )
            if self._saved is not None:
                for entry in settled:
                    self._saved(entry.ticket)

    def stop(self) -> None:
        """Save for the last time and end the thread.

        Raises:
            StateError: it could not be saved.
        """
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        if self.trouble is None:
            self.save()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(self._every_s)
            self._wake.clear()
            try:
                self.save()
            except StateError:
                return
            except Exception as error:  # noqa: BLE001  it must not end in silence
                self.trouble = StateError(
                    f"Progress cannot be saved: {type(error).__name__}: {error}.",
                    remedy="This is a fault of the program, please report it.",
                )
                self.trouble.__cause__ = error
                return
