# SPDX-License-Identifier: Apache-2.0
"""A proxy before Elasticsearch that forwards faithfully, except when it does not."""

from __future__ import annotations

import threading
from collections import Counter
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Self

import msgspec

_LOOPBACK = "127.0.0.1"
_TIMEOUT_S = 60.0
_LONGEST_DELAY_S = 1.5
_FEW_LINES = 8
_JSON = "application/json"
_PASSED = ("Content-Type", "Accept")
_RETURNED = ("Content-Type", "X-Elastic-Product")


class Fault(StrEnum):
    """What may happen to a request."""

    CUT = "cut before it was forwarded"
    DROPPED = "reply dropped"
    TRUNCATED = "reply truncated"
    DELAYED = "delayed"
    BUSY = "429"
    AWAY = "503"
    LARGE = "413"
    ITEMS = "429 for some items"


_SHARES = {
    Fault.CUT: 0.010,
    Fault.DROPPED: 0.015,
    Fault.TRUNCATED: 0.010,
    Fault.DELAYED: 0.015,
    Fault.BUSY: 0.010,
    Fault.AWAY: 0.005,
    Fault.LARGE: 0.005,
    Fault.ITEMS: 0.010,
}
_NONE = 1.0 - sum(_SHARES.values())
_OF_ANY = (Fault.CUT, Fault.DROPPED, Fault.DELAYED, Fault.AWAY)
_REFUSALS = {
    Fault.BUSY: (429, "es_rejected_execution_exception"),
    Fault.AWAY: (503, "unavailable"),
    Fault.LARGE: (413, "too_large"),
}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of HTTP.

    Attributes:
        status: of HTTP.
        headers: those worth passing on.
        body: bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Proxy:
    """Listens on the loopback address for as long as its block runs.

    Args:
        port: of Elasticsearch on the loopback address.
        chance: decides what happens when.

    Attributes:
        faults: how often each has happened.
        faulty: faults happen.
        away: every connection is cut, as if there were no server.
    """

    def __init__(self, port: int, chance: Random) -> None:
        self.faults: Counter[Fault] = Counter()
        self.faulty = False
        self.away = False
        self._port = port
        self._chance = chance
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server((_LOOPBACK, 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="proxy"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size)
                headers = {
                    name: text
                    for name in _PASSED
                    if (text := self.headers.get(name)) is not None
                }
                reply, whole = proxy.answer(self.command, self.path, headers, body)
                if reply is None:
                    self.close_connection = True
                    return
                self.send_response_only(reply.status)
                for name, text in reply.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    end = len(reply.body) if whole else len(reply.body) // 2
                    self.wfile.write(reply.body[:end])
                self.close_connection = self.close_connection or not whole

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = serve  # noqa: N815  names given by http.server

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[Reply | None, bool]:
        """Answer one request.

        Args:
            method: of HTTP.
            path: with its query.
            headers: to be passed on.
            body: of the request.

        Returns:
            The reply, or ``None`` to hang up; and whether all of it is to be sent.
        """
        fault = self._draw(path, body)
        match fault:
            case Fault.CUT:
                return None, False
            case Fault.BUSY | Fault.AWAY | Fault.LARGE:
                return _refusal(*_REFUSALS[fault]), True
            case Fault.ITEMS:
                return self._withhold(method, path, headers, body), True
            case Fault.DELAYED:
                self._ended.wait(self._chance.uniform(0.0, _LONGEST_DELAY_S))
            case _:  # the reply's, or none
                pass
        if self.away:
            return None, False
        reply = self._forward(method, path, headers, body)
        return None if fault is Fault.DROPPED else reply, fault is not Fault.TRUNCATED

    def _draw(self, path: str, body: bytes) -> Fault | None:
        bulk = "/_bulk" in path
        if not self.faulty or not (bulk or "/_mget" in path or "/_resolve" in path):
            return None
        with self._lock:
            (fault,) = self._chance.choices(
                [None, *_SHARES], [_NONE, *_SHARES.values()]
            )
            if fault is None:
                return None
            few = body.count(b"\n") <= _FEW_LINES
            # A single document that is too large would rightly be a dead letter.
            if (few and fault is Fault.LARGE) or not (bulk or fault in _OF_ANY):
                return None
            self.faults[fault] += 1
            return fault

    def _forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Reply | None:
        connection = HTTPConnection(_LOOPBACK, self._port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            passed = {
                name: text
                for name in _RETURNED
                if (text := answer.headers.get(name)) is not None
            }
            return Reply(status=answer.status, headers=passed, body=answer.read())
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def _withhold(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Reply | None:
        """Forward some documents of a bulk request; answer 429 for the others."""
        lines = body.splitlines(keepends=True)
        pairs = [b"".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
        with self._lock:
            withheld = [self._chance.random() < 1 / 3 for _ in pairs]
        if all(withheld):
            return _refusal(*_REFUSALS[Fault.BUSY])
        sent = b"".join(p for p, held in zip(pairs, withheld, strict=True) if not held)
        reply = self._forward(method, path, headers, sent)
        if reply is None or reply.status != 200:
            return reply
        found: dict[str, Any] = msgspec.json.decode(reply.body)
        status, kind = _REFUSALS[Fault.BUSY]
        refused = {"create": {"status": status, "error": {"type": kind}}}
        answered = iter(found["items"])
        found["items"] = [refused if held else next(answered) for held in withheld]
        found["errors"] = True
        return Reply(status=200, headers=reply.headers, body=msgspec.json.encode(found))


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a connection kept alive must not hold up the end

    def handle_error(self, *_: object) -> None:
        """A client that is killed hangs up: that is what the run is for."""


def _refusal(status: int, kind: str) -> Reply:
    error = {"error": {"type": kind, "reason": "as the proxy likes"}, "status": status}
    headers = {"Content-Type": _JSON, "X-Elastic-Product": "Elasticsearch"}
    return Reply(status=status, headers=headers, body=msgspec.json.encode(error))
