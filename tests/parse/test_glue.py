# SPDX-License-Identifier: Apache-2.0
"""Taking glued records apart."""

from __future__ import annotations

import pytest

from shipper.parse.glue import split

LAUNCH = '***ERROR: Unable to launch "C:\\x.exe " - Error : 1314'
AGENT = "*** Hinv - Error launching (#0x5)"
VERIFY = "!!!WARNING: Problem starting App (5). Doing App Verify."
INTEGRITY = "#$#$#$#$#$ ERROR: The Client Service is not authorised to run this (5)"


@pytest.mark.parametrize(
    "pieces",
    [
        [LAUNCH, AGENT, VERIFY],
        ["Verifying", INTEGRITY, AGENT, VERIFY],
        [AGENT, AGENT],
        [LAUNCH, LAUNCH],
        ["Working ", VERIFY],
    ],
)
def test_split_undoes_gluing(pieces: list[str]) -> None:
    """Known beginnings inside a line begin records."""
    assert split("".join(pieces)) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Working",
        LAUNCH,
        AGENT,
        VERIFY,
        INTEGRITY,
        "*" + AGENT,
        "a *** b",
        "Hinv - Error launching (#0x5)",
        "ERROR: The Client Service is not authorised to run this (5)",
        "a!!!WARNING: other",
    ],
)
def test_one_record_stays_one(text: str) -> None:
    """A beginning at the start, or half of one, splits nothing."""
    assert split(text) == [text]


def test_pieces_are_bounded() -> None:
    """A line made of beginnings does not multiply, and no text is lost."""
    pieces = split(VERIFY * 1000)

    assert len(pieces) == 16
    assert "".join(pieces) == VERIFY * 1000
