# SPDX-License-Identifier: Apache-2.0
"""Causes, echoes, severities, levels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.knowledge import (
    cause_of,
    level,
    remedied,
    role_of,
    severity,
    shape,
    signatures,
)


@pytest.mark.parametrize(
    ("signature", "code", "cause"),
    [
        ("S01", 1314, "privilege"),
        ("S01b", 1300, "privilege"),
        ("S02", 0x80070522, "privilege"),
        ("S05", 5, "integrity"),
        ("S05", None, "integrity"),
        ("S02", 5, "unknown"),
        *[
            ("S17", code, "account")
            for code in (1069, 1326, 1327, 1330, 1331, 1385, 1909)
        ],
        *[("S01", code, "file") for code in (2, 3, 126, 193)],
        ("S15", None, "distribution"),
        ("S14", None, "not_installed"),
        ("S02", 1003, "unknown"),
        ("", None, "unknown"),
    ],
)
def test_cause(signature: str, code: int | None, cause: str) -> None:
    """The code names the cause, unless the signature does."""
    assert cause_of(signature, code) == cause


@pytest.mark.parametrize("namespace", ["exit", "msi", "ntstatus"])
def test_codes_that_are_not_windows_own(namespace: str) -> None:
    """A number of another table neither names a cause nor is graver for it."""
    assert cause_of("S29", 2, namespace) == "unknown"
    assert cause_of("S05", 2, namespace) == "integrity"
    assert severity("info", 1326, namespace) <= 21


@pytest.mark.parametrize("namespace", [None, "win32", "hresult"])
def test_codes_of_windows(namespace: str | None) -> None:
    """Where the words say it is Windows' own, or nothing, its meaning counts."""
    assert cause_of("S20", 1314, namespace) == "privilege"
    assert severity("info", 1326, namespace) == 47


def test_remedied() -> None:
    """Only what keeps the client from working has a remedy outside of a launch."""
    assert {one.id for one in signatures() if remedied(one.id)} == {
        "S14",
        "S15",
        "S15b",
        "S19",
        "S20",
    }


@pytest.mark.parametrize(
    ("code", "role"),
    [
        (1003, "echo"),
        (0x800703EB, "echo"),
        (1314, "cause"),
        (5, "cause"),
        (232, "cause"),
        (0, ""),
    ],
)
def test_role(code: int, role: str) -> None:
    """1003 is only ever the launcher's echo, and 0 is no error."""
    assert role_of(code) == role


@pytest.mark.parametrize(
    ("role", "code", "expected"),
    [
        ("echo", 1003, 21),
        ("verify", 1003, 21),
        ("launch", 1314, 47),
        ("launch", 2, 47),
        ("echo", 5, 47),
        ("integrity", 5, 73),
        ("integrity", None, 73),
        ("appverify", 232, 21),
        ("list", 0, 0),
        ("list", 5, 21),
        ("attempt", None, 0),
        ("", 1314, 47),
        ("", 0x80070522, 47),
        ("", 1603, 21),
        ("", 3010, 0),
        ("", 0x00041301, 0),
    ],
)
def test_severity(role: str, code: int | None, expected: int) -> None:
    """An echo alone is low, a refusal with a cause medium, a wrong checksum high."""
    assert severity(role, code) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("***ERROR: Unable to launch", "error"),
        ("*** X - Error launching (#0x3EB)", "error"),
        ("Delete FAILED", "error"),
        ("!!!WARNING: Problem starting App (5). Doing App Verify.", "warning"),
        ("Failover to another server", "info"),
        ("failover failed", "error"),
        ("Warning: failover", "warning"),
        ("** Service Thread is ending **", "info"),
        ("", "info"),
    ],
)
def test_level(message: str, expected: str) -> None:
    """Lines have the colours Microsoft's viewer gives them."""
    assert level(message) == expected


@given(st.text())
def test_any_text_has_a_level(text: str) -> None:
    """No text raises, and digits never matter."""
    assert level(text) == level(shape(text))
