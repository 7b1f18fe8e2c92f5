# SPDX-License-Identifier: Apache-2.0
"""Whose a refusal is, where the records themselves do not say it at once."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    COPIER,
    HARDWARE,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    VERIFY,
    VERIFY_5,
    attempt,
    echo,
    failed,
    line,
    lines,
    path_of,
    records,
    scheduled,
    states,
    triple,
    unverified,
)
from tests.enrich.test_incidents import grouping, roots

LIST_WELL = "Finished list processing, return code = 0x0"


@pytest.mark.parametrize("first", [INTEGRITY, VERIFY_5])
def test_what_another_application_left(first: str) -> None:
    """A launch that fails comes before its verification, and instead of S05."""
    log = lines([first, *triple(SOFTWARE)], 0)

    assert grouping(records(log)) == [(1, 1), (2, 1), (2, 2), (2, 3)]
    assert roots(records(log)) == ["5", "1314", "1314", "1314"]
    assert [(one.agent["state"], one.agent["cause"]) for one in states(log)] == [
        ("launch_failed", "privilege"),
        ("install_pending", "privilege"),
    ]


def test_wrong_checksum_after_a_failed_launch() -> None:
    """Nor is a program not authorised that was about to start already."""
    log = lines([failed(HARDWARE, 5), echo(HARDWARE, "0x5"), INTEGRITY], 0)

    assert grouping(records(log)) == [(1, 1), (1, 2), (2, 1)]
    assert path_of(log) == ["launch_failed"]


def test_code_of_the_launch_counts() -> None:
    """Whatever its echo said before, the launch itself says why it failed."""
    log = lines([echo(OFFERS, "0x5"), failed(OFFERS), VERIFY], 0)

    assert roots(records(log)) == ["5", "1314", "1314"]
    assert [one.agent["cause"] for one in states(log)] == [
        "unknown",
        "privilege",
        "privilege",
    ]


def test_verification_that_tells_whose_it_was() -> None:
    """Named only by the failure of its verification, a refusal counts there."""
    log = lines([INTEGRITY, VERIFY_5, unverified(HARDWARE)], 0)
    (state,) = states(log)

    assert [one.agent.get("refused", False) for one in records(log)] == [
        False,
        False,
        True,
    ]
    assert state.id == f"{records(log)[2].id}.s1"
    assert (state.agent["id"], state.agent["state"]) == (
        HARDWARE.agent,
        "integrity_failed",
    )
    assert (state.agent["cause"], state.agent["cycles"]) == ("integrity", 1)


def test_verification_alone_that_tells_whose_it_was() -> None:
    """A verification that is resolved makes its agent pending, and is no refusal."""
    log = lines([VERIFY, unverified(HARDWARE)], 0)

    assert path_of(log, HARDWARE.agent) == ["install_pending"]
    assert not any(one.agent.get("refused") for one in records(log))


def test_failed_verification_is_no_news_twice() -> None:
    """Once an incident has moved its agent, the verification's failure moves none."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines([*attempt(OFFERS), scheduled(SOFTWARE)], 1, 60),
            line(unverified(OFFERS), 3),
        ]
    )

    assert grouping(records(log))[-1] == (1, 4)
    assert path_of(log, OFFERS.agent) == [
        "launch_failed",
        "install_pending",
        "recovered",
    ]


def test_refused_on_another_thread() -> None:
    """A launch that failed on another thread is proven by nobody's turn on its own."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines(attempt(OFFERS), 700),
            lines([failed(OFFERS), echo(OFFERS)], 700.1, 60),
            lines([scheduled(COPIER), LIST_WELL], 700.2),
        ]
    )

    assert path_of(log) == ["launch_failed", "install_pending"]


def test_refused_on_another_thread_later_in_the_list() -> None:
    """Nor by the good end of its list, which proves the others."""
    log = b"".join(
        [
            lines(attempt(OFFERS), 0),
            lines(attempt(HARDWARE), 1200),
            line(failed(OFFERS), 1201, 60),
            line(LIST_WELL, 1300),
        ]
    )

    assert [(one.agent["id"], one.agent["state"]) for one in states(log)] == [
        (OFFERS.agent, "launch_failed"),
        (HARDWARE.agent, "healthy"),
    ]
