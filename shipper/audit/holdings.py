# SPDX-License-Identifier: Apache-2.0
"""What a data stream holds of a generation, in the order of the log. Only asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from heapq import merge
from operator import itemgetter
from typing import Any

from elastic_transport import ApiError, TransportError
from elasticsearch import AuthorizationException, Elasticsearch, NotFoundError
from msgspec import Struct

from shipper.deliver import explain
from shipper.records import Stream

_PAGE = 10_000
_KEEP_ALIVE = "5m"
_BACKING = re.compile(r"-(\d{4}\.\d\d\.\d\d)-(\d{6,})$")

_ABSENT = "{stream}: there is no such data stream."

#: A day and a number are in the name of each backing index.
_EXPIRED = (
    "{stream}: the oldest backing index left is {index} of {day}, not the first; what"
    " older ones held is gone, consistent with retention, and counts as missing."
)


class Found(Struct, frozen=True, kw_only=True):
    """A document in a backing index."""

    id: str
    index: str


class Holdings:
    """One data stream, as it is at a point in time.

    Args:
        client: the client.
        url: of the server, for messages.
        stream: name of the data stream.

    Attributes:
        notes: what could not be told, or has to be kept in mind, in words.
    """

    def __init__(self, client: Elasticsearch, url: str, stream: str) -> None:
        self.notes: list[str] = []
        self._client = client
        self._url = url
        self._stream = stream
        self._point = ""

    @contextmanager
    def point_in_time(self) -> Iterator[None]:
        """Keep the answers of the block consistent; what is indexed later is not seen.

        Raises:
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        with self._explained():
            self._refresh()
            self._look_for_the_first()
            try:
                opened = self._client.open_point_in_time(
                    index=self._stream, keep_alive=_KEEP_ALIVE
                )
            except NotFoundError:
                self._note(_ABSENT.format(stream=self._stream))
                yield
                return
            self._point = opened["id"]
            try:
                yield
            finally:
                # Without it, too, it ends by itself.
                with suppress(ApiError, TransportError):
                    self._client.close_point_in_time(id=self._point)
                self._point = ""

    def of(
        self, gen_id: str, end: int, *, begin: int = 0
    ) -> Iterator[tuple[int, Found]]:
        """Yield offset and place of each document of a generation, by offset.

        Args:
            gen_id: the generation.
            end: only what begins before this offset.
            begin: only what begins at this offset or behind it.
        """
        after = None
        while self._point:
            place = {"range": {"sms.log.offset": {"gte": begin, "lt": end}}}
            generation = {"term": {"sms.log.generation": gen_id}}
            hits = self._search(
                query={"bool": {"filter": [generation, place]}},
                size=_PAGE,
                sort=[
                    {"sms.log.offset": {"order": "asc", "unmapped_type": "long"}},
                    {"_shard_doc": "asc"},
                ],
                search_after=after,
                source=False,
            )
            for hit in hits:
                yield hit["sort"][0], Found(id=hit["_id"], index=hit["_index"])
            if len(hits) < _PAGE:
                return
            after = hits[-1]["sort"]
            begin = after[0]  # spares the server what has been seen

    def ids(self, idents: list[str]) -> set[str]:
        """Return those that are there under their id, whatever else they say."""
        if not (idents and self._point):
            return set()
        # Doubles could crowd out others, so pages are followed.
        query = {"ids": {"values": idents}}
        there: set[str] = set()
        after = None
        while True:
            hits = self._search(
                query=query,
                size=_PAGE,
                sort=[{"_shard_doc": "asc"}],
                search_after=after,
                source=False,
            )
            there.update(hit["_id"] for hit in hits)
            if len(hits) < _PAGE:
                return there
            after = hits[-1]["sort"]

    def texts(self, idents: list[str]) -> dict[tuple[str, str], str]:
        """Return the lines of a few documents by index and id, where shown."""
        if not (idents and self._point):
            return {}
        hits = self._search(
            query={"ids": {"values": idents}},
            size=_PAGE,
            source_includes=["event.original"],
        )
        return {
            (hit["_index"], hit["_id"]): str(
                hit.get("_source", {}).get("event", {}).get("original", "")
            )
            for hit in hits
        }

    def _search(self, **body: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - parameters of a search
        reply = self._client.search(
            pit={"id": self._point, "keep_alive": _KEEP_ALIVE},
            track_total_hits=False,
            allow_partial_search_results=False,
            **body,
        )
        self._point = reply.get("pit_id", self._point)
        hits: list[dict[str, Any]] = reply["hits"]["hits"]
        return hits

    def _refresh(self) -> None:
        try:
            self._client.indices.refresh(index=self._stream)
        except AuthorizationException:
            self._note(
                f"{self._stream}: the key may not refresh it (privilege maintenance);"
                " what was indexed within the last seconds may not be found."
            )
        except NotFoundError:
            return

    def _look_for_the_first(self) -> None:
        """Note when backing indices have been deleted, as a lifecycle does."""
        try:
            reply = self._client.indices.resolve_index(name=self._stream)
        except AuthorizationException:
            self._note(
                f"{self._stream}: the key may not list backing indices (privilege"
                " view_index_metadata); whether old ones have expired is not known."
            )
            return
        except NotFoundError:
            return
        names: list[str] = []
        for stream in reply.get("data_streams", ()):
            backing = stream["backing_indices"]
            names += [backing] if isinstance(backing, str) else backing
        numbered = [
            (int(match[2]), match[1], name)
            for name in names
            if (match := _BACKING.search(name))
        ]
        if numbered:
            number, day, index = min(numbered)
            if number > 1:
                self._note(_EXPIRED.format(stream=self._stream, index=index, day=day))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (ApiError, TransportError) as error:
            raise explain(error, self._url) from error


class RecordHoldings:
    """The data streams of records as one.

    Args:
        client: the client.
        url: of the server, for messages.
        namespace: of the data streams.

    Attributes:
        notes: what could not be told, or has to be kept in mind, in words.
    """

    def __init__(self, client: Elasticsearch, url: str, namespace: str) -> None:
        self.notes: list[str] = []
        self._names = [
            f"logs-{stream}-{namespace}" for stream in (Stream.CLISVC, Stream.CCM)
        ]
        self._streams = [Holdings(client, url, name) for name in self._names]
        for stream in self._streams:
            stream.notes = self.notes

    @contextmanager
    def point_in_time(self, *, ccm: bool) -> Iterator[None]:
        """Keep the answers of the block consistent; what is indexed later is not seen.

        Args:
            ccm: look at that data stream, too.

        Raises:
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        absent = [_ABSENT.format(stream=name) for name in self._names]
        with ExitStack() as stack:
            for stream in self._streams[: 2 if ccm else 1]:
                stack.enter_context(stream.point_in_time())
            if ccm and sum(note in self.notes for note in absent) == 1:
                # A log of one dialect alone is as it should be.
                self.notes[:] = [note for note in self.notes if note not in absent]
            yield

    def of(self, gen_id: str, end: int) -> Iterator[tuple[int, Found]]:
        """Yield what :meth:`Holdings.of` does, of both, by offset."""
        found = (stream.of(gen_id, end) for stream in self._streams)
        return merge(*found, key=itemgetter(0))

    def ids(self, idents: list[str]) -> set[str]:
        """Return those that are there under their id, whatever else they say."""
        return set().union(*(stream.ids(idents) for stream in self._streams))

    def texts(self, idents: list[str]) -> dict[tuple[str, str], str]:
        """Return the lines of a few documents by index and id, where shown."""
        return {
            place: words
            for stream in self._streams
            for place, words in stream.texts(idents).items()
        }
