# SPDX-License-Identifier: Apache-2.0
"""``clisvc ship`` into a real Elasticsearch: once, again, interrupted; odd files."""

import json
import os
import pty
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import (
    COMMAND,
    PATIENCE_S,
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
from tests.live.shipping import Shipper, result, small

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_SAMPLES = Path(__file__).parents[1] / "data" / "golden"


@pytest.fixture
def ship(elasticsearch_url: str, namespace: str, tmp_path: Path) -> Shipper:
    """Give a way to ship into this test's own namespace."""
    return Shipper(elasticsearch_url, namespace, tmp_path)


def test_again_and_grown(ship: Shipper, client: Elasticsearch, namespace: str) -> None:
    """A finished file is not sent again; of one that has grown only the rest is."""
    ship.log.write_bytes(lines(0, 400))
    first, again = ship(), ship()
    with ship.log.open("ab") as file:
        file.write(lines(400, 50))
    grown = ship()

    assert [done.code for done in (first, again, grown)] == [0, 0, 0]
    assert first.json == result(records=400, indexed=400)
    assert again.json == result(already_shipped=1)
    assert grown.json == result(records=50, indexed=50)
    assert originals(client, namespace) == Counter(texts(lines(0, 450)))


def test_again_on_purpose(ship: Shipper, client: Elasticsearch, namespace: str) -> None:
    """``--again`` sends a finished file anew, and Elasticsearch keeps it once."""
    ship.log.write_bytes(lines(0, 300))
    ship()

    done = ship(ship.log, "--again")

    assert done.json == result(records=300, duplicates=300)
    assert originals(client, namespace) == Counter(texts(lines(0, 300)))


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

    assert (done.code, done.json) == (0, result(records=400, duplicates=400))
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
    assert again.out.splitlines()[2] == (
        "1 log shipped before (--again sends them anew)"
    )
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
    config = small(tmp_path)
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

    assert (alone.code, alone.json) == (0, result(records=10, indexed=10))
    assert (fleet.code, fleet.json["records"]) == (0, 60)
    assert counted == {"pc0417": 10, "pc1": 30, "pc2": 30}


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
    for dataset in ("clisvc", "ccm", "state"):
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

    assert (first.code, first.json) == (0, result(records=400, indexed=400))
    assert (again.code, again.json) == (0, result(records=400, duplicates=400))
    assert originals(client_8, namespace) == Counter(texts(lines(0, 400)))
    mapping = client_8.indices.get_mapping(index=f"logs-sms.clisvc-{namespace}").body
    (index,) = mapping.values()
    assert index["mappings"]["dynamic"] == "false"
