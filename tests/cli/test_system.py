# SPDX-License-Identifier: Apache-2.0
"""The extra line on Windows, with a fake in place of Windows."""

import sys

import pytest

from shipper.cli.system import windows_text


def _speak(code: int) -> str:
    if not -(1 << 31) <= code < 1 << 31:
        raise OverflowError(f"{code} is no C int")
    known = {-2147023582: "A required privilege is\r\nnot held. ", 5: "Denied."}
    return known.get(code, "<no description>")


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        (-2147023582, "A required privilege is not held."),
        (5, "Denied."),
        (1450, ""),
    ],
)
def test_text(signed: int, expected: str) -> None:
    """One line, or nothing where the system has no text."""
    assert windows_text(signed, _speak) == expected


def test_zero_is_never_asked_for() -> None:
    """0 would ask for this process's own last error."""

    def ask(code: int) -> str:
        raise AssertionError(code)

    assert windows_text(0, ask) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has texts")
def test_elsewhere() -> None:
    """Without Windows there is no text and no error."""
    assert windows_text(5) == ""
