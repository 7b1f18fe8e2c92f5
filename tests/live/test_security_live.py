# SPDX-License-Identifier: Apache-2.0
"""A server that asks who is there: each role can do its work, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.live.commands import clisvc, count, lines, running, until
from tests.live.secured import ADMIN, POWERLESS, Secured, secured

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(240)]

_RECORDS = 20


@pytest.fixture(scope="module")
def server() -> Iterator[Secured]:
    """Give a server with security and TLS, and our templates."""
    with secured() as made:
        done = clisvc("setup", extra=made.environment("clisvc_setup"))
        assert done.code == 0, done.err
        yield made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of some records."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, _RECORDS))
    return path


@pytest.fixture
def shipped(server: Secured, log: Path, namespace: str, tmp_path: Path) -> str:
    """Return a namespace the writer has shipped the log to."""
    done = clisvc(
        *("ship", log, "--host", "pc1", "--namespace", namespace),
        *("--state", tmp_path / "state"),
        extra=server.environment("clisvc_writer"),
    )
    assert done.code == 0, done.err
    with server.client() as admin:
        assert count(admin, namespace) == _RECORDS
    return namespace


Act = Callable[[Elasticsearch, str], object]


def _document(client: Elasticsearch, namespace: str) -> tuple[str, str]:
    """Return index and id of a document."""
    index = f"logs-sms.clisvc-{namespace}"
    hit = client.search(index=index, size=1)["hits"]["hits"][0]
    return hit["_index"], hit["_id"]


def _search(client: Elasticsearch, namespace: str) -> object:
    return client.search(index=f"logs-sms.clisvc-{namespace}")


def _append(client: Elasticsearch, namespace: str) -> object:
    return client.create(
        index=f"logs-sms.clisvc-{namespace}", id="x", document={"@timestamp": 0}
    )


def _get(client: Elasticsearch, where: tuple[str, str]) -> object:
    return client.get(index=where[0], id=where[1])


def _replace(client: Elasticsearch, where: tuple[str, str]) -> object:
    return client.index(
        index=where[0],
        id=where[1],
        document={"@timestamp": 0},
        if_seq_no=0,
        if_primary_term=1,
    )


def _update(client: Elasticsearch, where: tuple[str, str]) -> object:
    return client.update(index=where[0], id=where[1], doc={"message": "?"})


def _delete(client: Elasticsearch, where: tuple[str, str]) -> object:
    return client.delete(index=where[0], id=where[1])


def _drop(client: Elasticsearch, where: tuple[str, str]) -> object:
    return client.indices.delete(index=where[0])


def _template(client: Elasticsearch, _: object) -> object:
    body = {"settings": {"number_of_replicas": 0}}
    return client.cluster.put_component_template(
        name="logs-sms@settings", template=body
    )


_CHANGES = (_replace, _update, _delete, _drop, _template)


@pytest.mark.parametrize("act", [_get, *_CHANGES], ids=lambda a: a.__name__)
def test_writer_only_appends(server: Secured, shipped: str, act: Act) -> None:
    """The writer can neither read nor change nor delete anything."""
    with server.client() as admin, server.client("clisvc_writer") as writer:
        where = _document(admin, shipped)
        with pytest.raises(ApiError) as caught:
            act(writer, where)  # type: ignore[arg-type]  # all take a place

    assert caught.value.status_code == 403


def test_writer_cannot_search(server: Secured, shipped: str) -> None:
    """The writer finds nothing, not even what it wrote."""
    with server.client("clisvc_writer") as writer, pytest.raises(ApiError) as caught:
        _search(writer, shipped)

    assert caught.value.status_code == 403


@pytest.mark.parametrize("act", _CHANGES, ids=lambda a: a.__name__)
def test_verifier_changes_nothing(server: Secured, shipped: str, act: Act) -> None:
    """The verifier can look documents up and append; it deletes and changes nothing."""
    with server.client("clisvc_verifier") as verifier:
        where = _document(verifier, shipped)
        assert _get(verifier, where)
        with pytest.raises(ApiError) as caught:
            act(verifier, where)  # type: ignore[arg-type]  # all take a place

    assert caught.value.status_code == 403


@pytest.mark.parametrize("act", _CHANGES, ids=lambda a: a.__name__)
def test_reader_only_reads(server: Secured, shipped: str, act: Act) -> None:
    """The reader searches, and can do nothing else."""
    with server.client("clisvc_reader") as reader:
        where = _document(reader, shipped)
        with pytest.raises(ApiError) as caught:
            act(reader, where)  # type: ignore[arg-type]  # all take a place

    assert caught.value.status_code == 403


def test_reader_cannot_append(server: Secured, shipped: str) -> None:
    """The reader writes nothing."""
    with server.client("clisvc_reader") as reader, pytest.raises(ApiError) as caught:
        _append(reader, shipped)

    assert caught.value.status_code == 403


def test_verify_as_verifier(server: Secured, shipped: str, log: Path) -> None:
    """`clisvc verify` needs no more than the verifier's rights."""
    done = clisvc(
        *("verify", log, "--host", "pc1", "--namespace", shipped, "--json"),
        extra=server.environment("clisvc_verifier"),
    )

    assert (done.code, done.err) == (0, "")
    assert done.json["files"][0]["present"] == _RECORDS


def test_verify_as_writer(server: Secured, shipped: str, log: Path) -> None:
    """Without the right to read, `verify` says what it lacks and ends with 77."""
    done = clisvc(
        *("verify", log, "--host", "pc1", "--namespace", shipped),
        extra=server.environment("clisvc_writer"),
    )

    assert done.code == 77
    assert "read" in done.err


def test_lost_state_as_writer(
    server: Secured, shipped: str, log: Path, tmp_path: Path
) -> None:
    """Without its state the writer sends all again; ids keep the index as it is."""
    done = clisvc(
        *("ship", log, "--host", "pc1", "--namespace", shipped, "--json"),
        *("--state", tmp_path / "another"),
        extra=server.environment("clisvc_writer"),
    )

    assert done.code == 0
    with server.client() as admin:
        assert count(admin, shipped) == _RECORDS


@pytest.mark.parametrize("command", ["ship", "check", "verify"])
def test_wrong_password(
    server: Secured, log: Path, tmp_path: Path, command: str
) -> None:
    """A password nobody knows ends it with 77, and is not shown."""
    wrong = "wr0ng-s3cret"
    done = clisvc(
        *(command, log, "--host", "pc1", "--state", tmp_path / "state")
        if command != "verify"
        else (command, log, "--host", "pc1"),
        extra=server.environment("clisvc_writer") | {"CLISVC_PASSWORD": wrong},
    )

    said = done.out + done.err
    assert done.code == 77, said
    assert "Elasticsearch" in said or server.url in said
    assert wrong not in said


def test_no_right(server: Secured, log: Path, tmp_path: Path, namespace: str) -> None:
    """A user without a right to append is told which one is missing: 77."""
    done = clisvc(
        *("ship", log, "--host", "pc1", "--state", tmp_path / "state"),
        *("--namespace", namespace),
        extra=server.environment(POWERLESS),
        timeout_s=120,
    )

    assert done.code == 77
    assert "grant these the cluster privilege monitor" in done.err
    assert server.password not in done.err


def test_nothing_secret_is_shown(
    server: Secured, log: Path, tmp_path: Path, namespace: str
) -> None:
    """No log at its most talkative, no process list and no dump holds a secret."""
    said = tmp_path / "said"
    words = ("--host", "pc1", "--state", tmp_path / "state", "--namespace", namespace)
    secret = tmp_path / "password"
    secret.write_text(server.password)
    config = tmp_path / "clisvc.toml"
    config.write_text(
        f"[elasticsearch]\nurl = '{server.url}'\nca_cert = '{server.ca_cert}'\n"
        f"username = 'clisvc_writer'\npassword_file = '{secret}'\n"
        "[log]\nlevel = 'debug'\nformat = 'json'\n"
    )
    with running(said, "run", log, *words, "--config", config) as process:
        with server.client() as admin:
            until(lambda: count(admin, namespace) == _RECORDS, "all is indexed")
        shown = " ".join(psutil.Process(process.pid).cmdline())
        shown += json.dumps(psutil.Process(process.pid).environ())
    dump = clisvc("check", log, *words, "--config", config)
    helps = [clisvc(name, "--help").out for name in ("run", "ship", "check", "setup")]

    for text in (shown, said.read_text(), dump.out, dump.err, *helps):
        assert server.password not in text
    assert re.search(r"indexed|tailing", said.read_text())


def test_setup_role_is_enough(server: Secured) -> None:
    """What `setup` installed with its own role, it finds unchanged."""
    done = clisvc("setup", "--dry-run", extra=server.environment("clisvc_setup"))
    again = clisvc("setup", "--dry-run", extra=server.environment(ADMIN))

    assert (done.code, again.code) == (0, 0), done.err + again.err
