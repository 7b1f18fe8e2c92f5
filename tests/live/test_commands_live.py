# SPDX-License-Identifier: Apache-2.0
"""The commands around shipping, with a real Elasticsearch: set-up, checks, status."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import Elasticsearch

from shipper.stack import assets
from tests.live.commands import (
    acked,
    clisvc,
    count,
    lines,
    running,
    status,
    until,
)

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_NAMES = {asset.name for asset in assets() if asset.stream_patterns}


def _refuse_texts(client: Elasticsearch, namespace: str) -> None:
    """Make Elasticsearch refuse records of this namespace: their text is no number."""
    client.indices.put_index_template(
        name=f"refusing-{namespace}",
        index_patterns=[f"logs-sms.clisvc-{namespace}"],
        data_stream={},
        priority=900,
        template={
            "mappings": {
                "properties": {
                    "@timestamp": {"type": "date"},
                    "message": {"type": "long"},
                }
            }
        },
    )


def test_setup(elasticsearch_url: str) -> None:
    """Set-up shows its plan, and a second time finds everything unchanged."""
    words = ("setup", "--elasticsearch-url", elasticsearch_url)
    clisvc(*words)
    again, plan = clisvc(*words, "--json"), clisvc(*words, "--dry-run")

    assert (again.code, plan.code) == (0, 0)
    steps = again.json["steps"]
    actions = {
        step["name"]: step["action"]
        for step in steps
        if step["kind"] == "index-template" and step["name"] in _NAMES
    }
    assert actions == dict.fromkeys(_NAMES, "unchanged")
    assert again.json["applied"] is True
    title, headings, *rows = plan.out.splitlines()
    assert title == "Elasticsearch 9.2.0 (minimal) (nothing was changed)"
    assert headings.split("\t") == ["action", "kind", "name", "reason"]
    assert {row.split("\t")[2] for row in rows} >= _NAMES


def test_dry_run_changes_nothing(elasticsearch_url: str, client: Elasticsearch) -> None:
    """A plan is only a plan: what is out of date stays so until it is carried out."""
    name = "logs-sms@settings"
    words = ("setup", "--elasticsearch-url", elasticsearch_url)
    (body,) = (asset.body for asset in assets() if asset.name == name)
    meta = {"managed_by": "clisvc-shipper", "version": 0}
    client.cluster.put_component_template(
        name=name, template=body["template"], version=0, meta=meta
    )

    versions = []
    for done in (clisvc(*words, "--dry-run", "--json"), clisvc(*words, "--json")):
        (step,) = (step for step in done.json["steps"] if step["name"] == name)
        versions.append((step["action"], done.json["applied"]))
    again = clisvc(*words, "--json")

    assert versions == [("update", False), ("update", True)]
    assert "update" not in {step["action"] for step in again.json["steps"]}


def test_check(elasticsearch_url: str, tmp_path: Path) -> None:
    """A check names every setting's origin, and finds server, log and state right."""
    log, config = tmp_path / "Clisvc.log", tmp_path / "clisvc.toml"
    log.write_bytes(lines(0, 3))
    config.write_text("[output]\nsenders = 1\n")
    clisvc("setup", "--elasticsearch-url", elasticsearch_url)
    words = ("check", log, "--elasticsearch-url", elasticsearch_url, "--config", config)
    secret = {"CLISVC_OUTPUT_LINGER": "0.5", "CLISVC_API_KEY": "c2VjcmV0LXNlY3JldA=="}
    done = clisvc(*words, "--state", tmp_path / "state", "--json", extra=secret)
    table = clisvc(*words, "--state", tmp_path / "state", extra=secret)

    assert (done.code, done.err) == (0, "")
    shown = {row["key"]: (row["value"], row["origin"]) for row in done.json["settings"]}
    assert shown["output.senders"] == ("1", str(config))
    assert shown["output.linger"] == ("0.5", "CLISVC_OUTPUT_LINGER")
    assert shown["input.paths"] == (str(log), "the command line")
    assert shown["input.sweep_max"] == ("10.0", "default")
    assert shown["elasticsearch.api_key"] == ("<hidden>", "CLISVC_API_KEY")
    found = {each["what"]: each for each in done.json["findings"]}
    assert [each["what"] for each in found.values() if not each["ok"]] == []
    assert found[elasticsearch_url]["detail"] == "Elasticsearch 9.2.0 (minimal)"
    assert found[str(log)]["detail"].startswith(f"{len(lines(0, 3))} bytes, host ")
    assert not (tmp_path / "state").exists()
    assert table.code == 0
    assert f"output.senders\t1\t{config}" in table.out.splitlines()
    assert "c2VjcmV0" not in done.out + table.out


def test_check_finds_nothing(elasticsearch_url: str, tmp_path: Path) -> None:
    """A pattern without a log is found wrong, by exit code too."""
    done = clisvc(
        *("check", tmp_path / "*" / "Clisvc.log", "--state", tmp_path / "state"),
        *("--elasticsearch-url", elasticsearch_url, "--json"),
    )

    assert done.code == 1
    assert [each for each in done.json["findings"] if not each["ok"]] == [
        {"what": "logs", "ok": False, "detail": "nothing matches the paths given"}
    ]


def test_status_adds_up(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Seen is acknowledged, pending, refused and lost, while it runs and afterwards."""
    log, state = tmp_path / "Clisvc.log", tmp_path / "state"
    log.write_bytes(lines(0, 200))
    half = lines(200, 1)[:50]
    words = ("--elasticsearch-url", elasticsearch_url, "--namespace", namespace)
    with running(
        tmp_path / "errors", "run", log, *words, "--state", state, "--host", "pc1"
    ) as process:
        until(lambda: count(client, namespace) == 200, "all is indexed")
        with log.open("ab") as file:
            file.write(half)
        until(lambda: acked(state) == len(lines(0, 200)), "it is saved")
        during = status(state)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    after = status(state)
    table = clisvc("status", "--state", state)

    for found in (during, after):
        assert found["seen"] == sum(
            found[part] for part in ("acked", "pending", "dead_lettered", "lost")
        )
        assert found["seen"] == len(lines(0, 200))
    assert (after["host"], after["path"], after["records"]) == ("pc1", str(log), 200)
    assert after["offset"] == after["seen"]
    headings, row = (line.split("\t") for line in table.out.splitlines())
    shown = dict(zip(headings, row, strict=True))
    assert (shown["host"], shown["seen"], shown["pending"]) == (
        "pc1",
        str(len(lines(0, 200))),
        "0",
    )


def test_refused_documents(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """What Elasticsearch refuses is kept and counted, and the exit code is 1."""
    clisvc("setup", "--elasticsearch-url", elasticsearch_url)
    log, state = tmp_path / "Clisvc.log", tmp_path / "state"
    log.write_bytes(lines(0, 3))
    _refuse_texts(client, namespace)
    try:
        done = clisvc(
            *("ship", log, "--state", state, "--namespace", namespace, "--json"),
            *("--elasticsearch-url", elasticsearch_url),
        )
    finally:
        client.indices.delete_index_template(name=f"refusing-{namespace}")
    found = status(state)

    assert done.code == 1
    assert (done.json["records"], done.json["dead_lettered"]) == (3, 3)
    assert found["dead_lettered"] == found["seen"] == len(lines(0, 3))
    assert (found["acked"], found["pending"], found["lost"]) == (0, 0, 0)
    assert clisvc("status", "--state", state, "--json").json["dead_letters"] == 3


def _runs(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be noticed by init does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder that the unprivileged server can reach, too."""
    with tempfile.TemporaryDirectory(prefix="clisvc-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "home"


def test_embedded(home: Path) -> None:
    """An embedded server outlives the command that started it, until it is stopped."""
    none = clisvc("embedded", "status", "--home", home, "--json")
    started = clisvc("embedded", "start", "--home", home, "--json", timeout_s=200)
    try:
        there = clisvc("embedded", "status", "--home", home)
        again = clisvc("embedded", "start", "--home", home)
        with Elasticsearch(started.json["url"]) as client:
            health = client.cluster.health()["status"]
    finally:
        stopped = clisvc("embedded", "stop", "--home", home, "--json")
    after = clisvc("embedded", "stop", "--home", home)

    nothing = {"running": False, "url": "", "version": "", "pid": None}
    assert (none.code, none.json) == (1, nothing)
    assert started.code == 0
    assert (there.code, there.out) == (0, f"{started.json['url']}\n")
    assert again.code == 69
    assert "already runs in" in again.err
    assert health in {"green", "yellow"}
    assert (stopped.code, stopped.json) == (0, {"stopped": True})
    assert (after.code, after.out) == (0, "not running\n")
    until(lambda: not _runs(started.json["pid"]), "its process has ended")


def test_demo(elasticsearch_url: str) -> None:
    """The demonstration proves each of its records to be there exactly once."""
    done = clisvc(
        *("demo", "--hosts", 12, "--elasticsearch-url", elasticsearch_url, "--json"),
        timeout_s=150,
    )

    assert done.code == 0
    proof = done.json["proof"]
    assert proof["written"] == proof["indexed"] > 0
    assert (proof["lost"], proof["doubled"]) == (0, 0)
    assert done.json["rotations"] > 0
    assert len(done.out.splitlines()) == 1
    assert "\x1b" not in done.err
