# SPDX-License-Identifier: Apache-2.0
"""The proxy is faithful unless a fault is drawn, and then does what the fault says."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.chaos.proxy import Fault, Proxy
from tests.fakes.answering import Answer, answering

_BODY = b'{"create":{"_id":"a"}}\n{}\n{"create":{"_id":"b"}}\n{}\n' * 10
_ITEMS = 20


class _Server:
    """Answers bulk requests, and counts the documents it got."""

    def __init__(self) -> None:
        self.documents = 0

    def __call__(self, _method: str, path: str, body: bytes) -> Answer:
        if path != "/_bulk":
            return Answer(body={"path": path})
        documents = body.count(b"\n") // 2
        self.documents += documents
        items = [{"create": {"status": 201}}] * documents
        return Answer(body={"errors": False, "items": items})


class _Always(Random):
    """Draws one fault, always."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__(7)
        self._fault = fault

    def choices(self, *_: object, **__: object) -> list[Fault | None]:  # type: ignore[override]  # one kind of thing is drawn
        return [self._fault]


@contextmanager
def _between(fault: Fault | None) -> Iterator[tuple[HTTPConnection, _Server, Proxy]]:
    server = _Server()
    with answering(server) as url, Proxy(urlsplit(url).port or 0, _Always(fault)) as p:
        p.faulty = fault is not None
        connection = HTTPConnection(urlsplit(p.url).netloc, timeout=10)
        try:
            yield connection, server, p
        finally:
            connection.close()


def _post(connection: HTTPConnection, path: str = "/_bulk") -> tuple[int, bytes]:
    connection.request("POST", path, _BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_faithful() -> None:
    """Without faults the reply is the server's, over one connection."""
    with _between(None) as (connection, server, _):
        for _ in range(2):
            status, body = _post(connection)
            assert (status, body.count(b"201")) == (200, _ITEMS)

    assert server.documents == 2 * _ITEMS


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [(Fault.CUT, 0), (Fault.DROPPED, _ITEMS), (Fault.TRUNCATED, _ITEMS)],
)
def test_no_reply(fault: Fault, arrived: int) -> None:
    """The client gets no whole reply, whether the server got the documents or not."""
    with _between(fault) as (connection, server, proxy):
        with pytest.raises((HTTPException, OSError)):
            _post(connection)
        assert proxy.faults == {fault: 1}

    assert server.documents == arrived


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.BUSY, 429), (Fault.AWAY, 503), (Fault.LARGE, 413)]
)
def test_refused(fault: Fault, expected: int) -> None:
    """The proxy itself refuses, and the server gets nothing."""
    with _between(fault) as (connection, server, _):
        status, _body = _post(connection)

    assert (status, server.documents) == (expected, 0)


def test_items_withheld() -> None:
    """Items answered with 429 were not sent, all others were; each keeps its place."""
    with _between(Fault.ITEMS) as (connection, server, _):
        status, body = _post(connection)

    found = msgspec.json.decode(body)
    statuses = [item["create"]["status"] for item in found["items"]]
    assert (status, len(statuses), found["errors"]) == (200, _ITEMS, True)
    assert statuses.count(201) == server.documents
    assert statuses.count(429) == _ITEMS - server.documents
    assert 0 < server.documents < _ITEMS


def test_others_are_spared() -> None:
    """What sends no documents is never refused."""
    with _between(Fault.BUSY) as (connection, _, proxy):
        assert _post(connection, "/_search")[0] == 200

    assert not proxy.faults
