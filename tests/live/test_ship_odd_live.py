# SPDX-License-Identifier: Apache-2.0
"""``clisvc ship`` where something is odd: files, disks, a second shipper."""

import json
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import (
    PATIENCE_S,
    Done,
    clisvc,
    count,
    hits,
    lines,
    originals,
    running,
    status,
    texts,
    until,
)
from tests.live.shipping import NOTHING, Shipper, small

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]


@pytest.fixture
def ship(elasticsearch_url: str, namespace: str, tmp_path: Path) -> Shipper:
    """Give a way to ship into this test's own namespace."""
    return Shipper(elasticsearch_url, namespace, tmp_path)


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

    assert (nothing.code, nothing.json) == (0, NOTHING)
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
    config = small(tmp_path)
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
