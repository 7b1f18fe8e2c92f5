# SPDX-License-Identifier: Apache-2.0
"""Signatures: the lines of the articles, and whatever else a log may hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.errors import ShipperError
from shipper.knowledge import Match, library, match, signatures
from shipper.knowledge.signatures import may_match, parse_rules

ODP = r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe"
APM = r"C:\WINNT.SRV\MS\SMS\clicomp\apa\Bin\smsapm32.exe"
CCIM = r"C:\WINNT\MS\SMS\core\Bin\ccim32.dll"
CCIM_NAME = "Client Configuration Installation Manager"
GROUPS = "WNet User Groups Offer Data Provider"
HINV = "Hardware Inventory Agent"

#: ECS pairs: category, type, outcome.
LAUNCH = (("process",), ("start",), "failure")
CONTEXT = (("process",), ("info",), "")


@pytest.mark.parametrize(
    ("message", "ident", "exe", "app", "code"),
    [
        # KB246331
        (f"{CCIM_NAME} - (LAUNCH_CONTINUOUS_START)", "S09", "", CCIM_NAME, None),
        (
            f"{CCIM_NAME} - Attempting to launch application ",
            "S08",
            "",
            CCIM_NAME,
            None,
        ),
        (f"Verifying application [{CCIM}]", "S07", CCIM, "", None),
        (
            (
                "#$#$#$#$#$ ERROR: The Client Service is not authorised to run this "
                "application! (5)"
            ),
            "S05",
            "",
            "",
            5,
        ),
        ("!!!WARNING: Problem starting App (5). Doing App Verify.", "S03", "", "", 5),
        (f"*** {HINV} - Error launching (#0x5)", "S02", "", HINV, 5),
        (f"**ERROR: AppVerify({HINV}) returned 232", "S06", "", HINV, 232),
        ("Finished list processing, return code = 0x5", "S13", "", "", 5),
        # KB270912
        (f"*** {GROUPS} - Error launching (#0x5)", "S02", "", GROUPS, 5),
        # KB320235
        (f'***ERROR: Unable to launch "{ODP} " - Error : 1314', "S01", ODP, "", 1314),
        (f"*** {GROUPS} - Error launching (#0x3EB)", "S02", "", GROUPS, 1003),
        (
            "!!!WARNING: Problem starting App (1003). Doing App Verify.",
            "S03",
            "",
            "",
            1003,
        ),
        # KB828371, its first piece
        (f'"{ODP} " - Error : 1314', "S01b", ODP, "", 1314),
        # KB223138
        (f'***ERROR: Unable to launch "{APM} " - Error : 1314', "S01", APM, "", 1314),
        # KB289552
        (
            f"{HINV} - Waiting 2037542772 seconds for application initialisation",
            "S11",
            "",
            HINV,
            None,
        ),
        # KB264630
        (
            (
                "System Offer Data Provider - Not launching until CCIM indicates that "
                "it's safe to do so"
            ),
            "S10",
            "",
            "System Offer Data Provider",
            None,
        ),
        (
            (
                "WARNING: Problem starting App (5). Doing App Verify.  "
                r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE>"
            ),
            "S03",
            "",
            "",
            5,
        ),
        # KB323652
        ("Still waiting for previous verify to finish.", "S12", "", "", None),
        # KB317423
        (
            "Software Inventory Agent cycle started",
            "S21",
            "",
            "Software Inventory Agent",
            None,
        ),
        (f'Logging initialized for module "{HINV}"', "S21", "", HINV, None),
    ],
)
def test_line_of_an_article(
    message: str, ident: str, exe: str, app: str, code: int | None
) -> None:
    """A printed line has the signature, program, name and code the article gives."""
    found = match(message)

    assert found is not None
    assert (found.signature.id, found.exe, found.app, found.code) == (
        ident,
        exe,
        app,
        code,
    )


@pytest.mark.parametrize(
    ("message", "ident", "code_text"),
    [
        (f'error: unable to LAUNCH "{ODP}" - error: 5', "S01", "5"),
        (f'"{ODP}"- Error:1314', "S01b", "1314"),
        (f"{HINV} - Error launching (#0x5)", "S02", "0x5"),
        ("Warning: problem starting app (1003). doing app verify", "S03", "1003"),
        (
            "The Client Service is not authorized to run this application (5)",
            "S05",
            "5",
        ),
        (
            "ERROR: The Client Service is not authorised to run this application! (5)",
            "S05",
            "5",
        ),
        (
            (
                "$#$ ERROR: The Client Service is not authorised to run this "
                "application! (5)"
            ),
            "S05",
            "5",
        ),
        ("Finished list processing, return code = 0x0", "S13", "0x0"),
        (f"{HINV} - Not Launching application", "S10", ""),
    ],
)
def test_cut_or_respelled_line(message: str, ident: str, code_text: str) -> None:
    """Case, spelling variants and cut prefixes do not hide a record."""
    found = match(message)

    assert found is not None
    assert (found.signature.id, found.code_text) == (ident, code_text)


@pytest.mark.parametrize(
    "message",
    [
        "** Service Thread is ending **",  # KB308945
        'Component "Software Distribution" needs to be installed',  # KB236596
        "Could not register CCIM; AppRegister return code =1060",  # KB236039
        "Job still running............",  # KB193784
        "omGetServerRoleAvailabilityState could not read; error = 5:",
        "Waiting for changes for 5 minutes",
        "Installation failed with error code 1603",
        f'Opened "{ODP}"',
        "",
    ],
)
def test_line_without_a_signature(message: str) -> None:
    """Other programs' lines fit no signature of the launcher."""
    assert match(message) is None


@pytest.mark.parametrize(
    ("ident", "pair", "role"),
    [
        ("S01", LAUNCH, "launch"),
        ("S01b", LAUNCH, "launch"),
        ("S02", LAUNCH, "echo"),
        ("S03", LAUNCH, "verify"),
        (
            "S05",
            (("intrusion_detection", "process"), ("denied", "start"), "failure"),
            "integrity",
        ),
        ("S06", (("process",), ("info",), "failure"), "appverify"),
        ("S07", CONTEXT, "attempt"),
        ("S08", (("process",), ("start",), "unknown"), "attempt"),
        ("S09", CONTEXT, "attempt"),
        ("S10", CONTEXT, "info"),
        ("S11", CONTEXT, "info"),
        ("S12", CONTEXT, "info"),
        ("S13", (("process",), ("end",), "success"), "list"),
        ("S21", (("process",), ("start",), "success"), "started"),
    ],
)
def test_ecs_pair(
    ident: str, pair: tuple[tuple[str, ...], tuple[str, ...], str], role: str
) -> None:
    """Category, type and outcome are the pairs ECS allows for what happened."""
    (signature,) = (s for s in signatures() if s.id == ident)

    assert (signature.category, signature.type, signature.outcome) == pair
    assert signature.role == role
    assert signature.reason
    assert signature.source


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("0x0", "success"), ("0x5", "failure"), ("0x3EB", "failure")],
)
def test_list_outcome(text: str, outcome: str) -> None:
    """A launch list that ends with a code is no success."""
    found = match(f"Finished list processing, return code = {text}")

    assert found is not None
    assert found.outcome == outcome


def test_code_too_long_to_be_one() -> None:
    """A number beyond 32 bits is kept as text and is no code."""
    found = match(f'***ERROR: Unable to launch "{ODP}" - Error : {"9" * 30}')

    assert found is not None
    assert (found.code, found.code_text) == (None, "9" * 30)


@given(st.text())
def test_any_text_is_matched_or_not(text: str) -> None:
    """No text whatever raises, and what matches passed the cheap test."""
    found = match(text)

    assert found is None or may_match(text)


@given(
    st.text(max_size=40),
    st.sampled_from([s for s in signatures() for _ in s.literals]),
    st.text(max_size=40),
)
def test_any_text_around_a_literal(left: str, which: object, right: str) -> None:
    """Text around a signature's own words raises nothing either."""
    assert isinstance(which, type(signatures()[0]))
    message = left + which.literals[0].upper() + right

    assert isinstance(match(message), Match | None)
    assert may_match(message) or "\u0130" in message


def hostile_messages() -> list[str]:
    """64 KiB of each character the patterns speak of, with and without a beginning."""
    size = 65536
    beginnings = [
        "",
        '***ERROR: Unable to launch "',
        f'***ERROR: Unable to launch "{ODP}"',
        f'***ERROR: Unable to launch "{ODP}" - Error : ',
        "*** ",
        "#$#$ ERROR: The Client Service is not authorised to run this application",
        "**ERROR: AppVerify(",
        "Verifying application [",
        "X - (LAUNCH_",
        "Finished list processing, return code",
        'Logging initialized for module "',
    ]
    ends = "".join(literal for s in signatures() for literal in s.literals)
    units = [*sorted({c for s in signatures() for c in s.pattern}), "~", " ", "#$"]
    units += [" - ", '.exe " ', "0x", "ab ", " - Error launching (#0x", " - (LAUNCH_A"]
    return [
        beginning + (unit * size)[:size] + ends
        for beginning in beginnings
        for unit in units
    ]


@pytest.mark.timeout(60)
def test_no_message_hangs_a_pattern() -> None:
    """64 KiB of a pattern's own characters take a moment, not minutes."""
    for message in hostile_messages():
        started = time.perf_counter()
        match(message)

        assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role = "launch"', 'role = "boss"', "signatures.toml: S01: .*'boss'"),
        ('action = "launch-failed"', "", "signatures.toml: S01: .*action"),
        ('name = "Launch failed"', 'title = "x"', "signatures.toml: S01: .*title"),
        ('name = "Launch failed"', 'id = "S1"', "signatures.toml: S01: has an id"),
        ("(?P<code>", "(?P<code", r"signatures.toml: S01: pattern"),
        ("(?P<code>", "(?P<sec>", r"signatures.toml: S01: .*groups \['sec'\]"),
        ('["unable to launch"]', "[]", "signatures.toml: S01: has no literals"),
        ('["unable to launch"]', '["A"]', "signatures.toml: S01: literal 'A'"),
        ('["unable to launch"]', '["error 5"]', "signatures.toml: S01: literal"),
        ("[S01b]", "[S01]", "signatures.toml: Cannot declare .*S01"),
        ("[S01]", "[S01", "signatures.toml: "),
    ],
)
def test_broken_signature_is_named(old: str, new: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    content = library.text("signatures.toml").replace(old, new, 1)

    with pytest.raises(ShipperError, match=message) as caught:
        parse_rules(content)

    assert caught.value.remedy
