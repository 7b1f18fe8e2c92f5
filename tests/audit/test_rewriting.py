# SPDX-License-Identifier: Apache-2.0
"""Deleting what is sent anew: only that, and nothing before all of it was read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from msgspec.structs import replace

from shipper.audit import Replaying
from shipper.audit.verification import offset_of
from shipper.clock import SystemClock
from shipper.config import ElasticsearchSettings, InputSettings, Settings
from shipper.errors import InputProblem, NotPermitted, SinkUnavailable
from shipper.records import Source
from shipper.tail import LocalOpener, LogFile, LookError, Siblings
from shipper.tail.opener import Trouble
from tests.enrich.story import OFFERS, lines, triple
from tests.fakes.answering import Answer, answering
from tests.fakes.sink import MemorySink

SETTINGS = Settings(input=InputSettings(timezone="UTC"))
_STREAMS = ("clisvc", "ccm", "state")
BLOCK = {"type": "cluster_block_exception", "reason": "index is read-only"}
LACK = {"type": "security_exception", "reason": "action is unauthorized"}


class Server:
    """Has the documents of a log, and deletes them.

    Attributes:
        documents: ids by data stream.
        error: how the second document to delete is answered.
        deleted: ids that were.
    """

    def __init__(self) -> None:
        self.documents: dict[str, list[str]] = {name: [] for name in _STREAMS}
        self.error: dict[str, str] | None = None
        self.deleted: list[str] = []

    def respond(self, _method: str, path: str, body: bytes) -> Answer:
        """Answer a request."""
        if "_bulk" in path:
            return Answer(body={"items": [*map(self._delete, body.splitlines())]})
        if "_search" in path:
            stream = json.loads(body)["pit"]["id"]
            return Answer(body={"hits": {"hits": [*map(_hit, self.documents[stream])]}})
        return Answer(body={"id": next(name for name in _STREAMS if name in path)})

    def _delete(self, line: bytes) -> dict[str, Any]:
        if self.error and self.deleted:
            return {"delete": {"status": 403, "error": self.error}}
        self.deleted.append(json.loads(line)["delete"]["_id"])
        return {"delete": {"status": 200}}


def _hit(ident: str) -> dict[str, Any]:
    return {"_id": ident, "_index": "backing", "sort": [offset_of(ident), 0]}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log of three records, which cause states."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(lines(triple(OFFERS), 0))
    return log


@pytest.fixture
def server(log: Path) -> Server:
    """Give a server that has each document of the log."""
    made, sink = Server(), MemorySink()
    replaying(log).send(sink)
    for stream, ident in sink.documents:
        made.documents[stream.removeprefix("sms.")].append(ident)
    return made


def replaying(log: Path, settings: Settings = SETTINGS) -> Replaying:
    """Return what is replayed of the log."""
    folder, path = str(log.parent), str(log)
    return Replaying(
        settings,
        Source(host="pc0417", log="clisvc", directory=folder, path=path),
        Siblings(path=path),
        path,
        begin=0,
        clock=SystemClock(),
        opener=LocalOpener(),
    )


@contextmanager
def rewriting(log: Path, server: Server) -> Iterator[tuple[Replaying, Elasticsearch]]:
    """Give what is replayed, and a client of the server."""
    with answering(server.respond) as url, Elasticsearch(url, max_retries=0) as client:
        settings = replace(SETTINGS, elasticsearch=ElasticsearchSettings(url=url))
        yield replaying(log, settings), client


def test_all_of_it(log: Path, server: Server) -> None:
    """Records and their states are counted, and deleted."""
    everything = server.documents["clisvc"] + server.documents["state"]
    with rewriting(log, server) as (prepared, client):
        counted = prepared.count(client)
        before = list(server.deleted)
        deleted = prepared.delete(client)

    assert (before, server.deleted) == ([], everything)
    assert (counted, deleted, prepared.kept) == (len(everything), len(everything), 0)


def test_earlier_life_is_kept(log: Path, server: Server) -> None:
    """What the file does not yield could not be sent again, so it stays."""
    ident = server.documents["clisvc"][1]
    other = ident[:-1] + ("0" if ident[-1] != "0" else "1")
    server.documents["clisvc"].insert(1, other)
    server.documents["state"].append(f"{other}.s0")
    with rewriting(log, server) as (prepared, client):
        prepared.delete(client)

    assert prepared.kept == 2
    assert not {other, f"{other}.s0"} & set(server.deleted)


def test_state_no_longer_made_is_deleted(log: Path, server: Server) -> None:
    """A state that newer knowledge does not make goes with its record's others."""
    old = server.documents["clisvc"][0] + ".s7"
    server.documents["state"].append(old)
    with rewriting(log, server) as (prepared, client):
        prepared.delete(client)

    assert old in server.deleted


def test_read_before_anything_is_deleted(log: Path, server: Server) -> None:
    """A file that cannot be read any more is known before the first deletion."""
    with rewriting(log, server) as (prepared, client):
        log.unlink()
        with pytest.raises(InputProblem, match="run it again"):
            prepared.delete(client)

    assert server.deleted == []


def test_file_beside_it_cannot_be_read(
    log: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its states need the history, so an older file that is denied is known first."""
    older = log.with_suffix(".lo_")
    older.write_bytes(b"older")
    opening = LocalOpener.open

    def deny(opener: LocalOpener, path: str) -> LogFile:
        if path == str(older):
            raise LookError(Trouble.DENIED, "not for you")
        return opening(opener, path)

    with rewriting(log, server) as (prepared, client):
        monkeypatch.setattr(LocalOpener, "open", deny)
        with pytest.raises(InputProblem, match="not for you"):
            prepared.delete(client)

    assert server.deleted == []


@pytest.mark.parametrize(
    ("error", "kind"), [(BLOCK, SinkUnavailable), (LACK, NotPermitted)]
)
def test_refused_half_way(
    log: Path, server: Server, error: dict[str, str], kind: type[Exception]
) -> None:
    """It says how many are gone, and what brings them back; a block is no lack."""
    server.error = error
    with rewriting(log, server) as (prepared, client), pytest.raises(kind) as caught:
        prepared.delete(client)

    assert error["reason"] in str(caught.value)
    assert "deleted before that: 1." in str(caught.value)
    assert f"`clisvc replay {log}` sends what was deleted again" in str(caught.value)


def test_known(log: Path, server: Server) -> None:
    """One document of the generation is enough to know it."""
    with rewriting(log, server) as (prepared, client):
        there = prepared.known(client)
        server.documents["clisvc"].clear()
        gone = prepared.known(client)

    assert (there, gone) == (True, False)
