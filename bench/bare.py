# SPDX-License-Identifier: Apache-2.0
"""A bare Python loop, for comparison: chunks, one expression, JSON by hand, bulk.

What this language can do at most on this machine: no ids, no meaning, no state, no
zones, nothing survives a crash. ``python bench/bare.py URL FILE``
"""

from __future__ import annotations

import re
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

_RECORD = re.compile(
    rb"([^\n]*?)~? *\$\$<([^<>\n]*)><(\w{3} \w{3} \d\d [\d:]{8})\.(\d{3}) (\d{4})"
    rb"[^>\n]*><thread=(\d+) [^>\n]*>\r?\n"
)
_DOCUMENT = (
    b'{"create":{}}\n{"message":"%b","component":"%b","time":"%b.%b %b","thread":%b}\n'
)
_CHUNK = 1024 * 1024
_BATCH = 5 * 1024 * 1024
_HEADERS = {"Content-Type": "application/x-ndjson"}


def main() -> None:
    """Send the file; print the number of records."""
    url, path = sys.argv[1:3]
    connection = HTTPConnection(urlsplit(url).netloc)
    records = 0
    body: list[bytes] = []
    size = 0
    with open(path, "rb") as file:  # noqa: PTH123 - a bare loop
        rest = b""
        while block := file.read(_CHUNK):
            data = rest + block
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            escaped = data[:end].replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            for message, component, time, millis, year, thread in _RECORD.findall(
                escaped
            ):
                body.append(
                    _DOCUMENT % (message, component, time, millis, year, thread)
                )
                records += 1
            size += len(escaped)
            if size >= _BATCH:
                _send(connection, body)
                size = 0
    if body:
        _send(connection, body)
    print(records)


def _send(connection: HTTPConnection, body: list[bytes]) -> None:
    connection.request("POST", "/bench/_bulk", b"".join(body), _HEADERS)
    connection.getresponse().read()
    body.clear()


if __name__ == "__main__":
    main()
