# SPDX-License-Identifier: Apache-2.0
"""The chaos run in small: real processes, real faults, each record there once."""

import secrets
import sys

import pytest

from tests.chaos import overwriting
from tests.chaos.plan import Plan
from tests.chaos.report import Report
from tests.chaos.run import ground_for, run

pytestmark = pytest.mark.elasticsearch


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")  # shown when the test fails


@pytest.mark.timeout(800)
def test_nothing_lost_nothing_doubled() -> None:
    """Killed, cut, refused and rotated for two minutes, every record is there once."""
    plan = Plan(
        seed=secrets.randbits(32),
        seconds=120.0,
        rate=600.0,
        least_kills=20,
        least_server_kills=2,
    )
    with ground_for(plan) as ground:
        report = run(plan, ground, _say)

    assert report.passed, report.text()
    assert report.shipper_kills >= 20
    assert report.server_kills >= 2
    assert sum(report.rotations.values()) >= 60
    assert report.faults
    assert report.findings.lost == report.findings.doubled == 0


@pytest.mark.timeout(400)
def test_loss_is_told() -> None:
    """What is overwritten unread is told: to the byte if it was seen before it went."""
    plan = overwriting.plan(secrets.randbits(32))
    with ground_for(plan) as ground:
        report = overwriting.run(plan, ground, _say)

    assert report.passed, report.text()
    assert _lossy(report) == plan.hosts


def _lossy(report: Report) -> list[str]:
    return sorted(report.findings.lost_bytes)
