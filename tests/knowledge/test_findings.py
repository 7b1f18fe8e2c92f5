# SPDX-License-Identifier: Apache-2.0
"""Findings: codes in free text, and the many numbers that are none."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shipper.knowledge import find, may_have_code, meaningful, shape
from shipper.knowledge.signatures import match


@pytest.mark.parametrize(
    ("message", "value", "text", "namespace"),
    [
        # Spellings seen in the articles.
        ("*** Error : 1314", 1314, "1314", None),
        ("launching failed (#0x3EB)", 1003, "0x3EB", None),
        ("Problem starting it (1003).", 1003, "1003", None),
        ("not authorised to run this application! (5)", 5, "5", None),
        ("AppVerify returned 232", 232, "232", None),
        ("processing done, return code = 0x5", 5, "0x5", None),
        (
            "Could not register CCIM; AppRegister return code =1060",
            1060,
            "1060",
            None,
        ),
        ("Unable to open the service, Win32 Error: 5", 5, "5", "win32"),
        ("Delete failed, Win32 Error = 5", 5, "5", "win32"),
        ("Delete file 7U74Z2GZ.sid failed, Win32 = 32", 32, "32", "win32"),
        ("could not read from the registry on PC; error = 5:", 5, "5", None),
        ("CreateFile: GetLastError = 5", 5, "5", "win32"),
        ("CreateFile: GetLastError() is 32", 32, "32", "win32"),
        ("Could not launch/register CCIM - 2114", 2114, "2114", None),
        ("Couldn't get mutex (1460)", 1460, "1460", None),
        ("ERROR 1018 - key", 1018, "1018", None),
        (
            "SCHED DATA  : Return code = 0x80070047; No more connections",
            0x80070047,
            "0x80070047",
            None,
        ),
        (
            "Phase 1 initialization failed (0x80004015).",
            0x80004015,
            "0x80004015",
            None,
        ),
        (
            "Unable to get CacheInfo. Error: 0X80070005",
            0x80070005,
            "0X80070005",
            None,
        ),
        ("Call failed, HRESULT=80220005", 0x80220005, "80220005", "hresult"),
        ("Program exit code 3010", 3010, "3010", "exit"),
        (
            "Execution is complete. The exit code is 3010, the execution status is ok",
            3010,
            "3010",
            "exit",
        ),
        ("Process 7292 terminated with exitcode: 5", 5, "5", "exit"),
        ("Installation failed with error code 1603", 1603, "1603", None),
        (
            "Rebooting the computer - InitiateSystemShutdownEx failed 1115",
            1115,
            "1115",
            None,
        ),
        (
            (
                "Error: DeleteDirectory:- Failed to delete Directory X with Error "
                "0x00000002"
            ),
            2,
            "0x00000002",
            None,
        ),
        ("detection gave -2016410844", 0x87D00324, "-2016410844", None),
        ("detection gave 2278556452", 0x87D00324, "2278556452", None),
        ("app state 87D00324 noted", 0x87D00324, "87D00324", None),
        ("WMI said 80041003 again", 0x80041003, "80041003", None),
        ("it gave 0xFFFFFFFF80070522", 0x80070522, "0xFFFFFFFF80070522", None),
        ("NTSTATUS: 0xC0000061", 0xC0000061, "0xC0000061", "ntstatus"),
        ("Error 5 while thread=52 (0x34) was waiting", 5, "5", None),
        ("Win32Error=1314", 1314, "1314", "win32"),
        ("rc=0 at first, then error 5", 5, "5", None),
        ("HTTP status 0x80190194", 0x80190194, "0x80190194", None),
        ("WinHTTP request failed with error 12002", 12002, "12002", None),
        # Windows Installer's own messages, and what it only passes on.
        ("Product: X -- Error 1314. The path 'Y' is gone.", 1314, "1314", "msi"),
        ("MSI (s) (A4:18): Error 1402. The key", 1402, "1402", "msi"),
        ("Windows Installer says: Error 1706. No source", 1706, "1706", "msi"),
        ("msiexec.exe failed with error 1314.", 1314, "1314", None),
        ("Error 1314. The right is missing", 1314, "1314", None),
    ],
)
def test_code_in_text(
    message: str, value: int, text: str, namespace: str | None
) -> None:
    """A code is found in every spelling, where it stands, as it stands."""
    finding = find(message)

    assert finding is not None
    assert (finding.value, finding.text) == (value, text)
    assert message[finding.start :].startswith(text)
    assert finding.namespace == namespace
    assert may_have_code(message)


@pytest.mark.parametrize(
    "message",
    [
        "Finished, return code = 0x0",
        "Process 7292 terminated with exitcode: 0",
        "AppVerify returned 0",
    ],
)
def test_reported_success(message: str) -> None:
    """A success somebody reports is found, with the value 0."""
    finding = find(message)

    assert finding is not None
    assert finding.value == 0


@pytest.mark.parametrize(
    "message",
    [
        "Could not get mutex (max wait = 180 seconds)",
        "Hardware Inventory Agent - Waiting 2037542772 seconds for initialisation",
        "Waiting for changes for 5 minutes",
        "Failed in thread=52 (0x34)",
        "Error in thread 4294798339 (0xFFFD6C03)",
        "Thread (0x80070005) has an error",
        "Failed to stop process 4840 (0x12E8)",
        "Failed; pid: 4840",
        "Error reported as MessageID = 500",
        "Failed to send status message 10006",
        "Error: status message ID 10803 could not be sent",
        "Failed to write event 7036",
        "HTTP status code 404",
        "Error: HTTP status 500",
        "HTTP/1.1 503 error",
        "HTTP error 404",
        "Action ended 10:22:50: InstallFinalize. Return value 3.",
        "Failed with version 2.00.1493.4009",
        "Error 2.0 of the file format",
        "Error 9x5",
        "Failed for {8A2B3C4D-1111-2222-3333-C0000061AAAA}",
        "Error in {90110409-6000-11D3-8CFE-0150048383C9}",
        "Failed to read 8A2B3C4D.sid",
        "Error on 2003-02-12",
        "Error on 02/12/2003",
        "Error 10:22:50 was the time",
        "Failed since 20190523",
        "Failed at offer index [5]",
        "Failed attempt (3)",
        "Retry 3 of 5 failed",
        "Failed 2 of 5",
        "Error: 3 retries left",
        "Errors: 12",
        "Error count = 12",
        "returned 5 rows",
        "Failed to copy 4096 bytes",
        "Error: 98 % done",
        "Failed to reach port 8530",
        "Failed at address 0x7C910340",
        "Failed, flags = 0x80000010",
        "Failed for language 0x409",
        "Failed for LCID (1033)",
        "Error near line 42",
        "Failed to read C:\\temp\\80070005\\x",
        "Couldn't get offer (5) of the list",
        "Content 80012345 stored",
        "Value 0xFFFFFFFF set",
        "3000000000 bytes free",
        "5",
        "(5)",
        "Job still running............",
        "Job 12 started at 0x10",
        "",
    ],
)
def test_number_that_is_no_code(message: str) -> None:
    """Threads, waits, ids, statuses, versions, dates, sizes and counts are no codes."""
    assert find(message) is None


#: What the rules speak of, so that their edges are met.
WORDS = (
    "0 1 3 5 8 9 x 0x 1x c D F - . , : ; ( ) [ ] # = ~ % / \\ { } error Error returned "
    "exit code thread id HTTP win32 win99 Win32= status failed fail of seconds bytes "
    "kb hr rc hresult 80070005 0x80070522 12345 2147483648 -2147023582 9999999999 "
    '1314 cycle started unable to launch - Error \u2212 \u0663 \u0130 \u017f "'
)
FRAGMENTS = st.lists(
    st.sampled_from([*WORDS.split(), " ", "  ", "\n"]), max_size=14
).map("".join)
MESSAGES = st.one_of(st.text(), FRAGMENTS)


@given(MESSAGES)
@example("error 5")
@example("Win32 = 32")
@example("9x5 error (0x5)")
def test_meaning_depends_on_shape(message: str) -> None:
    """Messages that differ only in their digits are meaningful, or not, alike."""
    assert meaningful(message) == meaningful(shape(message))


@given(MESSAGES)
def test_dull_messages_have_nothing(message: str) -> None:
    """What is not meaningful has neither a signature nor a code."""
    assert meaningful(message) or (match(message) is None and find(message) is None)


@given(MESSAGES)
def test_finding_is_in_the_message(message: str) -> None:
    """A finding is where it says, fits into 32 bits, and passed the cheap test."""
    finding = find(message)

    if finding is not None:
        assert message[finding.start :].startswith(finding.text)
        assert 0 <= finding.value < 1 << 32
        assert may_have_code(message)


@pytest.mark.parametrize(
    "unit",
    ["~", " ", "*", "#$", "0", "5 ", "0x", "80070005 ", "(5)", "error ", "http", "-"],
)
def test_no_message_hangs_the_search(unit: str) -> None:
    """64 KiB of anything the rules speak of take a moment, not minutes."""
    message = (unit * 65536)[:65536]
    started = time.perf_counter()

    find(message)
    find("error " + message + " 5")

    assert time.perf_counter() - started < 1.0
