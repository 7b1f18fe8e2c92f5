# SPDX-License-Identifier: Apache-2.0
"""Traps: lines whose numbers are no codes, or of which only one is."""

from datetime import UTC, datetime

import pytest

from shipper.demo.fleet import Fleet
from shipper.knowledge import find, match
from shipper.parse import Parser, Zones
from shipper.records import Chunk


@pytest.mark.parametrize(
    "message",
    [
        "Info 1707.Product: Office -- Installation operation completed successfully.",
        r"Failed to open HKLM\SOFTWARE\Microsoft\SMS\Client\5",
        "Failed to read registry value 1033",
        "Failed to connect to 10.1.2.5",
        "Error: 192.168.1.5:8530 does not answer",
        "Unable to reach SMSDP05 (10.0.0.5)",
        "Failed in build 3790",
        "Error: revision 12 is stale",
        "Failed with 3 of 5 files",
        "Failed after 5 attempts",
        "Server returned 200 OK",
        "Server returned 404 Not Found",
        "The server returned status 503",
        "Failed, priority 5",
        "Failed on attempt 3",
        "Timed out (180 s)",
        "timed out (60)",
        "Waiting for the service: timeout (600).",
        "The wait for CCIM timed out - 60",
        "Cannot find site code (001)",
        "Unable to use sitecode (123).",
        "Port 80 refused",
        "Connection refused on port (80)",
        "Failed to set timeout = 600",
        "Error level 3",
        r"Failed to open C:\Program Files\5\x",
        "Error in file 12345.log",
        "Site S05 failed",
        "1314 clients failed",
        "Policy 1314 could not be downloaded",
        "Action ended 10:22:50: INSTALL. Return value 1.",
        "Failed, handle = 1314",
        "KB828371 could not be installed",
        "MS03-026 failed",
        "Failed: KB 828371",
        "Error message 10006",
        "Error rate 5",
        "SID S-1-5-21-2000478354-1606980848-725345543-500 could not be resolved",
        "Failed for adapter 00-0C-29-80-07-05",
        "Failed at 2003-02-12T06:00:00",
        "1/16/2001 2:27:39 PM error",
        "Error budget 99.9%",
        "TCP 445 timed out",
        "Wait failed: 180 s",
        "Failed for 8007000E-1111-2222-3333-444455556666",
        "Failed for S-1-5-18",
        "Error reading offer S0120003 of package S0100005",
        "Failed to trim the working set to 1314 KB",
        "Error: bias +420 is no zone",
        "Failed to parse 07-30-2018 00:00:00.620+420",
        "Disk quota of 5 GB exceeded, write failed",
        "Failed to find version 5.00.8790.1007",
        "Error at line 5, column 32",
        "Failed; process id 1314",
        "Failed; ThreadID: 1314",
        "Failed to get slot #5",
        "Failed job (ID 1314)",
        "Error sending status message (Message ID 10006)",
        "Failed at step 5",
        r"Unable to open \\SMSCAP05\CAP_S01",
        "Failed to load resource 1314",
        "Error table has 5 rows",
        "Exit code table loaded, 5 entries",
        "exit codes 0 and 3010 are successes",
        "Failed in session 5",
        "Failed to allocate 65536",
        "Failed after 00:05:00",
        "Cannot find printer LPT1 (port 1)",
        "Error 5.0.2 of the driver",
        "Failed: 5/10",
        "Error 7 days ago",
        "Error: last seen 5 minutes ago",
        "Failed: 3 tries",
        "Error: page 5",
        "Failed at 98 %",
        "Failed: threshold = 5",
        "Unable to find user 1314",
        "Failed to send 5 status messages",
        "Error: the value 1314 is too large",
        "HTTP error 0x194",
    ],
)
def test_no_code(message: str) -> None:
    """Names, places, times, sizes and other people's numbers are no codes."""
    assert find(message) is None


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("MessageID = 500 failed with error 5", 5),
        ("Thread 1314 failed, error = 32", 32),
        ("HTTP status 500, hr = 0x80072EE2", 0x80072EE2),
        ("Retry 3 of 5: error 1326", 1326),
        ("Waited 180 seconds, then Win32 = 1460", 1460),
        ("Job 1314 (process 1003) returned 232", 232),
        ("Version 2.00.1493.4009 gives error code 193", 193),
        ("10:22:50 10.1.2.5 port 8530: error 12029", 12029),
        ("{8A2B3C4D-1111-2222-3333-C0000061AAAA} failed (0x80040154)", 0x80040154),
        ("Action 1: Return value 3, then error 1603", 1603),
        ("Offer index [5], return code = 0x80070047", 0x80070047),
        ("98 % done, 5 MB left, GetLastError = 112", 112),
        ("KB828371: Unable to log on (1385)", 1385),
        ("The request timed out (0x80072EE2)", 0x80072EE2),
        ("Timed out with error 1460", 1460),
        ("Cannot find site code, error (2)", 2),
        ("User id 500 is locked out, Win32 Error: 1909", 1909),
    ],
)
def test_the_right_one(message: str, value: int) -> None:
    """Among many numbers the code is found, not the first number."""
    finding = find(message)

    assert finding is not None
    assert finding.value == value


#: Lines as clients and site servers write them when nothing is wrong.
_ROUTINE = r"""
Client Configuration Installation Manager - (LAUNCH_CONTINUOUS_START)~  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Tue Nov 16 09:12:01.110 1999><thread=61 (0x3D)>
Copy Queue - Attempting to launch application ~  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Tue Nov 16 09:12:01.190 1999><thread=61 (0x3D)>
Verifying application [C:\WINNT\MS\SMS\core\Bin\smscq_32.exe]~  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Tue Nov 16 09:12:01.253 1999><thread=61 (0x3D)>
** Service Thread is ending **  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Thu Jul 26 14:22:53.512 2001 Pacific Standard Time><thread=1600 (0x640)>
Software Inventory Agent - Waiting 20 seconds for application initialisation  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Tue Nov 16 09:12:02.015 1999><thread=61 (0x3D)>
Offer Data Provider - Not launching until CCIM indicates that it's safe to do so~  $$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Tue Nov 16 09:12:02.020 1999><thread=61 (0x3D)>
Component "Software Distribution" needs to be installed $$<CCIM32><Wed Jun 23 01:26:12.270 1999><thread=4294798339 (0xFFFD6C03)>
SCHEDULER   : Not scheduling job 1314 because it's not mandatory~  $$<APM><Fri Apr 23 09:36:15.716 1999>>thread=561 (0x231)>
Job still running............~   $$<SMS_PACKAGE_COMMAND_MANAGER_NT><Wed Nov 11 17:56:25 1998~><thread=112>
Waiting for changes for 5 minutes  $$<SMS_COLLECTION_EVALUATOR><12-01-2022 01:03:34.179-60><thread=4844 (0x12EC)>
STATMSG: ID=500 SEV=I LEV=M SOURCE="SMS Client"  $$<SMS_DISCOVERY><07-31-2018 00:00:00.620+420><thread=40800 (0x9F60)>
"""  # noqa: E501 - as long as such lines are


def _messages(data: bytes) -> list[str]:
    chunk = Chunk(start=0, data=data, end=len(data))
    return [one.message for one in Parser(Zones()).parse(chunk, None, 0).records]


def test_no_code_in_routine_records() -> None:
    """What a client writes day by day has no code in it."""
    messages = _messages(_ROUTINE.strip().encode())

    assert len(messages) == 11
    assert [text for text in messages if find(text)] == []


def test_no_code_in_a_fleet_that_is_well() -> None:
    """Every code of a whole fleet's logs is in a record a signature knows."""
    end = datetime(2003, 2, 12, 6, tzinfo=UTC)
    fleet = Fleet.plan(5, end=end, hosts=12)
    messages = {
        message
        for log in fleet.logs
        for message in _messages(b"".join(log.truth.lines))
        if match(message) is None
    }

    assert len(messages) > 100
    assert [text for text in messages if find(text)] == []
