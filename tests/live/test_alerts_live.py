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
from tests.enrich.story import (
    COPIER,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    VERIFY_5,
    attempt,
    echo,
    failed,
    iso,
    line,
    lines,
    triple,
    works,
)
from tests.live.commands import clisvc
from tests.live.planting import (
    MINUTE,
    NOW,
    NOW_MS,
    Planted,
    ago,
    first_refusals,
    order,
)

_COMPILED = Path(__file__).parents[2] / "dashboards" / "rules" / "compiled"
_ELASTALERT = sorted(_COMPILED.glob("elastalert/*.yml"))

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_CRASH = "An exception was raised in the application 'Software Inventory Agent'."
_INSTALL = 'Component "Software Inventory" needs to be installed'
_GONE = "No longer assigned to S01"


def refused(*hours: float) -> bytes:
    """Let the offer data provider be refused with 1314, so many hours ago."""
    return b"".join(lines(triple(OFFERS), ago(each)) for each in hours)


def tampered(hours: float) -> bytes:
    """Let the checksum of the offer data provider be wrong."""
    texts = [*attempt(OFFERS), INTEGRITY, echo(OFFERS, "0x5"), VERIFY_5]
    return lines(texts, ago(hours))


def crashed(*hours: float) -> bytes:
    """Let the software inventory end with an exception."""
    return b"".join(line(_CRASH, ago(each)) for each in hours)


def _quiet(fleet: Planted) -> None:
    """Plant what nobody has to look at."""
    restarts = [refused(3 - each / 6) for each in range(5)]
    fleet.log("restarts", b"".join(restarts), domain="one.example")
    fleet.log("firstday", lines([_INSTALL], ago(5)))
    # A second cycle each, of 1999 and of the year after next.
    fleet.log("backfill", refused(30_000, 29_977), ingested=ago(1))
    fleet.log("ahead", refused(-17_520, -17_543), ingested=ago(1))
    fleet.log("code5", lines([failed(OFFERS, 5), echo(OFFERS, "0x5")], ago(2)))
    fleet.log("twocrashes", crashed(3, 2))
    fleet.log("twocrashes", crashed(3, 2))  # sent again after a rollover
    for number in range(4):  # one fewer than is consistent with a policy change
        fleet.log(f"four{number}", refused(2), domain="four.example")
    removed = refused(100) + line(_GONE, ago(80))
    fleet.log("removed", removed)
    fleet.source("removed", record=ago(80), read=ago(1))
    fleet.source("unreachable", record=ago(60), read=ago(30))
    fleet.source("retired", record=ago(24 * 31), read=ago(1))
    fleet.source("writing", record=ago(20), read=ago(1))
    # It came back after a second cycle, and another log says so.
    fleet.log(
        "clears", lines(triple(SOFTWARE), ago(40)) + lines(triple(SOFTWARE), ago(17))
    )
    fleet.log(
        "clears", line("Software Inventory Agent cycle started", ago(1)), log="sinv32"
    )


def _loud(fleet: Planted) -> None:
    """Plant what somebody has to look at."""
    fleet.log("weekend", refused(72, 2))
    fleet.log("weeklong", refused(*(2 + 24 * back for back in range(6, -1, -1))))
    relapse = refused(144) + works(OFFERS, ago(120)) + refused(48)
    fleet.log("relapse", relapse)
    # Fifteen cycles after the relapse: at none of the steps for days.
    again = refused(460) + works(OFFERS, ago(400))
    again += refused(*(2 + 24 * back for back in range(14, -1, -1)))
    fleet.log("longrelapse", again)
    # Its clock was years ahead for a day; that it works is not of now.
    fleet.log("badclock", refused(72, 2) + works(OFFERS, ago(-17_520)))
    # Half a hotfix, more than a day ago.
    for number in range(12):
        old = tampered(40).replace(b"ODPUSR32", b"ODPWNT32")
        fleet.log(f"older{number:02d}", old)
    base = lines(triple(COPIER), ago(25)) + lines(triple(COPIER), ago(1))
    fleet.log("ccim", base)
    fleet.log("onlyone", tampered(2).replace(b"ODPUSR32", b"ODPSYS32"))
    for number in range(200):
        fleet.log(f"hotfix{number:03d}", tampered(3))
    fleet.log("crashes", crashed(20, 3, 2))
    fleet.source("silent", record=ago(50), read=ago(1))
    fleet.log("failsilent", refused(60))
    fleet.source("failsilent", record=ago(60), read=ago(1))
    for body in first_refusals((f"gpo{n:05d}" for n in range(20_000)), "big.example"):
        fleet.document("sms.state", body, iso(ago(0.9)))


def _collectors(fleet: Planted) -> None:
    for minutes in range(10):
        fleet.collector("c1", NOW - minutes * MINUTE)
    # Off for two days, and a host behind it that it read last before.
    fleet.collector("off", ago(48))
    fleet.source(
        "behind", record=ago(49), read=ago(48), collector="off", status=ago(48)
    )
    # Off for half an hour: what it said of its hosts is still young.
    fleet.collector("justoff", ago(0.5))
    fleet.source("behind2", record=ago(60), read=ago(0.6), collector="justoff")
    fleet.collector("refusing", ago(0.2), dead_lettered_delta=300)
    fleet.collector("refusing", ago(0.1))
    fleet.collector("slow", ago(0.1), oldest_unread=iso(ago(2)))
    fleet.collector("caughtup", ago(0.2), oldest_unread=iso(ago(2)))
    fleet.collector("caughtup", ago(0.1), oldest_unread=iso(ago(0.1)))
    fleet.collector("busy", ago(0.1), oldest_unread=iso(ago(0.8)))
    for name, number in (("broken", 10), ("shaky", 9)):
        fleet.collector(name, ago(0.1))
        for _ in range(number):
            body = {"@timestamp": iso(ago(0.1)), "event": {"kind": "pipeline_error"}}
            fleet.document("sms.clisvc", body, iso(ago(0.1)), name)


@pytest.fixture(scope="module")
def fleet(elasticsearch_url: str) -> Planted:
    """Plant the fleet once for the module."""
    planted = Planted("talerts")
    _quiet(planted)
    _loud(planted)
    _collectors(planted)
    with Elasticsearch(elasticsearch_url) as client:
        ensure(client, namespace=planted.namespace)
        planted.index(client)
    return planted


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
