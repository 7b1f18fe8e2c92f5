# SPDX-License-Identifier: Apache-2.0
"""The table of rules, and what no rule is to speak of."""

from __future__ import annotations

from datetime import date
from itertools import chain
from pathlib import Path

import pytest

from shipper.alerts import Silence, every, excepted, rules, seconds, silences
from shipper.alerts.rules import decode
from shipper.errors import ConfigError, ShipperError

_TEXT = (Path(__file__).parents[2] / "dashboards" / "rules" / "R5.yml").read_text()


def test_which_there_are() -> None:
    """The rules are those of the design, and each knows what to do."""
    assert list(rules()) == ["R1", "R2", "R3", "R4", "R5", "R6a", "R6b", "R6c", "R6d"]
    for rule in rules().values():
        assert min(map(len, (rule.why, rule.close))) > 20
        assert len(rule.todo) > 1
        assert rule.false_positives
        assert rule.tune


def test_ids_are_unique() -> None:
    """No two forms of any rules share an id."""
    ids = [*chain.from_iterable(rule.uuid.values() for rule in every().values())]

    assert len(ids) == len({*ids})


def test_windows() -> None:
    """A rule looks at least as far back as it is far from one run to the next."""
    for rule in every().values():
        assert seconds(rule.arrival) >= 2 * seconds(rule.every)
        assert seconds(rule.reach) >= seconds(rule.arrival)


def test_many_hosts() -> None:
    """What many hosts share is a rule of its own that needs to know what they share."""
    many = every()["R3-many"]

    assert many.query == "event.action: integrity-check-failed and file.path: *"
    assert (many.count and many.count.at_least, many.severity) == (10, 47)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("severity: 47", "severity: 48", "Invalid enum value 48"),
        ("every: 1h", "every: 1 hour", "$.every"),
        ("tags:", "tag:", "`tag`"),
        ('query: "event', 'query: "and event', "a field is expected, not and"),
        ("id: R5\n", "id: R7\n", "calls itself R7"),
        ("count: {", "times: [] #", "either a count or times"),
        ("why: >-", "why: >-\n\tx", "R5.yml"),
    ],
)
def test_a_wrong_rule(old: str, new: str, reason: str) -> None:
    """What is wrong with a rule is said with the name of its file."""
    assert decode("R5.yml", _TEXT.encode()).id == "R5"
    with pytest.raises(ShipperError) as caught:
        decode("R5.yml", _TEXT.replace(old, new, 1).encode())

    assert str(caught.value).startswith("R5.yml: ")
    assert reason in str(caught.value)


def test_durations() -> None:
    """A duration is a number with a unit."""
    assert [seconds(text) for text in ("30s", "15m", "50h", "7d")] == [
        *(30, 900, 180_000, 604_800)
    ]
    for text in ("", "h", "0h", "1.5h", "1w", "-1h", "50 h"):
        with pytest.raises(ShipperError):
            seconds(text)


def test_shipped_exceptions() -> None:
    """The file that comes with the rules is silent about nothing."""
    assert silences() == []


def test_exceptions(tmp_path: Path) -> None:
    """An entry names whom it is about, and until when."""
    file = tmp_path / "exceptions.yml"
    file.write_text(
        "exceptions:\n"
        "  - {host: lab-*, until: 2027-01-31, reason: ticket 1}\n"
        "  - {agent: software-inventory, until: 2027-02-01, reason: ticket 2}\n"
    )
    first, second = silences(file)

    assert first == Silence(host="lab-*", until=date(2027, 1, 31), reason="ticket 1")
    # 2027-01-31T00:00Z is 1,801,353,600 s after 1970.
    assert not first.expired(1_801_353_599_999)
    assert first.expired(1_801_353_600_000)
    assert not second.expired(1_801_353_600_000)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{host: a, reason: b}", "missing required field `until`"),
        ("{host: a, until: soon, reason: b}", "$.until"),
        ("{until: 2027-01-31, reason: b}", "it names no host, agent or executable"),
        ("{host: a, until: 2027-01-31, reason: ' '}", "it gives no reason"),
        ("{hosts: a, until: 2027-01-31, reason: b}", "unknown field `hosts`"),
        ("{executable: 'a b*', until: 2027-01-31, reason: b}", "a space and a *"),
    ],
)
def test_a_wrong_exception(tmp_path: Path, entry: str, reason: str) -> None:
    """What is wrong with an entry is said with its number."""
    file = tmp_path / "exceptions.yml"
    good = "{host: x, until: 2027-01-31, reason: y}"
    file.write_text(f"exceptions: [{good}, {entry}]\n")
    with pytest.raises(ConfigError) as caught:
        silences(file)

    assert str(caught.value).startswith("exceptions[2]: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", [None, "exceptions: [", "- a", "exceptions: {a: b}"])
def test_a_wrong_file(tmp_path: Path, text: str | None) -> None:
    """A file that is none, or cannot be read, is named."""
    file = tmp_path / "exceptions.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        silences(file)

    assert str(caught.value).startswith(str(file))


def test_a_query_with_exceptions() -> None:
    """A rule is silent about what it knows of; it ignores an entry about more."""
    until = date(2027, 1, 31)
    entries = [
        Silence(host="lab-*", agent="software-inventory", until=until, reason="x"),
        Silence(executable="C:\\a.exe", until=until, reason="x"),
    ]
    query = excepted("a: 1", entries, {"host": "host.name", "agent": "sms.agent.id"})

    assert query == (
        "(a: 1) and not (host.name: lab-* and sms.agent.id:"
        ' "software-inventory" and @timestamp < "2027-01-31")'
    )
