# SPDX-License-Identifier: Apache-2.0
"""``clisvc ship`` into a real Elasticsearch: once, again, interrupted; odd files."""

import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import (
    COMMAND,
    PATIENCE_S,
    Done,
    clisvc,
    count,
    environment,
    hits,
    lines,
    originals,
    running,
    status,
    texts,
    until,
)

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_SAMPLES = Path(__file__).parents[1] / "data" / "golden"
_NOTHING = {
    "records": 0,
    "indexed": 0,
    "duplicates": 0,
    "dead_lettered": 0,
    "lost": 0,
    "states": 0,
    "already_shipped": 0,
}


class Shipper:
    """Runs ``clisvc ship`` with the same options each time."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self.state = folder / "state"
        self.log = folder / "Clisvc.log"
        self.words: tuple[object, ...] = (
            *("--elasticsearch-url", url, "--namespace", namespace),
            *("--state", self.state, "--host", "pc0417.corp.example"),
        )

    def __call__(self, *paths: object) -> Done:
        """Ship ``paths``, or else the log, with a summary as JSON."""
        return clisvc("ship", *(paths or (self.log,)), *self.words, "--json")


@pytest.fixture
def ship(elasticsearch_url: str, namespace: str, tmp_path: Path) -> Shipper:
    """Give a way to ship into this test's own namespace."""
    return Shipper(elasticsearch_url, namespace, tmp_path)


def _said(**numbers: int) -> dict[str, int]:
    return _NOTHING | numbers


def _small(folder: Path) -> Path:
    """Return settings by which little is under way at any time."""
    path = folder / "small.toml"
    path.write_text("[output]\nbatch_events = 500\nmax_in_flight_bytes = 500000\n")
    return path


def test_again_and_grown(ship: Shipper, client: Elasticsearch, namespace: str) -> None:
    """A finished file is not sent again; of one that has grown only the rest is."""
    ship.log.write_bytes(lines(0, 400))
    first, again = ship(), ship()
    with ship.log.open("ab") as file:
        file.write(lines(400, 50))
    grown = ship()

    assert [done.code for done in (first, again, grown)] == [0, 0, 0]
    assert first.json == _said(records=400, indexed=400)
    assert again.json == _said(already_shipped=1)
    assert grown.json == _said(records=50, indexed=50)
    assert originals(client, namespace) == Counter(texts(lines(0, 450)))


def test_state_folder_lost(
    ship: Shipper, client: Elasticsearch, namespace: str
) -> None:
    """Without its state all is sent again, is found there, and nothing is added."""
    ship.log.write_bytes(lines(0, 400))
    ship()
    before = {hit["_id"] for hit in hits(client, f"logs-sms.clisvc-{namespace}")}
    for path in ship.state.iterdir():
        path.unlink()
    ship.state.rmdir()
    done = ship()
    after = {hit["_id"] for hit in hits(client, f"logs-sms.clisvc-{namespace}")}

    assert (done.code, done.json) == (0, _said(records=400, duplicates=400))
    assert after == before
    assert len(after) == 400


def test_output_for_machines(ship: Shipper) -> None:
    """With --json standard output is one line, and no progress is drawn anywhere."""
    ship.log.write_bytes(lines(0, 10))
    done = ship()

    assert len(done.out.splitlines()) == 1
    assert all(json.loads(line)["event"] for line in done.err.splitlines())
    assert "\x1b" not in done.out + done.err


def test_output_without_terminal(ship: Shipper) -> None:
    """The summary for people is plain where there is no terminal."""
    ship.log.write_bytes(lines(0, 10))
    done = clisvc("ship", ship.log, *ship.words)
    again = clisvc("ship", ship.log, *ship.words)

    first, second = done.out.splitlines()
    assert re.fullmatch(
        r"10 records read from 1 log in \d+\.\d s \([\d,]+ events/s\)", first
    )
    assert second == (
        "10 indexed, 0 there already, 0 dead-lettered, 0 bytes lost; 0 state documents"
    )
    assert again.out.splitlines()[2] == "1 log shipped before"
    assert "\x1b" not in done.out + done.err


def test_progress_on_a_terminal(ship: Shipper) -> None:
    """On a terminal there is a bar with logs, bytes and events a second."""
    ship.log.write_bytes(lines(0, 20_000))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, ("ship", ship.log, *ship.words))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment({"COLUMNS": "120", "TERM": "xterm"}),
    )
    os.close(theirs)
    shown = b""
    try:
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
    finally:
        code = process.wait(timeout=PATIENCE_S)
        os.close(ours)

    assert code == 0
    assert b"\x1b[" in shown
    assert "━".encode() in shown
    assert b"1/1 logs" in shown
    assert b"events/s" in shown


def test_interrupted(
    ship: Shipper, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Ctrl-C half-way ends with 130; the next run does the rest and doubles nothing."""
    total = 30_000
    ship.log.write_bytes(lines(0, total))
    config = _small(tmp_path)
    words = ("ship", ship.log, *ship.words, "--json", "--config", config)
    with running(tmp_path / "errors", *words) as process:
        until(lambda: count(client, namespace) > 0, "the first documents")
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=PATIENCE_S)
    between = status(ship.state)
    rest = ship()

    assert code == 130
    assert between["acked"] < ship.log.stat().st_size
    assert (rest.code, rest.json["lost"], rest.json["dead_lettered"]) == (0, 0, 0)
    assert rest.json["records"] < total
    assert originals(client, namespace) == Counter(texts(lines(0, total)))


def test_rotated_files_come_too(
    ship: Shipper, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """A template brings the rotated files of each host; a file by name comes alone."""
    for host, first in (("pc1", 0), ("pc2", 1_000)):
        folder = tmp_path / "fleet" / host
        folder.mkdir(parents=True)
        (folder / "Clisvc.lo_").write_bytes(lines(first, 20))
        (folder / "Clisvc.log").write_bytes(lines(first + 20, 10))
    alone = ship(tmp_path / "fleet" / "pc1" / "Clisvc.log")
    fleet = ship(tmp_path / "fleet" / "{host}" / "Clisvc.log")
    counted = Counter(
        hit["_source"]["host"]["name"]
        for hit in hits(client, f"logs-sms.clisvc-{namespace}")
    )

    assert (alone.code, alone.json) == (0, _said(records=10, indexed=10))
    assert (fleet.code, fleet.json["records"]) == (0, 60)
    assert counted == {"pc0417": 10, "pc1": 30, "pc2": 30}


def test_odd_files(
    ship: Shipper, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Empty and binary files are shipped like any other, to their last byte."""
    empty, binary = (
        tmp_path / "empty" / "Clisvc.log",
        tmp_path / "binary" / "Clisvc.log",
    )
    for path in (empty, binary):
        path.parent.mkdir()
    empty.touch()
    binary.write_bytes(bytes(range(256)) * 40 + b"\n")
    nothing, plain = ship(empty), ship(binary)
    found = list(hits(client, f"logs-sms.clisvc-{namespace}"))

    assert (nothing.code, nothing.json) == (0, _NOTHING)
    assert plain.code == 0
    # Byte 10 ends a line: 40 times in the ranges, and once more at the end.
    assert (plain.json["records"], plain.json["lost"]) == (41, 0)
    assert len(found) == 41
    assert {hit["_source"]["sms"]["parse"]["quality"] for hit in found} == {"plain"}


def test_file_vanishes(
    ship: Shipper, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Of a log removed meanwhile, what is missing is said and counted."""
    total = 120_000
    ship.log.write_bytes(lines(0, total))
    size = ship.log.stat().st_size
    config = _small(tmp_path)
    errors = tmp_path / "errors"
    words = ("ship", ship.log, *ship.words, "--json", "--config", config)
    out = tmp_path / "out"
    with running(errors, *words, out=out) as process:
        until(lambda: count(client, namespace) > 0, "the first documents")
        ship.log.unlink()
        code = process.wait(timeout=PATIENCE_S)
    summary, source = json.loads(out.read_text()), status(ship.state)

    said = errors.read_text()
    assert code == 2
    assert f"clisvc: {ship.log}: no log." in said.splitlines()
    assert "Traceback" not in said
    assert 0 < source["acked"] < size
    assert (source["pending"], source["dead_lettered"]) == (0, 0)
    assert source["lost"] == summary["lost"] == size - source["acked"]
    found = originals(client, namespace)
    assert found == Counter(texts(lines(0, summary["records"])))


def test_indexed_is_parsed(
    ship: Shipper,
    client: Elasticsearch,
    namespace: str,
) -> None:
    """What is indexed is what ``parse`` prints, but for who shipped it and when."""
    samples = sorted(_SAMPLES.glob("*.log"))
    assert samples
    ship.log.write_bytes(b"\r\n".join(path.read_bytes() for path in samples))
    options = ("--timezone", "America/Chicago")
    shipped = clisvc("ship", ship.log, *ship.words, *options, "--json")
    printed = clisvc(
        *("parse", ship.log, "--host", "pc0417.corp.example", "--ids"),
        *("--namespace", namespace, *options),
    )
    expected: dict[str, Any] = {}
    for line in printed.out.splitlines():
        wrapped = json.loads(line)
        assert wrapped["_id"] not in expected
        expected[wrapped["_id"]] = wrapped["_source"]
    indexed: dict[str, Any] = {}
    for dataset in ("clisvc", "state"):
        for hit in hits(client, f"logs-sms.{dataset}-{namespace}"):
            source = hit["_source"]
            assert source.pop("agent")["type"] == "clisvc-shipper"
            assert source.pop("observer")["product"] == "clisvc-shipper"
            assert source["event"].pop("ingested")
            indexed[hit["_id"]] = source

    assert (shipped.code, printed.code) == (0, 0)
    assert shipped.json["states"] > 0
    assert len(expected) == shipped.json["records"] + shipped.json["states"]
    assert indexed == expected


def test_elasticsearch_8(
    elasticsearch_8_url: str, client_8: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """The same holds with a server of the 8 series: shipped once, and not again."""
    ship = Shipper(elasticsearch_8_url, namespace, tmp_path)
    ship.log.write_bytes(lines(0, 400))
    first = ship()
    for path in ship.state.iterdir():
        path.unlink()
    again = ship()

    assert (first.code, first.json) == (0, _said(records=400, indexed=400))
    assert (again.code, again.json) == (0, _said(records=400, duplicates=400))
    assert originals(client_8, namespace) == Counter(texts(lines(0, 400)))
    mapping = client_8.indices.get_mapping(index=f"logs-sms.clisvc-{namespace}").body
    (index,) = mapping.values()
    assert index["mappings"]["dynamic"] == "false"


def test_full_disk(ship: Shipper, client: Elasticsearch, namespace: str) -> None:
    """Progress that cannot be saved ends it with 65; afterwards nothing is doubled."""
    resource = pytest.importorskip("resource")  # there is none on Windows
    ship.log.write_bytes(lines(0, 30_000))
    words = ("ship", ship.log, *ship.words, "--json")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    full = clisvc(*words, before=limit)
    after = ship()

    assert full.code == 65
    assert f"clisvc: {ship.state / 'state.db'}: the state cannot be" in full.err
    assert "Free space on that disk" in full.err
    assert "Traceback" not in full.err
    assert after.code == 0
    assert originals(client, namespace) == Counter(texts(lines(0, 30_000)))


def test_two_at_once(
    ship: Shipper, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Two shippers that do not know of each other still index each record once."""
    ship.log.write_bytes(lines(0, 5_000))
    done: list[Done] = []

    def one(number: int) -> None:
        words = ("ship", ship.log, *ship.words, "--json", "--state")
        done.append(clisvc(*words, tmp_path / f"state-{number}"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.code for each in done] == [0, 0]
    assert sum(each.json["indexed"] for each in done) == 5_000
    assert sum(each.json["duplicates"] for each in done) == 5_000
    assert originals(client, namespace) == Counter(texts(lines(0, 5_000)))
