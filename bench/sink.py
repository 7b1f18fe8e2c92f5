# SPDX-License-Identifier: Apache-2.0
"""A bulk endpoint that takes everything: so that the shipper is what limits.

It answers as Elasticsearch does where a client looks (the product header, one item for
each action), keeps nothing, and counts. Loopback only.
"""

from __future__ import annotations

import argparse
import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_ITEM = b'{"create":{"status":201}}'
_TEMPLATES = {
    name: {
        "name": name,
        "index_template": {
            "version": 10_000,
            "_meta": {"managed_by": "clisvc-shipper", "version": 10_000},
        },
    }
    for name in (f"logs-sms.{part}" for part in ("clisvc", "ccm", "state", "shipper"))
}
counts = {"items": 0, "requests": 0, "bytes": 0}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer what a client asks before it sends."""
        if self.path.startswith("/__counts"):
            self._reply(json.dumps(counts).encode())
        elif self.path.startswith("/_index_template"):
            found = {"index_templates": list(_TEMPLATES.values())}
            self._reply(json.dumps(found).encode())
        elif self.path.startswith("/_resolve/index"):
            self._reply(b'{"data_streams":[]}')
        elif self.path.startswith("/_nodes"):
            self._reply(b'{"nodes":{"n":{"version":"9.2.0"}}}')
        else:
            self._reply(b'{"version":{"number":"9.2.0","build_flavor":"default"}}')

    do_HEAD = do_GET  # noqa: N815 - the base class's spelling

    def do_PUT(self) -> None:
        """Take a bulk request."""
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        counts["bytes"] += length
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        items = body.count(b"\n") // 2 if "/_bulk" in self.path else 0
        counts["items"] += items
        counts["requests"] += 1
        inside = b",".join([_ITEM] * items)
        self._reply(b'{"errors":false,"items":[' + inside + b"]}")

    do_POST = do_PUT  # noqa: N815 - the base class's spelling

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed; print the address first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
