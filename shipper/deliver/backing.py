# SPDX-License-Identifier: Apache-2.0
"""Backing indices of our data streams, and what is in them.

Elasticsearch keeps an ``_id`` unique only within one backing index
(elastic/elasticsearch#44794, #56273): a document that may have been sent before the
data stream rolled over has to be looked for before it is sent again. It is looked for
in the newest index, too: the data stream may roll over before the request arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import structlog
from elasticsearch import (
    ApiError,
    Elasticsearch,
    TransportError,
    UnsupportedProductError,
)

from shipper.clock import Clock
from shipper.deliver.problems import explain, outage, public_url
from shipper.deliver.sink import Outage
from shipper.errors import NotPermitted, SinkUnavailable
from shipper.records import Epochs, Event, Stream

_log = structlog.get_logger(__name__)

FAILURES = (ApiError, TransportError, UnsupportedProductError)
LEARN_S = 60.0
#: Seconds a bulk request may wait for a shard that is just being started.
SHARD_WAIT_S = 2
#: Seconds after which a request nobody waits for has done all it ever will.
SETTLE_S = SHARD_WAIT_S + 8.0
_IDS = 2_000
_CLOSED, _FORBIDDEN, _MISSING = 400, 403, 404
_NEVER = float("-inf")

#: What a document is known by.
Key = tuple[Stream, str]


class Backing:
    """Keeps track of backing indices. Safe for several threads.

    Nothing is asked before it is needed, and then only in the thread of a sender.

    Args:
        client: the client.
        namespace: of the data streams.
        url: for messages.
        clock: time.
    """

    def __init__(
        self, client: Elasticsearch, namespace: str, url: str, clock: Clock
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._url = url
        self._clock = clock
        self._streams = {Stream.CLISVC, Stream.STATE}
        self._epochs: dict[int, Mapping[str, str]] = {}
        self._epoch = 0
        self._indices: dict[str, list[str]] | None = {}  # None: no right to know
        self._lock = threading.Lock()
        self._asked_at = self._settled_at = _NEVER
        self._warned = False

    @property
    def epochs(self) -> Epochs:
        """Epochs known by now."""
        return dict(self._epochs)

    def resume(self, epochs: Epochs, *, sent_ms: int | None) -> None:
        """Count epochs on from those an earlier run knew.

        Args:
            epochs: of an earlier run.
            sent_ms: wall clock of its last sending, if that may still be under way.
        """
        self._epochs = dict(epochs)
        self._epoch = max(epochs, default=0)
        if sent_ms is not None:
            passed_s = max(0, self._clock.wall_ms() - sent_ms) / 1000
            self._settled_at = self._clock.monotonic() + SETTLE_S - passed_s

    def mark(self) -> int:
        """Return the epoch as known now, to the minute.

        An older one than the true one is safe: it only widens a look-up.
        """
        if self._clock.monotonic() - self._asked_at >= LEARN_S and self._lock.acquire(
            blocking=False
        ):
            try:
                with suppress(Outage):
                    self._learn()
            finally:
                self._lock.release()
        return self._epoch

    def doubt(self) -> None:
        """Note that a request may still be at work that nobody waits for any more.

        It writes to the index that was the newest when it came, also after a rollover.
        """
        self._settled_at = self._clock.monotonic() + SETTLE_S

    def found(self, events: list[Event], since: int) -> set[Key] | None:
        """Look documents up in the backing indices.

        Args:
            events: they may have been sent already.
            since: in that epoch or later.

        Returns:
            Those that are there; ``None`` where nobody may look.

        Raises:
            Outage: it cannot be found out now.
        """
        wanted: dict[Stream, list[str]] = {}
        for event in events:
            wanted.setdefault(event.stream, []).append(event.id)
        indices = self._current(set(wanted))
        if indices is None:
            return None
        known = self._epochs.get(since, {})
        found: set[Key] = set()
        for stream, ids in wanted.items():
            name = self._name(stream)
            row = _since(indices.get(name, []), known.get(name))
            if row[1:]:
                self._require_settled()
            for index in row:
                there = self._there(index, ids)
                if there is None:
                    return None
                found.update((stream, each) for each in there)
                ids = [each for each in ids if each not in there]  # noqa: PLW2901 - fewer from index to index
        return found

    def _current(self, streams: set[Stream]) -> dict[str, list[str]] | None:
        """Return backing indices by data stream, as of now."""
        with self._lock:
            self._streams |= streams
            self._learn()
            return self._indices

    def _require_settled(self) -> None:
        left = self._settled_at - self._clock.monotonic()
        if left > 0:
            raise Outage(
                SinkUnavailable(
                    f"An earlier request may still be at work at"
                    f" {public_url(self._url)}.",
                    remedy=f"After {left:.0f} s it is known what came of it.",
                ),
                unknown=False,
                wait_s=left,
            )

    def _learn(self) -> None:
        self._asked_at = self._clock.monotonic()
        names = sorted(map(self._name, self._streams))
        try:
            self._indices = self._resolve(names)
        except FAILURES as error:
            if not self._denied(error):
                raise outage(error, self._url) from error
            self._indices = None
        newest = self._epochs.get(self._epoch, {})
        last = {name: row[-1] for name, row in (self._indices or {}).items() if row}
        if any(newest.get(name) != index for name, index in last.items()):
            # A new dictionary: others may be looking at the old one.
            self._epochs = self._epochs | {self._epoch + 1: {**newest, **last}}
            self._epoch += 1

    def _resolve(self, names: list[str]) -> dict[str, list[str]]:
        """Return backing indices, the write index last; none of what is not there."""
        try:
            body = self._client.indices.resolve_index(
                name=names,
                filter_path="data_streams.name,data_streams.backing_indices",
            ).body
        except ApiError as error:
            if error.status_code != _MISSING:
                raise
            if not _of_elasticsearch(error):
                raise
            if len(names) == 1:
                return {}
            # Asked by wildcard, one without the right would be told the same as here.
            found: dict[str, list[str]] = {}
            for name in names:
                found |= self._resolve([name])
            return found
        try:
            return {
                each["name"]: list(each["backing_indices"])
                for each in body.get("data_streams", ())
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise self._malformed() from error

    def _there(self, index: str, ids: list[str]) -> set[str] | None:
        """Return which documents an index has; ``None`` if nobody may look."""
        there: set[str] = set()
        for part in _slices(ids):
            try:
                body = self._client.mget(
                    index=index,
                    ids=part,
                    source=False,
                    filter_path="docs.found,docs.error",
                ).body
            except FAILURES as error:
                if self._denied(error):
                    return None
                raise outage(error, self._url) from error
            docs = body.get("docs") if isinstance(body, Mapping) else None
            if not isinstance(docs, list) or len(docs) != len(part):
                raise self._malformed()
            for each, doc in zip(part, docs, strict=True):
                if not isinstance(doc, Mapping) or "found" not in doc:
                    raise self._unreadable(index, doc)
                if doc["found"]:
                    there.add(each)
        return there

    def _denied(self, error: Exception) -> bool:
        """Tell, and say once, that nobody may look, or ever will be able to."""
        if not isinstance(error, ApiError):
            return False
        problem = explain(error, self._url)
        forbidden = error.status_code == _FORBIDDEN
        if not (
            (forbidden and isinstance(problem, NotPermitted))
            or error.status_code == _CLOSED
        ):
            return False
        if not self._warned:
            self._warned = True
            _log.warning(
                "older backing indices cannot be looked into: what is sent again after"
                " a rollover of the data stream may be doubled",
                reason=problem.message,
                remedy="Grant the index privileges read and view_index_metadata on"
                f" logs-sms.*-{self._namespace}, and keep its backing indices open.",
            )
        return True

    def _name(self, stream: Stream) -> str:
        return f"logs-{stream}-{self._namespace}"

    def _malformed(self) -> Outage:
        return Outage(
            SinkUnavailable(f"{public_url(self._url)} gave a malformed answer.")
        )

    def _unreadable(self, index: str, doc: Any) -> Outage:  # noqa: ANN401 - JSON
        error = doc.get("error") if isinstance(doc, Mapping) else None
        reason = error.get("reason") if isinstance(error, Mapping) else error
        return Outage(
            SinkUnavailable(
                f"{public_url(self._url)} cannot look into {index}: {reason}.",
                remedy="What is sent again has to be looked for there first.",
            )
        )


def _since(row: list[str], known: str | None) -> list[str]:
    """Return backing indices from ``known`` on, the write index first."""
    begin = row.index(known) if known in row else 0
    return row[begin:][::-1]


def _slices(ids: list[str]) -> Iterator[list[str]]:
    for begin, end in pairwise([*range(0, len(ids), _IDS), len(ids)]):
        yield ids[begin:end]


def _of_elasticsearch(error: ApiError) -> bool:
    """Tell Elasticsearch's own answer from that of a proxy."""
    return error.meta.headers.get("x-elastic-product") == "Elasticsearch"
