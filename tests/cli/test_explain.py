# SPDX-License-Identifier: Apache-2.0
"""``clisvc explain``: codes in any spelling, lines, and words it does not know."""

import subprocess

import pytest

from tests.live.commands import COMMAND, clisvc, environment

_REFUSED = (
    '***ERROR: Unable to launch "C:\\WINNT\\MS\\SMS\\clicomp\\SWDist32\\bin'
    '\\ODPUSR32.exe " - Error : 1314'
)
_ECHO = "*** WNet User Groups Offer Data Provider - Error launching (#0x3EB)"
_TRAILER = (
    "  $$<C:\\WINNT\\MS\\SMS\\CORE\\BIN\\CLISVCL.EXE>"
    "<Mon Nov 15 16:54:10.112 1999><thread=52 (0x34)>"
)
_RIGHTS = [
    "SeAssignPrimaryTokenPrivilege",
    "SeIncreaseQuotaPrivilege",
    "SeTcbPrivilege",
]


@pytest.mark.parametrize(
    "word", ["1314", "0x522", "#0x522", "0x80070522", "80070522", "-2147023582"]
)
def test_spellings(word: str) -> None:
    """Every spelling of the missing right's code means the missing right."""
    done = clisvc("explain", word, "--json")

    assert (done.code, done.err) == (0, "")
    answer = done.json
    assert answer["input"] == word
    reading = answer["readings"][0]
    assert reading["symbol"] == "ERROR_PRIVILEGE_NOT_HELD"
    assert "KB828371" in reading["references"]
    assert answer["remedy"]["rights"] == _RIGHTS


def test_card() -> None:
    """For people it is a card without colours when nobody watches."""
    done = clisvc("explain", "1314")

    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    for words in ("ERROR_PRIVILEGE_NOT_HELD", "KB828371", *_RIGHTS):
        assert words in done.out


def test_line() -> None:
    """A line in quotes is explained by its signature and its code."""
    done = clisvc("explain", _REFUSED + _TRAILER, "--json")

    assert done.code == 0
    answer = done.json
    assert answer["signature"]["id"] == "S01"
    assert [reading["value"] for reading in answer["readings"]] == [1314]
    assert answer["remedy"]["account"] == "SMSCliSvcAcct&"


def test_standard_input() -> None:
    """Several lines give an answer each; lines that say nothing give none."""
    text = "\r\n".join((_REFUSED + _TRAILER, "hello" + _TRAILER, _ECHO + _TRAILER))
    done = clisvc("explain", "-", "--json", stdin=text.encode())

    assert done.code == 0
    found = [
        (answer["signature"]["id"], answer["readings"][0]["value"])
        for answer in done.json["answers"]
    ]
    assert found == [("S01", 1314), ("S02", 1003)]
    # The echo of a code is no cause, so there is nothing to be done about it.
    assert "remedy" not in done.json["answers"][1]


@pytest.mark.parametrize("words", [("xyzzy",), ("--bogus",), ("",), ("no", "code")])
def test_unknown(words: tuple[str, ...]) -> None:
    """A word without a code ends with 2 and says what could be given."""
    done = clisvc("explain", *words)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"clisvc: {' '.join(words)!r}: there is no error code in it.",
        "Give a code such as 1314 or 0x80070522, or a whole log line.",
    ]


def test_bytes_that_are_no_text() -> None:
    """Noise on standard input is answered like any unknown word."""
    done = clisvc("explain", "-", stdin=bytes(range(128, 256)))

    assert done.code == 2
    assert "there is no error code in it" in done.err


def test_reader_leaves() -> None:
    """A reader that has seen enough ends it without complaint."""
    process = subprocess.Popen(
        [*COMMAND, "explain", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate((_REFUSED + _TRAILER + "\n").encode() * 200)

    assert said == b""
    assert process.returncode in {0, 1}


def test_several_codes() -> None:
    """Several codes are explained one by one, names among them."""
    done = clisvc("explain", "--json", "1069", "ERROR_LOGON_TYPE_NOT_GRANTED")

    values = [one["readings"][0]["value"] for one in done.json["answers"]]
    assert values == [1069, 1385]
