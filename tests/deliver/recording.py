# SPDX-License-Identifier: Apache-2.0
"""A loopback server that keeps what it is asked, headers and query included."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from tests.fakes.serving import serving


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

    def serve(request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        size = int(request.headers.get("content-length", 0))
        status, body = recorder.answer(
            Request(
                method=request.command,
                path=url.path,
                query=dict(parse_qsl(url.query)),
                headers={name.lower(): v for name, v in request.headers.items()},
                body=request.rfile.read(size),
            )
        )
        payload = (body if isinstance(body, str) else json.dumps(body)).encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(payload)))
        request.send_header("x-elastic-product", "Elasticsearch")
        for name, text in recorder.headers.items():
            request.send_header(name, text)
        request.end_headers()
        request.wfile.write(payload)

    with serving(serve, tls=tls) as recorder.url:
        yield recorder
