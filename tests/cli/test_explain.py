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
    for words in (
        *("ERROR_PRIVILEGE_NOT_HELD", "KB828371", "0x80070522", "Local System"),
        *("SMSCliToknLocalAcct&", "SMS&_<dc>", "Replace a process level token"),
        *("4704, 4705 (608, 609)", "consistent with T1562.001", "T1685", *_RIGHTS),
    ):
        assert words in done.out
    assert "This Windows says" not in done.out


def test_line() -> None:
    """A line in quotes is explained by its signature and its code."""
    done = clisvc("explain", _REFUSED + _TRAILER, "--json")

    assert done.code == 0
    answer = done.json
    assert answer["signature"]["id"] == "S01"
    assert [reading["value"] for reading in answer["readings"]] == [1314]
    assert answer["remedy"]["account"] == ["SMSCliSvcAcct&", "SMS&_<dc>"]


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


def test_one_answer_on_standard_input() -> None:
    """What reads standard input always gets the same two lists."""
    done = clisvc("explain", "-", "--json", stdin=_REFUSED.encode())

    assert [len(done.json[name]) for name in ("answers", "codes")] == [1, 1]


def test_codes_of_an_excerpt_are_summarised() -> None:
    """Records that say the same share a card, and the codes are counted."""
    text = "\n".join([_REFUSED + _TRAILER] * 3 + [_ECHO + _TRAILER])
    done = clisvc("explain", "-", stdin=text.encode())
    counted = clisvc("explain", "-", "--json", stdin=text.encode()).json["codes"]

    assert done.code == 0
    assert done.out.count("S01 ") == 1
    assert "and 2 records like it" in done.out
    assert "3\t1314\t0x00000522\twin32" in done.out
    assert [(one["value"], one["records"]) for one in counted] == [(1314, 3), (1003, 1)]


def test_lines_of_the_newer_client() -> None:
    """A record in the newer envelope is read like any other."""
    text = (
        "<![LOG[Phase 1 initialization failed (0x80004015).]LOG]!>"
        '<time="12:54:40.325-180" date="05-23-2019" component="CCMEXEC" context=""'
        ' type="3" thread="13548" file="ccmexec.cpp:390">\n'
        "<![LOG[Program exit code 5]LOG]!>"
        '<time="12:54:41.325-180" date="05-23-2019" component="execmgr" context=""'
        ' type="1" thread="13548" file="execreqmgr.cpp:4110">\n'
    )
    done = clisvc("explain", "-", "--json", stdin=text.encode())

    answers = done.json["answers"]
    assert [answer["input"] for answer in answers] == [
        "Phase 1 initialization failed (0x80004015).",
        "Program exit code 5",
    ]
    assert answers[0]["readings"][0]["symbol"] == "CO_E_WRONG_SERVER_IDENTITY"
    assert [one["namespace"] for one in answers[1]["readings"]] == ["exit", "win32"]


def test_error_of_the_newer_client_without_a_code() -> None:
    """It is explained as its document says it: an error of the newer client."""
    text = (
        "<![LOG[Policy could not be applied]LOG]!>"
        '<time="12:54:40.325-180" date="05-23-2019" component="PolicyAgent" context=""'
        ' type="3" thread="13548" file="policy.cpp:390">\n'
    )
    done = clisvc("explain", "-", "--json", stdin=text.encode())

    (answer,) = done.json["answers"]
    assert (done.code, answer["signature"]["id"], answer["readings"]) == (0, "S28", [])
    assert "remedy" not in answer


def test_no_remedy_where_the_document_has_none() -> None:
    """A code of whatever was tried is no reason to change accounts."""
    answers = clisvc(
        "explain",
        "--json",
        "Couldn't get mutex (1326)",
        "Installation failed with error code 1326",
        "AppRegister return code = 0",
    ).json["answers"]

    assert [answer["signature"]["id"] for answer in answers] == ["S18", "S30", "S17"]
    assert not any("remedy" in answer for answer in answers)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_standard_input_with_a_byte_order_mark(encoding: str) -> None:
    """What Windows' own tools write is read, too."""
    done = clisvc("explain", "-", "--json", stdin=f"\ufeff{_REFUSED}".encode(encoding))

    (answer,) = done.json["answers"]
    assert (answer["input"], answer["signature"]["id"]) == (_REFUSED, "S01")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1314", "as an HRESULT 0x80070522"),
        ("0x80070522", "wraps 0x00000522"),
        ("0xC0000061", "as an HRESULT 0xD0000061"),
        ("0xD0000061", "wraps 0xC0000061"),
    ],
)
def test_twin_on_a_card(code: str, words: str) -> None:
    """A card says which of two numbers wraps the other."""
    assert words in clisvc("explain", code).out


def test_codes_on_standard_input() -> None:
    """A list of codes is explained one by one."""
    done = clisvc("explain", "-", "--json", stdin=b"1314\n0x80041003\n")

    values = [one["readings"][0]["value"] for one in done.json["answers"]]
    assert values == [1314, 0x80041003]


def test_list() -> None:
    """All codes with words of ours, one a line without a terminal."""
    done = clisvc("explain", "--list")
    codes = clisvc("explain", "--list", "--json").json["codes"]

    assert done.out.splitlines()[0].split("\t")[:2] == ["Code", "Hex"]
    assert len(done.out.splitlines()) == len(codes) + 1
    assert len(codes) >= 120
    assert 1314 in [code["value"] for code in codes]


def test_search() -> None:
    """A word leads to names and meanings; ours stand in front, and none is hidden."""
    done = clisvc("explain", "--search", "privilege_not_held", "--json")

    found = [(code["namespace"], code["symbol"]) for code in done.json["codes"]]
    assert found[0] == ("win32", "ERROR_PRIVILEGE_NOT_HELD")
    assert ("ntstatus", "STATUS_PRIVILEGE_NOT_HELD") in found
    assert done.json["count"] == len(found)


def test_long_search_is_bounded() -> None:
    """Of many codes the first are shown, and it is said how many there are."""
    done = clisvc("explain", "--search", "invalid")

    assert len(done.out.splitlines()) == 51
    assert done.err.startswith("The first 50 of ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Exactly one thing can be explained at a time."),
        (("--list", "1314"), "Exactly one thing can be explained at a time."),
        (("--list", "--search", "x"), "Exactly one thing can be explained at a time."),
        (("--search", "xyzzy"), "'xyzzy': no code has that in its name"),
    ],
)
def test_what_cannot_be_asked(words: tuple[str, ...], message: str) -> None:
    """Nothing, two things at once and a word nobody knows each get a remedy."""
    done = clisvc("explain", *words)

    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 2


def test_codes_and_lines_together() -> None:
    """Quoted lines and codes are arguments of their own."""
    done = clisvc("explain", "--json", "1069", _ECHO, "finished with error 32")

    values = [one["readings"][0]["value"] for one in done.json["answers"]]
    assert values == [1069, 1003, 32]


def test_line_without_quotes() -> None:
    """Words that are no codes are one line."""
    done = clisvc("explain", "--json", "it", "failed", "with", "error", "1326")

    assert done.json["readings"][0]["value"] == 1326
    assert done.json["remedy"]["id"] == "account"


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
