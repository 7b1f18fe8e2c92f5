# SPDX-License-Identifier: Apache-2.0
"""Lines of every kind, from a seed: regular, damaged, odd and hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from shipper.demo.fleet import wording
from shipper.knowledge import table, worded
from shipper.parse import zones
from tools.pipeline.tables import private

_ZONES = sorted(private(f"{zones.__name__}:_windows_zones")())
_CODES = sorted({code for code, _, _ in table.every()})
_WORDED = [one.value for one in worded()]
_USERS = ("", "", r"CORP\anna")
_MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_COMPONENTS = (
    wording.COMPONENT, "CCIM32", "APM", "CliEx32.dll", "execmgr", "sinv32.exe",
    r"C:\WINDOWS\MS\SMS\clicomp\apa\Bin\smsapm32.exe", "D:/sms/x.COM", "", "Hälper.exe",
)  # fmt: skip
_APPS = (
    "Hardware Inventory Agent", "APM", "WNet User Groups Offer Data Provider", "Nobody",
    "Advertised Programs Monitor 3", "My Own Offer Data Provider", "  CCIM ", "sinv32",
)  # fmt: skip
_PATHS = (
    r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe ", r"C:\x\clicomp\hinv\new.exe",
    r"core\Bin\ccim32.dll", r"c:/winnt/ms/sms/CLICOMP/SINV/a b.com", "tool", r"\\a\b\ ",
)  # fmt: skip
#: What the signatures look for, with holes: application, path, code, number.
_TEXTS = (
    '***ERROR: Unable to launch "{p}" - Error : {c}~',
    '"{p}" - Error : {c}',
    "*** {a} - Error launching (#{x})",
    "!!!WARNING: Problem starting App ({n}). Doing App Verify.",
    "#$#$#$ ERROR: The Client Service is not authorised to run this application! ({c})",
    "The Client Service is not authorized to run this application ({n})",
    "**ERROR: AppVerify({a}) returned {n}~",
    "Verifying application [{p}]~",
    "{a} - Attempting to launch application ~",
    "{a} - (LAUNCH_CONTINUOUS_START)~",
    "{a} - Not launching until CCIM indicates that it's safe to do so~",
    "{a} - Waiting {n} seconds for application initialisation",
    "Still waiting for previous verify to finish",
    "Finished list processing, return code = {n}",
    "Finished list processing, return code = {x}",
    '-- Component "{a}" needs to be installed',
    'Component "{a}" needs to be Upgraded',
    "could not find a site CAP with uplevel version of component {a}",
    r"\\cap\x\{a}.cfg version (3) out of sync with offer file version",
    'Component "{a}" install/verify/upgrade last done at 12:00',
    "Could not register CCIM; AppRegister return code ={n}",
    "ERROR : AppRegister return code = {n}",
    "Warning: Could not launch/register APM - {n}",
    "AppRegisterI returned error {n} for component {a}",
    "Couldn't get mutex ({n})",
    "Mutex timeout",
    "Unable to create the Client Service Account. Win32 Error: {n}",
    "Processing SID list for account mask SMSCliSvcAcct&",
    "Unable to open the service control manager (gle): {n}",
    "=== {a} cycle started ===",
    '==== Logging initialized for module "{p}" ====',
    "An exception was raised in the application '{p}'",
    "  CLIEXCEPT: details follow",
    "Unable to establish a connection with APM",
    "-- No longer assigned to s01",
    "{a} : Install Pending",
    "Software Inventory Agent\tINSTALL PENDING soon",
    "Phase 2 initialization failed ({x}).",
    "Program exit code {n}",
    "The exit code is -{n}",
    "Installation failed with error code {x}",
    "InitiateSystemShutdownEx failed {n}",
    "Unable to get CacheInfo. Error: {x}",
    "Starting CCMEXEC service...",
    "** Service Thread is ending **",
    "SMS Client Service has started",
)
#: What may hold a code, or looks as if it did.
_FREE = (
    "error = {c}", "Failed to read ({n}).", "failed over to {n}", "hr = {x}, done",
    "Win32 = {n}", "LastError: {c};", "NT status {x}", "exit code {n}", "{x}", "-{n}",
    "Product: X -- Error {n}. The path is wrong", "msiexec failed with error {n}",
    "Windows Installer: error {n}. text", "return code {s}",
    "Return value 3. error {n}", "HTTP status code {n} failed",
    "failed (404) not found", "error 0x194 forbidden", "thread {n} failed - {n}",
    "MessageID = {n} error", "took {n} ms, could not wait", "{s} and {s}",
    "version 2.50.{n} error", "12:{n} failed (5)", "error #{n}%", "failed with {b}",
    "code {b} unknown", "{{{b}}} error", "{x}h {x}L error={x}",
    "waited {n} of {n} errors", "error 5,000 {n}", r"\\srv{n}\x refused ({n})",
    "Warn: nothing", "Working", "Errör {n}", "time out - {n} ~", "rc={n}", "rc=\xa0{n}",
    "error {x}x", "error (#{x})", "GetLastError() is {c}", "aborted - {n}",
    "denied ( {n} )",
)  # fmt: skip
_TOKENS = (
    "$$<", "><", ">", "<", "<thread=", "thread=", "~", "~~", "&", "<BR/>", " ", "\t",
    "0x", "]LOG]!>", '<time="', "<![LOG[", '"', "***", "!!!", "#$", "-", "+", ":", ".",
    "C:\\", "(", ")", "9", "é", "\xa0", "\x00", "İ", "error", "1314", "%", "}",
    "\u2212", "\x1f", "\u2028",
)  # fmt: skip


def lines(seed: int, count: int) -> Iterator[str]:
    """Give lines; the same seed gives the same.

    Args:
        seed: decides them.
        count: how many.
    """
    chance = Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        line = _line(chance)
        if chance.random() < 0.35:
            line = _damaged(chance, line)
        yield line.replace("\n", " ") if "LOG" not in line else line


def malformed(seed: int, count: int) -> Iterator[dict[str, object]]:
    """Give documents nobody should send.

    Args:
        seed: decides them.
        count: how many.
    """
    chance = Random(seed)  # noqa: S311 - no secret
    odd: tuple[object, ...] = (
        None, 7, -1.5, True, [], {}, ["a", 1], {"a": {"b": []}}, "", " ", "\x00" * 90,
        [{}], "2026-11-24T12:33:20+01:00[Europe/Berlin]", "2026-02-30T12:33:20Z",
    )  # fmt: skip
    names = (
        "message", "event", "sms", "log", "error", "process", "file", "host", "related",
        "rule", "threat", "user", "ecs", "agent", "@timestamp", "tags",
        "event.original", "event.timezone", "sms.log", "sms.parse", "observer",
        "data_stream", "sms.agent", "sms.source", "log.file", "host.os", "host.name",
        "related.hosts", "error.message", "file.path", "event.module", "event.created",
    )  # fmt: skip
    for _ in range(count):
        text = "".join(chance.choices(_TOKENS, k=chance.choice((0, 3, 40, 400))))
        document: dict[str, object] = {"message": text + _line(chance)}
        for name in chance.sample(names, chance.randrange(4)):
            outer, _, inner = name.partition(".")
            put = chance.choice((*odd, text))
            document[outer] = {inner: put} if inner else put
        yield document


def _line(chance: Random) -> str:
    text = chance.choice(_TEXTS if chance.random() < 0.5 else _FREE)
    if chance.random() < 0.1:
        text = wording.routine(chance, local=True)
    else:
        text = _filled(chance, text)
    kind = chance.random()
    if kind < 0.65:
        return _legacy(chance, text)
    return _enveloped(chance, text) if kind < 0.85 else text


def _filled(chance: Random, text: str) -> str:
    code = _code(chance)
    small = chance.choice(
        (0, 2, 5, 1003, 1314, 1326, 3010, 1603, chance.randrange(70000))
    )
    return text.format(
        a=chance.choice(_APPS),
        p=chance.choice(_PATHS),
        c=chance.choice((small, f"0x{code:X}", code)),
        x=f"0x{code:{chance.choice(('X', 'x', '08X', '016x'))}}",
        n=small,
        s=code - (1 << 32) if code >> 31 else code,
        b=f"{code:08X}",
    )


def _code(chance: Random) -> int:
    return chance.choice(
        (
            chance.choice(_CODES),
            chance.choice(_WORDED),
            0x8007_0000 | chance.choice((5, 1314, 1603, chance.randrange(0x10000))),
            0x87D0_0000 | chance.randrange(0x10000),
            chance.randrange(1 << 32),
            chance.randrange(4000),
        )
    )


def _when(chance: Random) -> datetime:
    day = datetime(1980, 1, 1) + timedelta(days=chance.randrange(18_000))  # noqa: DTZ001 - local
    return day + timedelta(milliseconds=chance.randrange(86_400_000))


def _thread(chance: Random) -> int:
    return chance.choice((52, 0x640, 4_294_798_339, chance.randrange(1 << 32)))


def _legacy(chance: Random, text: str) -> str:
    at = _when(chance)
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
    month = _MONTHS[at.month - 1]
    plain = f"Mon {month} {at.day:02} {clock} {at.year}"
    thread = _thread(chance)
    shown = f"{thread} (0x{thread:X})"
    match chance.randrange(6):
        case 0 | 1:
            stamp = plain
        case 2 | 3:
            zone = chance.choice(_ZONES).title()
            if chance.random() < 0.3:
                zone = zone.replace("Standard Time", "Daylight Time")
            stamp = f"{plain} {zone}"
        case 4:
            bias = chance.choice(
                ("+300", "-60", "+-420", "+0", "-330", "+900", "", "+480")
            )
            stamp = f"{at:%m-%d-%Y} {clock}{bias}"
        case _:
            stamp = f"Mon {month} {at.day:02} {at:%H:%M:%S} {at.year}~"
            shown = f"{thread & 0xFFFF:X}"
    gap = chance.choice(("  ", "~  ", " ", "~ \t"))
    return f"{text}{gap}$$<{chance.choice(_COMPONENTS)}><{stamp}><thread={shown}>"


def _enveloped(chance: Random, text: str) -> str:
    at = _when(chance)
    bias = chance.choice(("+480", "-330", "-60", "+000", "+-420", "", "4567", "+900"))
    pick = chance.choice
    origin = pick(("a.cpp:123", "execreqmgr.cpp", "b.cs:99999999999", "", "x:y", ":7"))
    if chance.random() < 0.2:
        text = f'{text}\n  at line two\r\n]LOG] "quoted" {text}'
    return (
        f"{pick(('<![LOG[', '<![LOG[', '[<![LOG[', ''))}{text}]LOG]!>"
        f'<time="{at:%H:%M:%S}.{at.microsecond // 1000:03}{bias}" '
        f'date="{at.month}-{at.day:02}-{at.year}" component="{pick(_COMPONENTS)}" '
        f'context="{pick(_USERS)}" type="{pick("0123x")}" '
        f'thread="{pick((_thread(chance), "", "z"))}" file="{origin}">'
    )


def _damaged(chance: Random, line: str) -> str:
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(line) + 1)
        if chance.random() < 0.5:  # near the end, where the trailer is
            at = max(0, len(line) - chance.randrange(90))
        cut = chance.choice((0, 0, 1, 3))
        put = chance.choice(_TOKENS) if chance.random() < 0.7 else ""
        line = line[:at] + put + line[at + cut :]
    return line
