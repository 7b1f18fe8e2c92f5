# SPDX-License-Identifier: Apache-2.0
"""A loopback HTTP server beside a block, which leaves nothing behind."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(
    serve: Callable[[BaseHTTPRequestHandler], None],
    *,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve until the block ends.

    Args:
        serve: answers one request.
        tls: encrypts the connection.

    Yields:
        The address of the server.
    """

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            serve(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  names given by http.server

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

        def handle_error(self, *_: object) -> None:
            """A connection that is cut, over TLS above all, is part of the tests."""

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
