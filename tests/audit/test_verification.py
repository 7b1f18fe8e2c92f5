# SPDX-License-Identifier: Apache-2.0
"""What verifying says when the server does not let it look everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from msgspec.structs import replace

from shipper.app import documents
from shipper.audit import Verification, Verified
from shipper.errors import InputProblem, NotPermitted, SinkUnavailable
from shipper.records import Stream
from shipper.tail import LocalOpener
from tests.enrich.story import OFFERS, SOURCE, assembly, line, lines, triple
from tests.fakes.answering import Answer, answering

NAME = "logs-sms.clisvc-ops"
LOG = lines(triple(OFFERS), 0)
FORBIDDEN = Answer(status=403, body={"error": {"reason": "no"}, "status": 403})
NOT_FOUND = Answer(status=404, body={"error": {"reason": "none"}, "status": 404})


class Server:
    """Holds documents as a data stream does, as far as verifying asks.

    Attributes:
        hits: what a search in the order of the log finds.
        ccm: the same of the data stream of CCM records.
        refusing: parts of paths that are answered otherwise.
        meanwhile: what happens before each answer.
    """

    def __init__(self) -> None:
        self.hits: list[dict[str, Any]] = []
        self.ccm: list[dict[str, Any]] = []
        self.refusing: dict[str, Answer] = {}
        self.meanwhile: Callable[[], object] = list
        self.oldest = ".ds-logs-sms.clisvc-ops-2026.11.24-000001"

    def respond(self, _method: str, path: str, body: bytes) -> Answer:
        """Answer a request."""
        self.meanwhile()
        for part, answer in self.refusing.items():
            if part in path:
                return answer
        if "_resolve" in path:
            stream = {"name": NAME, "backing_indices": [self.oldest]}
            return Answer(body={"data_streams": [stream]})
        if "_search" in path:
            found = self.ccm if b"in ccm" in body else self.hits
            found = [] if b'"ids"' in body else found
            return Answer(body={"hits": {"hits": found}})
        return Answer(body={"id": "in ccm" if "ccm" in path else "in clisvc"})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log of three records, which cause states."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(LOG)
    return path


@pytest.fixture
def server(log: Path) -> Server:
    """Give a server that has every record of the log."""
    made = Server()
    with log.open("rb") as stream:
        for event in documents(stream, SOURCE, assembly(), max_line_bytes=4096):
            if event.stream is not Stream.STATE:
                offset = int(event.id.split("-")[1], 16)
                place = {"_id": event.id, "_index": made.oldest}
                made.hits.append(place | {"sort": [offset, len(made.hits)]})
    return made


@contextmanager
def verifying(server: Server) -> Iterator[Verification]:
    """Give a verification that asks the server."""
    with answering(server.respond) as url, Elasticsearch(url, max_retries=0) as client:
        yield Verification(
            client,
            url=url,
            namespace="ops",
            assembly=assembly(),
            opener=LocalOpener(),
            max_line_bytes=4096,
        )


def verify(server: Server, log: Path) -> tuple[Verified, list[str]]:
    """Return how the log compares, and the notes."""
    with verifying(server) as verification:
        return verification.verify(SOURCE, str(log)), verification.holdings.notes


def test_exact(server: Server, log: Path) -> None:
    """Records alone are compared: states are not records."""
    found, notes = verify(server, log)

    assert (found.records, found.present, found.missing, found.extra) == (3, 3, 0, 0)
    assert found.exact
    assert notes == []


def test_ccm(server: Server, log: Path) -> None:
    """Both data streams of records are asked; a record that may go on is left out."""
    ended = b']LOG]!><time="08:15:30.500-60" date="03-04-2015" component="X">\r\n'
    with log.open("ab") as file:
        file.write(b"<![LOG[One\r\ntwo" + ended + b"<![LOG[Open\r\n")
    with log.open("rb") as stream:
        events = list(documents(stream, SOURCE, assembly(), max_line_bytes=4096))
    one, opened = (event for event in events if event.stream is Stream.CCM)
    place = {"_index": "ccm", "sort": [len(LOG), 0]}
    missing, _ = verify(server, log)
    server.ccm = [{"_id": one.id} | place]
    found, notes = verify(server, log)

    assert (missing.records, missing.missing) == (4, 1)
    assert (found.records, found.present, found.extra) == (4, 4, 0)
    assert found.unterminated == opened.size == len(b"<![LOG[Open\r\n")
    assert notes == []


def test_one_of_two_streams(server: Server, log: Path) -> None:
    """That one of them is not there is no news."""
    server.refusing = {"ccm": NOT_FOUND}
    with log.open("ab") as file:
        file.write(b"]LOG]!>\r\n")
    _, notes = verify(server, log)

    assert notes == []


def test_same_offset(server: Server, log: Path) -> None:
    """At one offset a record may be missing and another document be extra."""
    server.hits[1]["_id"] = "forged"
    found, _ = verify(server, log)

    assert (found.present, found.missing, found.extra) == (2, 1, 1)
    assert found.first_missing[0].offset == found.first_extra[0].offset


def test_first_few(server: Server, log: Path) -> None:
    """Of many findings only the first ten are named; all are counted."""
    server.hits = [server.hits[0] | {"_id": f"forged-{n:02}"} for n in range(30)]
    found, _ = verify(server, log)

    assert (found.missing, found.extra) == (3, 30)
    assert len(found.first_extra) == 10


def test_may_not_refresh(server: Server, log: Path) -> None:
    """A key that may only read is enough; it says what may not be found."""
    server.refusing = {"_refresh": FORBIDDEN, "_resolve": FORBIDDEN}
    found, notes = verify(server, log)

    assert found.exact
    assert [note.partition("(")[2].partition(")")[0] for note in notes] == [
        "privilege maintenance",
        "privilege view_index_metadata",
    ]


def test_may_not_read(server: Server, log: Path) -> None:
    """A key that may not read cannot verify anything."""
    server.refusing = {"_pit": FORBIDDEN}

    with pytest.raises(NotPermitted):
        verify(server, log)


def test_search_fails(server: Server, log: Path) -> None:
    """An answer that is not whole is an error, never a count."""
    server.refusing = {"_search": Answer(status=503, body={"error": "shards"})}

    with pytest.raises(SinkUnavailable):
        verify(server, log)


def test_retention(server: Server, log: Path) -> None:
    """The oldest index left is named with its day when it is not the first one."""
    server.oldest = ".ds-logs-sms.clisvc-ops-2026.10.02-000004"
    server.hits = []
    _, (note,) = verify(server, log)

    assert "2026.10.02-000004 of 2026.10.02, not the first" in note


def test_no_stream(server: Server, log: Path) -> None:
    """Without a data stream everything is missing."""
    server.refusing = dict.fromkeys(("_refresh", "_resolve", "_pit"), NOT_FOUND)
    found, notes = verify(server, log)

    assert (found.records, found.missing) == (3, 3)
    assert notes == [f"{NAME}: there is no such data stream."]


def test_too_short_to_be_named(server: Server, log: Path) -> None:
    """A log that `run` would not name yet is not compared, and a note says so."""
    log.write_bytes(b"Working\r\n")
    source = replace(SOURCE, path=str(log), directory=str(log.parent))
    with verifying(server) as verification:
        found = verification.verify(source, str(log))

    assert (found.records, found.extra, found.verified) == (0, 0, 0)
    assert "has not named it yet" in verification.holdings.notes[0]


def test_cut_meanwhile(server: Server, log: Path) -> None:
    """A file that is cut while it is read is no proof of anything."""
    log.write_bytes(LOG + b"".join(line(f"{n}~", n) for n in range(10_000)))
    server.meanwhile = lambda: log.write_bytes(LOG)

    with pytest.raises(InputProblem, match="was cut while it was read"):
        verify(server, log)
