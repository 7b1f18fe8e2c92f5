# SPDX-License-Identifier: Apache-2.0
"""Servers that cannot be used: named, with the reason and a documented code."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.fakes.answering import Answer, answering
from tests.fakes.installed import LIST
from tests.live.commands import clisvc, lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three records."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, 3))
    return path


@pytest.mark.parametrize("words", [("ship",), ("check",), ("setup",)], ids=" ".join)
def test_unreachable(
    words: tuple[str, ...], closed_url: str, log: Path, tmp_path: Path
) -> None:
    """A server that is not there is named with the system's reason."""
    paths = () if words == ("setup",) else (log, "--state", tmp_path / "state")
    done = clisvc(*words, *paths, "--elasticsearch-url", closed_url)

    assert done.code == 69
    said = done.err + done.out
    assert f"{closed_url} cannot be reached: Connection refused." in said
    assert "Check the address and that Elasticsearch is running there." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["run", "ship", "check", "setup"])
def test_wrong_password(command: str, log: Path, tmp_path: Path) -> None:
    """Credentials that are refused end it with 77, without a word of them."""
    refused = {"type": "security_exception", "reason": "unable to authenticate"}
    answer = Answer(status=401, body={"error": refused, "status": 401})
    with answering(lambda _method, _path, _body: answer) as url:
        paths = () if command == "setup" else (log,)
        state = () if command == "setup" else ("--state", tmp_path / "state")
        done = clisvc(
            *(command, *paths, *state),
            *("--elasticsearch-url", url, "--username", "ship"),
            extra={"CLISVC_PASSWORD": "hunter2-hunter2"},
        )

    said = done.err + done.out
    assert done.code == 77
    assert f"{url} does not accept the credentials (401" in said
    assert "CLISVC_PASSWORD" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["ship", "check"])
def test_stranger(command: str, log: Path, tmp_path: Path) -> None:
    """Something else that answers is not taken for Elasticsearch."""
    answer = Answer(body="<h1>It works!</h1>", product=False)
    with answering(lambda _method, _path, _body: answer) as url:
        done = clisvc(
            *(command, log, "--state", tmp_path / "state"),
            *("--elasticsearch-url", url),
        )

    said = done.err + done.out
    assert done.code == 69
    assert f"{url} is not Elasticsearch: " in said
    assert "Check address and port, and any proxy in between." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["ship", "check"])
def test_unknown_authority(command: str, log: Path, tmp_path: Path) -> None:
    """A certificate nobody vouches for ends it with 69, and the way out is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with answering(lambda _method, _path, _body: Answer(), tls=context) as url:
        done = clisvc(
            *(command, log, "--state", tmp_path / "state"),
            *("--elasticsearch-url", url),
        )

    said = done.err + done.out
    assert done.code == 69
    assert f"TLS with {url} failed: " in said
    assert "CLISVC_CA_CERT" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["ship", "check"])
def test_expired_certificate(command: str, log: Path, tmp_path: Path) -> None:
    """An expired certificate ends it with 69; another authority would not help."""
    authority = trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=yesterday).configure_cert(context)
    ca_cert = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_cert))
    with answering(lambda _method, _path, _body: Answer(), tls=context) as url:
        done = clisvc(
            *(command, log, "--state", tmp_path / "state"),
            *("--elasticsearch-url", url),
            extra={"CLISVC_CA_CERT": str(ca_cert)},
        )

    said = done.err + done.out
    assert done.code == 69
    assert f"TLS with {url} failed: " in said
    assert "certificate has expired" in said
    assert "Renew it, or the authority's; check this machine's clock." in said
    assert "with CLISVC_CA_CERT" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["run", "ship"])
def test_templates_may_not_be_installed(
    command: str, log: Path, tmp_path: Path
) -> None:
    """Without templates and the right to them, nothing is sent at all."""
    requests: list[tuple[str, str]] = []
    reason = (
        "action [indices:admin/index_template/simulate] is unauthorized for user [ship]"
        " with effective roles [ship], this action is granted by the cluster privileges"
        " [manage_index_templates,manage]"
    )
    forbidden = {"type": "security_exception", "reason": reason}

    def respond(method: str, path: str, _body: bytes) -> Answer:
        requests.append((method, path))
        if (method, path) == LIST:
            return Answer(body={"index_templates": []})
        if (method, path) == ("GET", "/"):
            number = {"number": "9.2.0", "build_flavor": "default"}
            return Answer(body={"version": number})
        return Answer(status=403, body={"error": forbidden, "status": 403})

    with answering(respond) as url:
        done = clisvc(
            *(command, log, "--state", tmp_path / "state"),
            *("--elasticsearch-url", url),
        )

    assert (done.code, done.out) == (77, "")
    *_, first, second = done.err.splitlines()
    assert first.startswith(
        "clisvc: logs-sms.ccm and logs-sms.clisvc and logs-sms.shipper and"
        " logs-sms.state are not installed at"
    )
    assert "manage_index_templates" in first
    assert second == "Run `clisvc setup` once with credentials that may."
    assert LIST in requests
    assert {method for method, _ in requests} <= {"GET", "POST"}
    assert [path for _, path in requests if "_bulk" in path] == []
