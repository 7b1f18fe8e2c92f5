# SPDX-License-Identifier: Apache-2.0
"""A loopback HTTP server that gives prepared answers to the real client."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from msgspec import Struct

from tests.fakes.serving import serving


class Answer(Struct, frozen=True, kw_only=True):
    """One answer.

    Attributes:
        status: of HTTP.
        body: JSON if it is no text.
        product: it says it is Elasticsearch.
    """

    status: int = 200
    body: Any = None
    product: bool = True


Responder = Callable[[str, str, bytes], Answer]


@contextmanager
def answering(
    respond: Responder, *, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve until the block ends.

    Args:
        respond: gets method, path without its query, and body of a request.
        tls: encrypts the connection.

    Yields:
        The address of the server.
    """

    def serve(request: BaseHTTPRequestHandler) -> None:
        size = int(request.headers.get("content-length", 0))
        path = request.path.partition("?")[0]
        answer = respond(request.command, path, request.rfile.read(size))
        text = isinstance(answer.body, str)
        payload = answer.body if text else json.dumps(answer.body)
        request.send_response(answer.status)
        request.send_header("content-type", "text/html" if text else "application/json")
        request.send_header("content-length", str(len(payload)))
        if answer.product:
            request.send_header("x-elastic-product", "Elasticsearch")
        request.end_headers()
        request.wfile.write(payload.encode())

    with serving(serve, tls=tls) as url:
        yield url
