# SPDX-License-Identifier: Apache-2.0
"""Signatures: the lines of the articles, and whatever else a log may hold."""

import re
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.errors import ShipperError
from shipper.knowledge import (
    ROLES,
    Match,
    built_in,
    by_app,
    ecs,
    entries,
    library,
    match,
    meaningful,
    severity,
    shape,
    signature,
    signatures,
)
from shipper.knowledge.signatures import compiled

ODP = r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe"
APM = r"C:\WINNT.SRV\MS\SMS\clicomp\apa\Bin\smsapm32.exe"
CCIM = r"C:\WINNT\MS\SMS\core\Bin\ccim32.dll"
CCIM_NAME = "Client Configuration Installation Manager"
GROUPS = "WNet User Groups Offer Data Provider"
HINV = "Hardware Inventory Agent"

#: What the article prints -> the signature, and what else is in the record. The words
#: are the articles', the values our own.
LINES: dict[str, tuple[str, dict[str, object]]] = {
    # KB236596, KB322967: Ccim32.log
    'Component "Software Distribution" needs to be installed': (
        "S14",
        {"app": "Software Distribution", "op": "installed"},
    ),
    'Component "Software Inventory Agent" needs to be verified': (
        "S14",
        {"app": "Software Inventory Agent", "op": "verified"},
    ),
    'Component "Remote Control" needs to be upgraded': (
        "S14",
        {"app": "Remote Control", "op": "upgraded"},
    ),
    (
        "Warning - could not find a site CAP with uplevel version of component LICENSE"
        " METERING"
    ): ("S15", {"app": "LICENSE METERING"}),
    "Warning: Directory still in use by inbox manager; skipping operations": (
        "S15",
        {},
    ),
    (
        r"Warning: \\PC0417\CAP_XY1\clicomp.box\sinv.CFG version () out of sync with"
        " offer file version (2.00.1239.0000); skipping operations"
    ): ("S15b", {"app": "sinv"}),
    (
        'Component "Available Programs Manager Win32" install/verify/upgrade last done'
        " at 03:04:05 June 7, 1999"
    ): ("S16", {"app": "Available Programs Manager Win32"}),
    # KB236039, KB207429, KB264630: the logs of the logon script
    "Could not register CCIM; AppRegister return code =1060": (
        "S17",
        {"app": "CCIM", "code": 1060},
    ),
    "Could not register CCIM (could be initial install); AppRegister return code =5": (
        "S17",
        {"app": "CCIM", "code": 5},
    ),
    "Warning:  Could not launch/register CCIM - 2114": (
        "S17b",
        {"app": "CCIM", "code": 2114},
    ),
    # KB289552: Smsclreg.log, Smsapm32.log, Launch32.log
    "AppRegisterI returned error 1010 for component Program Execution Agent": (
        "S17c",
        {"app": "Program Execution Agent", "code": 1010},
    ),
    "SERVICE : ** Mutex timeout.": ("S18", {}),
    "***** MUTEX TIMEOUT": ("S18", {}),
    "**** Couldn't get mutex (1460)": ("S18", {"code": 1460}),
    # KB236039, KB207429
    "No SIDs found for account mask.": ("S19", {}),
    "ERROR: Unable to create the Client Service Account. Win32 Error: 2114": (
        "S19",
        {"code": 2114},
    ),
    "Unable to create the Client Service Account - etwas fehlt.": ("S19", {}),
    "Processing SID list for account mask SMSCliSvcAcct& : ": (
        "S19b",
        {"account": "SMSCliSvcAcct&"},
    ),
    # KB264630
    (
        "ERROR: Unable to open the service control manager to install the SMS Client"
        " Service and CCIM. Win32 Error: 5"
    ): ("S20", {"code": 5}),
    "ERROR: Unable to establish a connection with APM - etwas fehlt.": (
        "S23",
        {"app": "APM"},
    ),
    # KB317423, KB323532
    "Software Inventory Agent cycle started ..... !": (
        "S21",
        {"app": "Software Inventory Agent"},
    ),
    '====== Logging initialized for module "Software Inventory Agent" =======': (
        "S21b",
        {"app": "Software Inventory Agent"},
    ),
    (
        "(Logged to all threads) An exception was raised in the application 'Software"
        " Inventory Agent', thread 0xfc28ebe6 (Main Thread) <<CLIEXCEPT>>"
    ): ("S22", {"app": "Software Inventory Agent"}),
    (
        "CLIEXCEPT(Logged to all threads) An exception was raised in the application"
        " 'Client Component Installation Manager', thread 0xfffe17d4 (Main Thread)"
    ): ("S22", {"app": "Client Component Installation Manager"}),
    "<<CLIEXCEPT>> The exception was not an MFC CException.": ("S22b", {}),
    "CLIEXCEPT A fatal exception occurred in THIS THREAD.": ("S22b", {}),
    # KB288218
    "- No longer assigned to XY1; checking for travel mode override": (
        "S24",
        {"site": "XY1"},
    ),
    # KB289552
    f"{HINV} - Waiting 2037542772 seconds for application initialisation": (
        "S11",
        {"app": HINV, "seconds": 2_037_542_772},
    ),
    # KB919592: CcmExec.log, execmgr.log, SMSCliUi.log
    "Phase 1 initialization failed (0x80004015).": ("S28", {"code": 0x8000_4015}),
    "Program exit code 3010": ("S29", {"code": 3010}),
    (
        "Execution is complete for program Patch. The exit code is 3010, the execution"
        " status is SuccessRebootRequired"
    ): ("S29", {"code": 3010}),
    "Rebooting the computer - InitiateSystemShutdownEx failed 1115": (
        "S31",
        {"code": 1115},
    ),
    "Unable to get CacheInfo. Error: 0X80070005": ("S32", {"code": 0x8007_0005}),
    "Starting CCMEXEC service...": ("S33", {}),
    # Technical reference of deployments, AppEnforce.log
    "Process 7292 terminated with exitcode: 0": ("S29", {"code": 0}),
    # KB2467702, ccmsetup.log
    "Installation failed with error code 1603": ("S30", {"code": 1603}),
    # No article prints these.
    "SMS Client Service is starting": ("S25", {}),
    "** Service Thread is ending **": ("S25b", {}),
    "Remote Control - Install Pending": ("S27", {"app": "Remote Control"}),
    "Install Pending": ("S27", {}),
}
ASSUMED = {"S25", "S25b", "S26", "S27"}

#: ECS pairs: category, type, outcome.
LAUNCH = (("process",), ("start",), "failure")
FAILED = (("process",), ("info",), "failure")
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
        (f'Logging initialized for module "{HINV}"', "S21b", "", HINV, None),
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


@pytest.mark.parametrize("message", LINES)
def test_line_of_a_companion_log(message: str) -> None:
    """A printed line has the signature and the values the article gives, no others."""
    ident, values = LINES[message]
    found = match(message)

    assert found is not None
    assert found.signature.id == ident
    got = msgspec.structs.asdict(found)
    del got["signature"], got["code_text"]
    assert (
        got
        == {
            "exe": "",
            "app": "",
            "code": None,
            "op": "",
            "site": "",
            "seconds": None,
            "account": "",
        }
        | values
    )


def test_every_confirmed_signature_has_its_line() -> None:
    """Whatever is said to be printed somewhere has a printed line among the tests."""
    printed = {ident for ident, _ in LINES.values()}
    printed |= {f"S{number:02d}" for number in range(1, 14) if number != 4} | {"S01b"}

    assert {s.id for s in signatures()} - printed == {"S26"}
    assert {s.id for s in signatures() if s.status == "assumed"} == ASSUMED


@pytest.mark.parametrize(
    ("name", "launcher"),
    [
        ("Software Distribution", "smsapm32"),
        ("swdist", "smsapm32"),
        ("SMS Available Programs Manager", "smsapm32"),
        ("sinv", "sinv32"),
        ("hinv", "hinv32"),
        ("remctrl", "wuser32"),
        ("LICENSE METERING", "licclint"),
        ("SMS Client Base Components", "ccim32"),
        ("CCIM", "ccim32"),
    ],
)
def test_component_has_its_launcher(name: str, launcher: str) -> None:
    """The names the installation manager gives components lead to their launchers."""
    found = by_app(name)

    assert found is not None
    assert found.id == launcher


@pytest.mark.parametrize(
    "message",
    [
        (  # KB264630
            'Checking if component "Software Distribution" needs to be installed,'
            " upgraded or verified (offer index [2])"
        ),
        "AppRegister Software Inventory Agent - Event Driven (6)",  # KB317423
        "SERVICE : Waiting for application launch data mutex (max wait = 180 seconds).",
        "SERVICE : Unable to signal Client Service to restart this application.",
        "Waiting for 1 minute for CliSvc to start CCIM",  # KB236039
        "Trying to open IPC connection with APM...",  # KB264630
        "Job still running............",  # KB193784
        "omGetServerRoleAvailabilityState could not read; error = 5:",
        "Waiting for changes for 5 minutes",
        "Failed to raise pending event as ClientID is not available",
        "App enforcement completed (3 seconds)",
        f'Opened "{ODP}"',
        "",
    ],
)
def test_line_without_a_signature(message: str) -> None:
    """What only resembles a signature, or is routine, fits none."""
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
        ("S14", (("package",), ("info",), "unknown"), "needed"),
        ("S15", (("package",), ("installation",), "failure"), "blocked"),
        ("S15b", (("package",), ("installation",), "failure"), "blocked"),
        ("S16", (("package",), ("info",), ""), "info"),
        ("S17", LAUNCH, "register"),
        ("S17b", LAUNCH, "register"),
        ("S17c", LAUNCH, "register"),
        ("S18", FAILED, "info"),
        ("S19", (("iam",), ("user", "info"), "failure"), "info"),
        ("S19b", (("iam",), ("user", "info"), ""), "info"),
        ("S20", (("process",), ("access",), "failure"), "info"),
        ("S21", (("process",), ("start",), "success"), "started"),
        ("S21b", (("process",), ("start",), "success"), "started"),
        ("S22", (("process",), ("end",), "failure"), "crashed"),
        ("S22b", FAILED, "info"),
        ("S23", FAILED, "info"),
        ("S24", (("configuration",), ("change",), ""), "unassigned"),
        ("S25", (("process",), ("start",), "success"), "service"),
        ("S25b", (("process",), ("end",), "success"), "service"),
        ("S26", (("process",), ("start",), "success"), "started"),
        ("S27", (("package",), ("info",), ""), "reported"),
        ("S28", (("host",), ("info",), "failure"), "ccm"),
        ("S29", (("process",), ("end",), "success"), "info"),
        ("S30", (("package",), ("installation",), "failure"), "ccm"),
        ("S31", (("host",), ("info",), "failure"), "info"),
        ("S32", (("host",), ("info",), "failure"), "ccm"),
        ("S33", (("process",), ("start",), "success"), "service"),
    ],
)
def test_ecs_pair(
    ident: str, pair: tuple[tuple[str, ...], tuple[str, ...], str], role: str
) -> None:
    """Category, type and outcome are the pairs ECS allows for what happened."""
    known = signature(ident)

    assert (known.category, known.type, known.outcome) == pair
    assert ecs.misfit(known.category, known.type) == ""
    assert known.role == role


def test_every_role_is_explained() -> None:
    """A role that a signature has is one that people can look up."""
    assert {s.role for s in signatures()} == set(ROLES)


def test_unknown_signature_is_none() -> None:
    """An id nobody has finds nothing."""
    with pytest.raises(KeyError):
        signature("S99")


def test_techniques_name_their_versions() -> None:
    """The integrity check carries both ids of one technique, each with its versions."""
    techniques = [(t.id, t.since, t.until) for t in signature("S05").threat]

    assert techniques == [("T1554", 0, 0), ("T1562.001", 0, 18), ("T1685", 19, 0)]
    assert [t.reference for t in signature("S05").threat][1:] == [
        "https://attack.mitre.org/techniques/T1562/001/",
        "https://attack.mitre.org/techniques/T1685/",
    ]


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("AppRegister return code = 0", "success"),
        ("AppRegister return code = 1060", "failure"),
        ("Program exit code 0", "success"),
        ("Program exit code 3010", "success"),
        ("Program exit code 1", "failure"),
    ],
)
def test_outcome_by_code(message: str, outcome: str) -> None:
    """Where the code is the result, it decides the outcome."""
    found = match(message)

    assert found is not None
    assert found.outcome == outcome


def test_refused_registration_weighs_as_a_refusal() -> None:
    """An application that may not register is as grave as one that may not start."""
    assert severity("register", 1058) == 47


def test_waiting_time_too_long_to_be_one() -> None:
    """A number of seconds no clock can hold is no number of seconds."""
    found = match(
        f"{HINV} - Waiting {'9' * 5000} seconds for application initialisation"
    )

    assert found is not None
    assert found.seconds is None


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

    assert found is None or built_in().may_match(text)


@given(
    st.text(max_size=40),
    st.sampled_from([literal for s in signatures() for literal in s.literals]),
    st.text(max_size=40),
)
def test_any_text_around_a_literal(left: str, literal: str, right: str) -> None:
    """Text around a signature's own words raises nothing either."""
    message = left + literal.upper() + right

    assert isinstance(match(message), Match | None)
    assert built_in().may_match(message) or "\u0130" in message


@given(
    st.text(max_size=20),
    st.sampled_from(
        [*LINES, *(literal for s in signatures() for literal in s.literals)]
    ),
    st.text(max_size=20),
)
def test_digits_never_decide_what_has_meaning(left: str, own: str, right: str) -> None:
    """A message has a meaning exactly if its shape, all digits 0, may have one."""
    message = left + own + right

    assert meaningful(message) == meaningful(shape(message))


#: A line for each signature whose line is not in LINES.
OTHERS = {
    "S01": f'***ERROR: Unable to launch "{ODP} " - Error : 1314',
    "S01b": f'"{ODP} " - Error : 1314',
    "S02": f"*** {GROUPS} - Error launching (#0x3EB)",
    "S03": "!!!WARNING: Problem starting App (1003). Doing App Verify.",
    "S05": "$# ERROR: The Client Service is not authorised to run this application (5)",
    "S06": f"**ERROR: AppVerify({HINV}) returned 232",
    "S07": f"Verifying application [{CCIM}]",
    "S08": f"{HINV} - Attempting to launch application ",
    "S09": f"{HINV} - (LAUNCH_CONTINUOUS_START)",
    "S10": f"{HINV} - Not launching until CCIM indicates",
    "S12": "Still waiting for previous verify to finish.",
    "S13": "Finished list processing, return code = 0x5",
}
#: A line with a hole for each signature with a code.
CODED = {
    "S01": f'***ERROR: Unable to launch "{ODP} " - Error : {{}}',
    "S01b": f'"{ODP} " - Error : {{}}',
    "S02": f"*** {GROUPS} - Error launching (#{{}})",
    "S03": "!!!WARNING: Problem starting App ({}). Doing App Verify.",
    "S05": "ERROR: The Client Service is not authorised to run this application! ({})",
    "S06": f"**ERROR: AppVerify({HINV}) returned {{}}",
    "S13": "Finished list processing, return code = {}",
    "S17": "Could not register CCIM; AppRegister return code ={}",
    "S17b": "Warning:  Could not launch/register CCIM - {}",
    "S17c": "AppRegisterI returned error {} for component Program Execution Agent",
    "S18": "**** Couldn't get mutex ({})",
    "S19": "Unable to create the Client Service Account. Win32 Error: {}",
    "S20": "Unable to open the service control manager on PC0417. Win32 Error: {}",
    "S28": "Phase 1 initialization failed ({}).",
    "S29": "Process 7292 terminated with exitcode: {}",
    "S30": "Installation failed with error code {}",
    "S31": "Rebooting the computer - InitiateSystemShutdownEx failed {}",
    "S32": "Unable to get CacheInfo. Error: {}",
}


def test_every_signature_with_a_code_is_spelt() -> None:
    """Whatever has a code is among the lines whose code is spelt in every way."""
    coded = {
        known.id
        for known in signatures()
        if not known.inferred and "code" in compiled(known.pattern).groupindex
    }

    assert coded == set(CODED)


@pytest.mark.parametrize("ident", CODED)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5", 5),
        ("0x5", 5),
        ("0x522", 1314),
        ("0X80070643", 0x8007_0643),
        ("2147944003", 0x8007_0643),
        ("-2147023293", 0x8007_0643),
    ],
)
def test_code_in_every_spelling(ident: str, text: str, code: int) -> None:
    """Hexadecimal, unsigned and signed, a code is itself, and never 0."""
    found = match(CODED[ident].format(text))

    assert found is not None
    assert (found.signature.id, found.code_text, found.code) == (ident, text, code)


@pytest.mark.parametrize("ident", CODED)
@pytest.mark.parametrize("text", ["0x5g", "5x", "0xyz"])
def test_part_of_a_word_is_no_code(ident: str, text: str) -> None:
    """What begins like a number and goes on like a word has no code."""
    found = match(CODED[ident].format(text))

    assert found is None or found.code is None


@pytest.mark.parametrize("words", ["any site", "a site", "the site"])
def test_site_without_a_code(words: str) -> None:
    """A client that has left is unassigned, whether its site is named or not."""
    found = match(f"- No longer assigned to {words}")

    assert found is not None
    assert (found.signature.id, found.site) == ("S24", "")


_LONG = 65_536
_TOKEN = re.compile(r"\w+|\W")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("ident", [s.id for s in signatures() if not s.inferred])
def test_no_message_hangs_a_pattern(ident: str) -> None:
    """64 KiB of a pattern's own characters, after any part of its line, take a moment.

    Processor time is what counts, so that a busy machine fails nothing; a pattern that
    goes over the text again and again needs seconds for a single message.
    """
    known = signature(ident)
    lines = [line for line, (own, _) in LINES.items() if own == ident]
    pattern = compiled(known.pattern)
    # The whole pattern's characters, and what its line repeats by itself.
    units = sorted({*known.pattern, "~", " ", "0x", "ab ", ".cfg version ("})
    for line in lines or [OTHERS[ident]]:
        ends = [token.end() for token in _TOKEN.finditer(line)]
        for end in [0, *ends[:: max(1, len(ends) // 6)], ends[-1]]:
            for unit in [*units, line[:end] or line]:
                message = line[:end] + (unit * _LONG)[:_LONG] + line[end:]
                started = time.thread_time()
                pattern.search(message)

                assert time.thread_time() - started < 1.0, (end, unit)


def test_hidden_line_is_found_behind_64_kib() -> None:
    """What a signature may have before its words may be long, and it still fits."""
    message = " " * _LONG + "Problem starting App (5). Doing App Verify."

    assert match("WARNING:" + message) is None
    assert match("x" * _LONG + "!WARNING: Problem starting App (5). Doing App Verify.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role = "launch"', 'role = "boss"', "signatures.toml: S01: .*'boss'"),
        ('action = "launch-failed"', "", "signatures.toml: S01: .*action"),
        ('name = "Launch failed"', 'title = "x"', "signatures.toml: S01: .*title"),
        ('name = "Launch failed"', 'id = "S1"', "signatures.toml: S01: has an id"),
        ("(?P<code>", "(?P<code", r"signatures.toml: S01: pattern"),
        ("(?P<code>", "(?P<secs>", r"signatures.toml: S01: .*groups \['secs'\]"),
        ('["unable to launch"]', "[]", "signatures.toml: S01: has no literals"),
        ('["unable to launch"]', '["A"]', "signatures.toml: S01: literal 'A'"),
        ('["unable to launch"]', '["error 5"]', "signatures.toml: S01: literal"),
        ('["unable to launch"]', '["un"]', "S01: literal 'un' has fewer"),
        ('["process"]', '["proces"]', "S01: category 'proces' is none of"),
        ('type = ["start"]', 'type = ["error"]', "S01: type 'error' does not go"),
        ('["process"]', '["process", "iam"]', "S01: category 'iam' has none"),
        ('id = "T1562.001"', 'id = "1562"', "S01: .*threat"),
        (
            'role = "launch"',
            'role = "launch"\ninferred = true',
            "S01: is inferred, and",
        ),
        ('role = "launch"', 'role = "launch"\nruleset = "x"', "S01: has a ruleset"),
        ("[S01b]", "[S01]", "signatures.toml: Cannot declare .*S01"),
        ("[S01]", "[S01", "signatures.toml: "),
    ],
)
def test_broken_signature_is_named(old: str, new: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    content = library.text("signatures.toml").replace(old, new, 1)

    with pytest.raises(ShipperError, match=message) as caught:
        entries.parse("signatures.toml", content, compiled)

    assert caught.value.remedy
