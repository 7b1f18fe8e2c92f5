# SPDX-License-Identifier: Apache-2.0
"""Elasticsearch as a sink: one bulk request a batch, one verdict an item."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from elasticsearch import ApiError, Elasticsearch

from shipper import __version__
from shipper.clock import Clock
from shipper.deliver.backing import FAILURES, SHARD_WAIT_S, Backing
from shipper.deliver.problems import outage, public_url
from shipper.deliver.sink import (
    DELIVERED,
    DUPLICATE,
    STORED_AS_FAILURE,
    UNCHECKED,
    Outage,
    TooLarge,
    Verdict,
)
from shipper.errors import SinkUnavailable
from shipper.records import DOCUMENT_HEAD, Epochs, Event, Outcome

_FILTER = "errors,items.*.status,items.*.failure_store,items.*.error"
_CREATED = (200, 201)
_BAD_REQUEST, _CONFLICT, _TOO_LARGE = 400, 409, 413
#: A 400 that is no document's fault: the cluster is at its limit of shards,
_CLUSTER_FAULT = "validation_exception"
#: or somebody removed the data stream's pipeline.
_NO_PIPELINE = "pipeline with id ["
_MAX_REASON = 2_000

_CREATED_ITEM = {"create": {"status": 201}}


class ElasticSink:
    """Sends to data streams, never to plain indices.

    Args:
        client: the client.
        namespace: of the data streams.
        url: for messages.
        clock: time, for ``event.ingested``.
        collector: this machine's name.
        agent_id: constant for one installation of the shipper.
        prepare: what has to be done before anything is sent.
    """

    def __init__(
        self,
        client: Elasticsearch,
        *,
        namespace: str,
        url: str,
        clock: Clock,
        collector: str = "",
        agent_id: str = "",
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._prepare = prepare
        self._sending: Callable[[], None] = _nothing
        self._client = client
        self._url = url
        self._clock = clock
        name = collector or socket.gethostname()
        self._actions: dict[str, bytes] = {}
        self._namespace = namespace
        self._backing = Backing(client, namespace, url, clock)
        stamp = {
            "agent": {
                "type": "clisvc-shipper",
                "version": __version__,
                "id": agent_id or str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
                "name": name,
            },
            "observer": {"name": name, "product": "clisvc-shipper"},
        }
        self._stamp = msgspec.json.encode(stamp)[:-1] + b',"event":{"ingested":"'

    @property
    def epochs(self) -> Epochs:
        """Epochs known by now."""
        return self._backing.epochs

    def resume(
        self, epochs: Epochs, *, sent_ms: int | None, sending: Callable[[], None]
    ) -> None:
        """Count epochs on from those an earlier run knew; see ``Sink``."""
        self._sending = sending
        self._backing.resume(epochs, sent_ms=sent_ms)

    def prepare(self) -> None:
        """Make the server ready.

        Raises:
            Outage: it is not ready yet.
        """
        if self._prepare is not None:
            self._prepare()

    def mark(self) -> int:
        """Return the epoch as known now; what is sent from now on is not older."""
        return self._backing.mark()

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
        """Send ``events``; return one verdict for each, in order.

        Args:
            events: documents.
            since: they may have been sent already, in that epoch or later: what older
                backing indices have is not sent.

        Raises:
            Outage: none of them is acknowledged.
            TooLarge: fewer of them have to be sent at a time.
        """
        if since is None:
            return self._bulk(events)
        found = self._backing.found(events, since)
        if found is None:
            taken = self._bulk(events)
            return [UNCHECKED if each is DELIVERED else each for each in taken]
        if not found:
            return self._bulk(events)
        missing = [event for event in events if (event.stream, event.id) not in found]
        verdicts = iter(self._bulk(missing) if missing else ())
        return [
            DUPLICATE if (event.stream, event.id) in found else next(verdicts)
            for event in events
        ]

    def _bulk(self, events: list[Event]) -> list[Verdict]:
        self._sending()
        try:
            reply = self._client.bulk(
                operations=self.body(events),  # type: ignore[arg-type]  # bytes pass
                require_data_stream=True,
                timeout=f"{SHARD_WAIT_S}s",
                filter_path=_FILTER,
            ).body
        except FAILURES as error:
            if isinstance(error, ApiError) and error.status_code == _TOO_LARGE:
                raise TooLarge from error
            lost = outage(error, self._url)
            if lost.unknown:
                self._backing.doubt()
            raise lost from error
        try:
            return self._verdicts(reply, len(events))
        except Outage:
            self._backing.doubt()
            raise

    def body(self, events: list[Event]) -> bytes:
        """Return the bulk request's body: an action line and a document each."""
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC)
        ingested = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = b'"}}\n' + self._stamp + ingested.encode() + b'",'
        skip = len(DOCUMENT_HEAD)
        parts: list[bytes] = []
        add = parts.append
        for event in events:
            add(self._actions.get(event.stream) or self._action(event.stream))
            add(event.id.encode())
            add(head)
            add(event.document[skip:])
            add(b"\n")
        return b"".join(parts)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _action(self, stream: str) -> bytes:
        index = f"logs-{stream}-{self._namespace}"
        action = f'{{"create":{{"_index":"{index}","_id":"'.encode()
        self._actions[stream] = action
        return action

    def _verdicts(self, reply: object, sent: int) -> list[Verdict]:
        items = reply.get("items") if isinstance(reply, Mapping) else None
        if not isinstance(items, list) or len(items) != sent:
            got = len(items) if isinstance(items, list) else "no"
            raise Outage(
                SinkUnavailable(
                    f"{public_url(self._url)} answered for {got} of {sent} documents.",
                    remedy="They are sent again; ids make that harmless.",
                )
            )
        try:
            if items.count(_CREATED_ITEM) == sent:
                return [DELIVERED] * sent
            return [_verdict(item["create"]) for item in items]
        except (KeyError, TypeError, AttributeError) as error:
            raise Outage(
                SinkUnavailable(f"{public_url(self._url)} gave a malformed answer.")
            ) from error


def _nothing() -> None:
    return None


def _verdict(item: Mapping[str, Any]) -> Verdict:
    status = item["status"]
    if status in _CREATED:
        if item.get("failure_store") == "used":
            return STORED_AS_FAILURE
        return DELIVERED
    if status == _CONFLICT:
        return DUPLICATE
    error = item.get("error") or {}
    cause = error.get("caused_by") or {}
    reason = ": ".join(
        str(text) for text in (error.get("reason"), cause.get("reason")) if text
    )
    kind = str(error.get("type", ""))
    healthy = kind != _CLUSTER_FAULT and not reason.startswith(_NO_PIPELINE)
    fault = status == _BAD_REQUEST and healthy
    return Verdict(
        outcome=Outcome.REJECTED if fault else Outcome.RETRY,
        status=status,
        error_type=kind,
        reason=reason[:_MAX_REASON],
    )
