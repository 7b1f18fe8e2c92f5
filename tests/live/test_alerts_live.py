# SPDX-License-Identifier: Apache-2.0
"""What the rules raise over a fleet in which every story has been planted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch

from shipper.alerts import Alert, Silence, evaluate, every
from shipper.alerts.dsl import dsl
from shipper.alerts.kql import parse
from shipper.stack import ensure
from tests.enrich.story import iso
from tests.live.commands import clisvc
from tests.live.planting import NOW, NOW_MS, Planted, ago, first_refusals, order
from tests.live.stories import refused, tampered

_COMPILED = Path(__file__).parents[2] / "dashboards" / "rules" / "compiled"
_ELASTALERT = sorted(_COMPILED.glob("elastalert/*.yml"))

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]


def _named(alerts: list[Alert]) -> list[tuple[str, str, int]]:
    return sorted(
        (
            alert.rule,
            str(
                alert.key.get("host.name")
                or alert.key.get("observer.name")
                or alert.key.get("host.domain")
                or alert.host_count
            ),
            alert.severity,
        )
        for alert in alerts
    )


def test_each_story_raises_what_it_should(
    client: Elasticsearch, fleet: Planted
) -> None:
    """No misses and no false alarms: exactly one alert for each step of an episode."""
    raised = evaluate(client, namespace=fleet.namespace, now_ms=NOW_MS, since="50h")

    assert _named(raised) == sorted(
        [
            ("R1", "badclock", 47),
            ("R1", "ccim", 47),
            ("R1", "relapse", 47),
            ("R1", "weekend", 47),
            ("R1", "weeklong", 73),
            ("R2", "big.example", 73),
            ("R3", "onlyone", 99),
            ("R3-many", "12", 47),
            ("R3-many", "200", 47),
            ("R4", "failsilent", 47),
            ("R4", "silent", 21),
            ("R5", "crashes", 47),
            ("R6a", "justoff", 73),
            ("R6a", "off", 73),
            ("R6b", "refusing", 73),
            ("R6c", "broken", 47),
            ("R6d", "slow", 47),
        ]
    )


def test_one_policy_is_one_alert(client: Elasticsearch, fleet: Planted) -> None:
    """20,000 hosts hit by one change are one alert, which names them all."""
    raised = evaluate(client, namespace=fleet.namespace, now_ms=NOW_MS, since="50h")
    (policy,) = [alert for alert in raised if alert.rule == "R2"]

    assert policy.count == policy.host_count == 20_000
    assert policy.hosts == [f"gpo{number:05d}" for number in range(20_000)]


def test_the_cause_is_there_when_its_hosts_recur(
    client: Elasticsearch, namespace: str
) -> None:
    """Hosts that a policy hit two days ago are raised together with that policy."""
    planted = Planted(namespace)
    for number in range(8):
        planted.log(f"pc{number}", refused(40, 16), domain="corp.example")
    planted.log("alone", refused(40, 16), domain="other.example")
    ensure(client, namespace=namespace)
    planted.index(client)

    raised = evaluate(client, namespace=namespace, now_ms=NOW_MS, since="50h")

    assert _named(raised) == sorted(
        [
            ("R1", "alone", 47),
            *(("R1", f"pc{number}", 47) for number in range(8)),
            ("R2", "corp.example", 73),
        ]
    )
    assert {
        host: alert.explained_by
        for alert in raised
        if alert.rule == "R1"
        for host in alert.hosts
    } == {"alone": "", **{f"pc{n}": "R2" for n in range(8)}}


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        (14, [("R3", f"pc{n}", 73) for n in range(10)]),
        (2, [("R3-many", "10", 47)]),
    ],
    ids=["over a week", "in a day"],
)
def test_many_hosts_within_a_day(
    client: Elasticsearch,
    namespace: str,
    apart: int,
    expected: list[tuple[str, str, int]],
) -> None:
    """Ten hosts over a week are ten alerts, however far back one looks."""
    planted = Planted(namespace)
    for number in range(10):
        planted.log(f"pc{number}", tampered(1 + number * apart))
    ensure(client, namespace=namespace)
    planted.index(client)

    raised = evaluate(client, namespace=namespace, now_ms=NOW_MS, since="7d")

    assert _named(raised) == expected


def test_one_collector_that_reports_is_enough(
    client: Elasticsearch, namespace: str
) -> None:
    """A host is silent if one of its collectors read it, whatever the others do."""
    planted = Planted(namespace)
    planted.collector("c1", NOW)
    planted.collector("old", ago(1))
    for collector, read in (("c1", 0.5), ("old", 1)):
        planted.source("quiet", record=ago(60), read=ago(read), collector=collector)
    ensure(client, namespace=namespace)
    planted.index(client)

    raised = evaluate(client, namespace=namespace, now_ms=NOW_MS, since="50h")

    assert _named(raised) == [("R4", "quiet", 21), ("R6a", "old", 73)]


def test_no_cap_on_hosts(client: Elasticsearch, namespace: str) -> None:
    """Hosts beyond a page of answers, and beyond Kibana's thousand, are all raised."""
    planted = Planted(namespace)
    hosts = [f"pc{number:04d}" for number in range(1_250)]
    for body in first_refusals(hosts, "corp.example"):
        body["sms"]["agent"]["cycles"] = 2
        planted.document("sms.state", body, iso(ago(0.9)))
    # The last one works again.
    healthy = {
        "id": "advertised-programs",
        "state": "recovered",
        "cycles": 2,
        "order": order(ago(0.5)),
    }
    body = {"@timestamp": iso(ago(0.5)), "host": {"name": hosts[-1]}}
    body["sms"] = {"agent": healthy}
    planted.document("sms.state", body, iso(ago(0.4)))
    ensure(client, namespace=namespace)
    planted.index(client)

    raised = evaluate(client, namespace=namespace, now_ms=NOW_MS, since="50h")

    assert [alert.hosts for alert in raised] == [[host] for host in hosts[:-1]]
    assert {alert.rule for alert in raised} == {"R1"}


def test_a_host_alert_names_its_agents(client: Elasticsearch, fleet: Planted) -> None:
    """The failure of a base component is one alert that names the agents it hits."""
    raised = evaluate(client, namespace=fleet.namespace, now_ms=NOW_MS, since="50h")
    (base,) = [alert for alert in raised if alert.hosts == ["ccim"]]

    assert "Software Inventory Client Agent" in base.agents
    assert "Advertised Programs Client Agent" in base.agents


def test_exceptions_keep_rules_silent(client: Elasticsearch, fleet: Planted) -> None:
    """Hosts, agents and programs that are excepted raise nothing; expired ones do."""
    after, before = date(2003, 3, 1), date(2003, 2, 20)
    entries = [
        Silence(host="we*", until=after, reason="ticket 1"),
        Silence(host="relapse", until=before, reason="ticket 2"),
        Silence(executable="*ODPSYS32.exe", until=after, reason="ticket 3"),
        Silence(host="crashes", agent="hardware-inventory", until=after, reason="4"),
        Silence(host="big*", until=after, reason="a domain is no host"),
    ]
    raised = evaluate(
        client,
        namespace=fleet.namespace,
        now_ms=NOW_MS,
        since="50h",
        silences=entries,
    )
    kept = [name for name in _named(raised) if name[0] in {"R1", "R2", "R3", "R5"}]

    assert kept == [
        ("R1", "badclock", 47),
        ("R1", "ccim", 47),
        ("R1", "relapse", 47),
        ("R2", "big.example", 73),
        ("R5", "crashes", 47),
    ]


def test_archives_raise_nothing(client: Elasticsearch) -> None:
    """What is shipped as history is no alert, however new it says it is."""
    planted = Planted("archive")
    planted.log("weekend", refused(72, 2))
    ensure(client, namespace="archive")
    planted.index(client)

    raised = evaluate(client, namespace="archive", now_ms=NOW_MS, since="50h")

    assert raised == []


def test_causes_come_first(client: Elasticsearch, fleet: Planted) -> None:
    """First who cannot be seen, then what is gravest, what hit many before one."""
    raised = evaluate(client, namespace=fleet.namespace, now_ms=NOW_MS, since="50h")
    order = list(dict.fromkeys(alert.rule for alert in raised if alert.severity >= 73))

    assert order == ["R6a", "R3", "R2", "R6b", "R1"]


@pytest.mark.parametrize("file", _ELASTALERT, ids=lambda file: file.stem)
def test_elastalert_finds_the_same(
    client: Elasticsearch, fleet: Planted, file: Path
) -> None:
    """The portable form matches as many documents as the query it was made from."""
    rule = every()[file.stem]
    made = yaml.safe_load(file.read_text(encoding="utf-8"))
    (portable,) = [each["query"] for each in made["filter"] if "query" in each]
    indices = [f"logs-{data}-{fleet.namespace}" for data in rule.data]
    wanted = dsl(parse(rule.query))

    def found(query: dict[str, Any]) -> int:
        reply = client.count(index=indices, query=query, ignore_unavailable=True)
        number: int = reply["count"]
        return number

    assert found(portable) == found(wanted) > 0


def test_nothing_there(client: Elasticsearch, namespace: str) -> None:
    """Before the first document nothing is raised, and nothing goes wrong."""
    assert evaluate(client, namespace=namespace, now_ms=NOW_MS, since="50h") == []


def test_the_command_raises(
    client: Elasticsearch, elasticsearch_url: str, namespace: str
) -> None:
    """Who, why and what to do are printed, and the exit code is 1."""
    planted = Planted(namespace)
    now = f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
    for number in range(3):
        body = {
            "@timestamp": now,
            "message": f"crash {number}",
            "event": {"action": "agent-crashed"},
            "host": {"name": "pc0417"},
            "sms": {
                "agent": {"id": "software-inventory", "name": "Software Inventory"},
                "incident": {"id": f"crash-{number}"},
            },
        }
        planted.document("sms.clisvc", body, now)
    ensure(client, namespace=namespace)
    planted.index(client)
    words = ("--elasticsearch-url", elasticsearch_url, "--namespace", namespace)
    shown = clisvc("alerts", *words)
    told = clisvc("alerts", *words, "--json")
    (alert,) = told.json["alerts"]

    assert (shown.code, told.code) == (1, 1)
    row = f"47 medium\tpc0417\tSoftware Inventory\t3\t{now[:16]}\t{now[:16]}"
    assert row in shown.out.splitlines()
    assert "R5 SMS agent crashed repeatedly: 1 alert" in shown.out
    assert "Why: An agent ended with an exception" in shown.out
    assert "1. Read the records around the crash" in shown.out
    assert (alert["rule"], alert["hosts"], alert["count"]) == ("R5", ["pc0417"], 3)
    assert told.json["rules"]["R5"]["todo"]


def test_the_command(elasticsearch_url: str, tmp_path: Path, namespace: str) -> None:
    """Where nothing is raised the command says so and ends with 0."""
    words = ("--elasticsearch-url", elasticsearch_url, "--namespace", namespace)
    quiet = clisvc("alerts", *words)
    exceptions = tmp_path / "exceptions.yml"
    exceptions.write_text(
        "exceptions: [{host: lab, until: 2003-01-01, reason: gone}]\n"
    )
    expired: dict[str, Any] = clisvc(
        "alerts", *words, "--exceptions", exceptions, "--json"
    ).json

    assert (quiet.code, quiet.out.strip()) == (0, "Nothing is raised.")
    assert f"no data stream of the namespace {namespace}" in quiet.err
    assert [entry["host"] for entry in expired["expired"]] == ["lab"]
