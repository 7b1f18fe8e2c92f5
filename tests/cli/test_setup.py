# SPDX-License-Identifier: Apache-2.0
"""``clisvc setup`` as people use it, against a full server played at the wire."""

import json
from typing import Any

import pytest

from tests.fakes.answering import answering
from tests.fakes.fullserver import FullServer, problem
from tests.fakes.kibana import FakeKibana, refused
from tests.live.commands import clisvc


def test_dry_run_then_apply_then_nothing_to_do() -> None:
    """The plan is shown without a change; carried out; and then there is none left."""
    server = FullServer("9.2.0")
    with answering(server) as url:
        words = ("setup", "--elasticsearch-url", url, "--json")
        planned = clisvc(*words, "--dry-run")
        untouched = list(server.changes)
        applied = clisvc(*words)
        again = clisvc(*words)

    assert untouched == []
    assert [done.code for done in (planned, applied, again)] == [0, 0, 0]
    assert planned.json["applied"] is False
    assert planned.json["server"] == "Elasticsearch 9.2.0"
    assert {step["action"] for step in applied.json["steps"]} == {"create"}
    assert {step["action"] for step in again.json["steps"]} == {"unchanged"}


def test_diff() -> None:
    """A change made by hand is shown with the value now and the value then."""
    server = FullServer("8.17.4")
    with answering(server) as url:
        words = ("setup", "--elasticsearch-url", url)
        clisvc(*words)
        server.objects["_index_template"]["logs-sms.ccm"]["priority"] = 90
        done = clisvc(*words, "--diff", "--dry-run")

    rows = [line.split("\t") for line in done.out.splitlines()]
    (at,) = (number for number, row in enumerate(rows) if row[0] == "update")
    assert rows[at][1:3] == ["index-template", "logs-sms.ccm"]
    assert rows[at + 1] == ["", "", "", "priority: 90, not 250"]


def test_refused_object() -> None:
    """A refused object is in the table, and the code says that it is not all done."""
    reason = "current license is non-compliant for [transform]"
    refused = {
        "PUT /_transform/sms-host-state": problem(403, "security_exception", reason)
    }
    with answering(FullServer("9.2.0", refused=refused)) as url:
        done = clisvc("setup", "--elasticsearch-url", url)

    assert done.code == 77
    (row,) = (row for row in done.out.splitlines() if row.startswith("refused"))
    assert "sms-host-state" in row
    assert reason in row
    assert reason in done.err


def test_uninstall() -> None:
    """What was installed is removed, and what stays is told."""
    server = FullServer("9.2.0")
    server.streams["logs-sms.state-lab"] = {}
    with answering(server) as url:
        words = ("setup", "--elasticsearch-url", url, "--json")
        clisvc(*words)
        done = clisvc(*words, "--uninstall")

    kept = {s["name"] for s in done.json["steps"] if s["action"] == "kept"}
    assert done.code == 0
    assert kept == {
        "logs-sms.state-lab",
        "logs-sms.arrival-1",
        "logs-sms.state",
        "logs-sms.state@mappings",
        "logs-sms.state@settings",
        "logs-sms@mappings",
        "logs-sms@settings",
    }
    assert list(server.streams) == ["logs-sms.state-lab"]
    assert set(server.objects["_component_template"]) == {
        name for name in kept if "@" in name
    }


@pytest.mark.parametrize(
    ("words", "name", "secret"),
    [
        (("--create-api-key",), "clisvc-shipper", "VnVhQ2ZHY0I6dWkybHAyYXg="),
        (("--create-api-key", "c7"), "c7", "VnVhQ2ZHY0I6dWkybHAyYXg="),
        (("--create-api-key", "fb", "--beats"), "fb", "VuaCfGcB:ui2lp2ax"),
    ],
    ids=["default", "named", "for Beats"],
)
def test_key(words: tuple[str, ...], name: str, secret: str) -> None:
    """A key's secret is all there is on standard output, and nothing is installed."""
    server = FullServer("9.2.0")
    with answering(server) as url:
        done = clisvc("setup", "--elasticsearch-url", url, *words)

    assert (done.code, done.out) == (0, f"{secret}\n")
    assert secret not in done.err
    assert [key["name"] for key in server.keys] == [name]
    assert server.changes == ["POST /_security/api_key"]


@pytest.mark.parametrize(
    "words",
    [
        ("--purge-data",),
        ("--uninstall", "--only", "roles"),
        ("--beats",),
        ("--create-api-key", "x", "--dry-run"),
        ("--create-api-key", "x", "--only", "roles"),
    ],
    ids=" ".join,
)
def test_wrong_use(words: tuple[str, ...], closed_url: str) -> None:
    """Options that make no sense together are refused before anything is asked."""
    done = clisvc("setup", "--elasticsearch-url", closed_url, *words)

    assert done.code == 2
    assert words[0] in done.err


def _reports(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_kibana() -> None:
    """Both servers are planned before either is changed, and told one after the other.

    Taking it back begins with what is shown: dashboards before templates.
    """
    server, kibana = FullServer("9.2.0"), FakeKibana()
    with answering(server) as url, kibana.serving() as address:
        words = ("setup", "--elasticsearch-url", url, "--kibana-url", address, "--json")
        planned = clisvc(*words, "--dry-run")
        untouched = [*server.changes, *kibana.changes]
        applied = clisvc(*words)
        again = clisvc(*words)
        gone = clisvc(*words, "--uninstall")

    assert untouched == []
    assert [one.code for one in (planned, applied, again, gone)] == [0, 0, 0, 0]
    servers = ["Elasticsearch 9.2.0", "Kibana 9.2.0"]
    for done, action, order in (
        (applied, "create", servers),
        (again, "unchanged", servers),
        (gone, "remove", servers[::-1]),
    ):
        reports = _reports(done.out)
        assert [report["server"] for report in reports] == order
        assert {s["action"] for report in reports for s in report["steps"]} == {action}
    assert not kibana.saved
    assert not kibana.single


def test_kibana_alone() -> None:
    """--only kibana leaves Elasticsearch alone; other kinds leave Kibana alone."""
    server, kibana = FullServer("9.2.0"), FakeKibana(spaces=("soc",))
    with answering(server) as url, kibana.serving() as address:
        words = ("setup", "--elasticsearch-url", url, "--kibana-url", address)
        roles = clisvc(*words, "--only", "roles")
        asked = list(kibana.requests)
        before = list(server.changes)
        more = ("--kibana-space", "soc", "--kibana-rules", "none")
        done = clisvc(*words, "--only", "kibana", *more, "--json")
        gone = clisvc(*words, "--only", "kibana", *more, "--uninstall")

    assert (roles.code, done.code, gone.code, asked) == (0, 0, 0, [])
    assert not kibana.saved
    assert server.changes == before
    assert done.json["server"] == "Kibana 9.2.0, space soc"
    assert {s["kind"] for s in done.json["steps"]} == {
        "index-pattern",
        "search",
        "dashboard",
    }


def test_no_kibana() -> None:
    """Kibana has to be named before anything is done there."""
    done = clisvc("setup", "--only", "kibana")

    assert done.code == 2
    assert "--kibana-url" in done.err


def test_refused_by_kibana() -> None:
    """What Kibana refuses is in the table; the code says so; secrets are not shown."""
    said = {"POST /api/saved_objects/_import": refused(403, "Unable to bulk_create")}
    kibana = FakeKibana(said=said)
    with answering(FullServer("9.2.0")) as url, kibana.serving() as address:
        done = clisvc(
            *("setup", "--elasticsearch-url", url, "--kibana-url", address),
            extra={"CLISVC_KIBANA_API_KEY": "s3cr3t"},
        )

    assert done.code == 77
    assert "Unable to bulk_create" in done.out
    assert "s3cr3t" not in done.out + done.err


def test_old_kibana() -> None:
    """A Kibana that is too old stops it all before Elasticsearch is changed."""
    server = FullServer("8.9.0")
    with answering(server) as url, FakeKibana("8.9.0").serving() as address:
        done = clisvc("setup", "--elasticsearch-url", url, "--kibana-url", address)

    assert done.code == 69
    assert "8.17" in done.err
    assert server.changes == []
