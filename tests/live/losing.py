# SPDX-License-Identifier: Apache-2.0
"""A proxy before Elasticsearch that can keep replies to bulk requests for itself."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.fakes.serving import serving


class Losing:
    """What the proxy does.

    Attributes:
        url: address of the proxy.
        losing: cut the connection in place of the reply to a bulk request.
        lost: replies kept so far; the server has done what it was asked to.
    """

    def __init__(self) -> None:
        self.url = ""
        self.losing = False
        self.lost = 0


@contextmanager
def losing_replies(url: str) -> Iterator[Losing]:
    """Forward to the server at ``url`` until the block ends."""
    state = Losing()
    target = urlsplit(url).netloc

    def serve(request: BaseHTTPRequestHandler) -> None:
        size = int(request.headers.get("content-length", 0))
        body = request.rfile.read(size)
        server = http.client.HTTPConnection(target, timeout=60)
        try:
            server.request(request.command, request.path, body, dict(request.headers))
            reply = server.getresponse()
            payload = reply.read()
        finally:
            server.close()
        if state.losing and request.path.startswith("/_bulk"):
            state.lost += 1
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        request.send_response(reply.status)
        for name in ("content-type", "x-elastic-product"):
            request.send_header(name, reply.headers.get(name, ""))
        request.send_header("content-length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    with serving(serve) as state.url:
        yield state
