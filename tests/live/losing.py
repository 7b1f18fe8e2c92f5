# SPDX-License-Identifier: Apache-2.0
"""A proxy before Elasticsearch that can keep replies to bulk requests for itself."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


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

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("content-length", 0))
            body = self.rfile.read(size)
            server = http.client.HTTPConnection(target, timeout=60)
            try:
                server.request(self.command, self.path, body, dict(self.headers))
                reply = server.getresponse()
                payload = reply.read()
            finally:
                server.close()
            if state.losing and self.path.startswith("/_bulk"):
                state.lost += 1
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name in ("content-type", "x-elastic-product"):
                self.send_header(name, reply.headers.get(name, ""))
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815  names given by http.server

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

        def handle_error(self, *_: object) -> None:
            """A connection that is cut is the point."""

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
