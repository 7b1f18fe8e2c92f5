# SPDX-License-Identifier: Apache-2.0
"""Which records are told what to do about, and how grave they are."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    line,
    ship,
    trouble,
)


@pytest.mark.parametrize(
    "log",
    [
        line("Program exit code 2", 0),
        line("Execution is complete for program X. The exit code is 1326, done", 0),
        line("Finished list processing, return code = 0x2", 0),
        line("Couldn't get mutex (2)", 0),
        trouble("Failed to delete directory C:\\x with Error 0x00000002", 0),
        trouble("Failed, error 1314", 0),
    ],
)
def test_no_remedy_for_another_trouble(log: bytes) -> None:
    """A code that is not about the legacy client's launches has no remedy of theirs."""
    (one,) = ship(log)

    assert "code" in one.body["error"]
    assert "remedy" not in one.body["sms"]
    assert one.body["event"].get("outcome") == "failure"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("Unable to create the Client Service Account. Win32 Error: 1326", "account"),
        (
            "Unable to open the service control manager on PC0417. Win32 Error: 1314",
            "privilege",
        ),
        (
            "Warning - could not find a site CAP with uplevel version of component APM",
            "distribution",
        ),
    ],
)
def test_remedy_without_a_launch(text: str, remedy: str) -> None:
    """What keeps the client from working has its cause's remedy by itself."""
    one = ship(line(text, 0))[0]

    assert one.body["sms"]["remedy"]["id"] == remedy


def test_exit_code_is_no_logon_failure() -> None:
    """A program's own number is no graver than any other failure."""
    (one,) = ship(line("The exit code is 1326, the execution status is Failure", 0))

    assert one.body["event"]["severity"] == 21
