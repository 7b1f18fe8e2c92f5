# SPDX-License-Identifier: Apache-2.0
"""A loopback server that keeps what it is asked, headers and query included."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True):
    """A request as it came over the wire.

    Attributes:
        method: of HTTP.
        path: without its query.
        query: its parameters.
        headers: with names in lower case.
        body: bytes as sent.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Recorder:
    """Answers each request with what is next in line, and the last one for ever.

    Args:
        answers: ``(status, body)``; a text body is sent as it is, others as JSON.
        headers: of every answer, beside the usual ones.

    Attributes:
        url: address of the server; only while it is serving.
        requests: what has been asked.
    """

    def __init__(
        self, *answers: tuple[int, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        self.headers = headers or {}
        self._answers = list(answers)
        self.url = ""
        self.requests: list[Request] = []

    def answer(self, request: Request) -> tuple[int, Any]:
        """Keep ``request`` and return what is next in line."""
        self.requests.append(request)
        more = len(self._answers) > 1
        return self._answers.pop(0) if more else self._answers[0]


@contextmanager
def recording(
    *answers: tuple[int, Any],
    tls: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Recorder]:
    """Serve until the block ends.

    Args:
        answers: see :class:`Recorder`.
        tls: encrypts the connection.
        headers: see :class:`Recorder`.
    """
    recorder = Recorder(*answers, headers=headers)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            url = urlsplit(self.path)
            status, body = recorder.answer(
                Request(
                    method=self.command,
                    path=url.path,
                    query=dict(parse_qsl(url.query)),
                    headers={
                        name.lower(): value for name, value in self.headers.items()
                    },
                    body=self.rfile.read(int(self.headers.get("content-length", 0))),
                )
            )
            payload = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.send_header("x-elastic-product", "Elasticsearch")
            for name, text in recorder.headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815  names given by http.server

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

        def handle_error(self, *_: object) -> None:
            """A client that hangs up over TLS is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    recorder.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
