# SPDX-License-Identifier: Apache-2.0
"""A loopback HTTP server that gives prepared answers to the real client."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct


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

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("content-length", 0))
            path = self.path.partition("?")[0]
            answer = respond(self.command, path, self.rfile.read(size))
            text = isinstance(answer.body, str)
            payload = answer.body if text else json.dumps(answer.body)
            self.send_response(answer.status)
            self.send_header(
                "content-type", "text/html" if text else "application/json"
            )
            self.send_header("content-length", str(len(payload)))
            if answer.product:
                self.send_header("x-elastic-product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(payload.encode())

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  names given by http.server

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

        def handle_error(self, *_: object) -> None:
            """A client that hangs up, over TLS above all, is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
