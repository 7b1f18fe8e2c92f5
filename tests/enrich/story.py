# SPDX-License-Identifier: Apache-2.0
r"""A client's log told record by record, and what becomes of it.

The shapes of the records are those of KB828371, Q320235, Q246331 and Q264630.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from shipper.app import Assembly, documents
from shipper.config import InputSettings, Settings
from shipper.records import Source, Stream

CLISVCL = r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE"
READ_MS = 1_100_000_000_000  # 2004-11-09T11:33:20Z
HOUR = 3600.0
DAY = 24 * HOUR

#: Time 0 of all stories: a Wednesday.
START = datetime(2003, 2, 12, 6, 0, tzinfo=UTC)

SOURCE = Source(
    host="pc0417",
    domain="corp.example",
    log="clisvc",
    directory="/fleet/pc0417",
    path="/fleet/pc0417/Clisvc.log",
    explicit_host=True,
)


class Program(Struct, frozen=True, kw_only=True):
    """An application of the launch list."""

    app: str
    exe: str
    agent: str


OFFERS = Program(
    app="WNet User Groups Offer Data Provider",
    exe=r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe",
    agent="advertised-programs",
)
SYSTEM = Program(
    app="System Offer Data Provider",
    exe=r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPSYS32.exe",
    agent="advertised-programs",
)
SOFTWARE = Program(
    app="Software Inventory Agent",
    exe=r"C:\WINNT\MS\SMS\clicomp\sinv\sinv32.exe",
    agent="software-inventory",
)
HARDWARE = Program(
    app="Hardware Inventory Agent",
    exe=r"C:\WINNT\MS\SMS\clicomp\hinv\hinv32.exe",
    agent="hardware-inventory",
)
INSTALLER = Program(
    app="Client Configuration Installation Manager",
    exe=r"C:\WINNT\MS\SMS\core\bin\ccim32.dll",
    agent="client-base",
)
COPIER = Program(
    app="Copy Queue",
    exe=r"C:\WINNT\MS\SMS\core\Bin\smscq_32.exe",
    agent="client-base",
)

#: All agents of a host, in the order their documents come.
AGENTS = [
    "advertised-programs",
    "software-inventory",
    "hardware-inventory",
    "remote-tools",
    "software-metering",
]

VERIFY = "!!!WARNING: Problem starting App (1003). Doing App Verify."
VERIFY_5 = "!!!WARNING: Problem starting App (5). Doing App Verify."
INTEGRITY = (
    "#$#$#$#$#$ ERROR: The Client Service is not authorised to run this application!"
    " (5)~"
)


class StillClock:
    """A clock that shows one time."""

    def __init__(self, wall_ms: int = READ_MS) -> None:
        self._wall_ms = wall_ms

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return 0.0

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return self._wall_ms


class Shipped(Struct, frozen=True, kw_only=True):
    """A document as it would be indexed."""

    id: str
    stream: Stream
    raw: bytes
    body: dict[str, Any]

    @property
    def agent(self) -> dict[str, Any]:
        """The member ``sms.agent``."""
        agent: dict[str, Any] = self.body["sms"]["agent"]
        return agent

    @property
    def incident(self) -> dict[str, Any]:
        """The member ``sms.incident``, empty if there is none."""
        incident: dict[str, Any] = self.body["sms"].get("incident", {})
        return incident


def failed(program: Program, code: int = 1314) -> str:
    """Word the record of a launch that failed (S01)."""
    return f'***ERROR: Unable to launch "{program.exe} " - Error : {code}~'


def echo(program: Program, code: str = "0x3EB") -> str:
    """Word the launcher's echo (S02)."""
    return f"*** {program.app} - Error launching (#{code})"


def unverified(program: Program) -> str:
    """Word the failure of the verification (S06)."""
    return f"**ERROR: AppVerify({program.app}) returned 232~"


def verifying(program: Program) -> str:
    """Word the checksum's comparison before a launch (S07)."""
    return f"Verifying application [{program.exe}]~"


def attempting(program: Program) -> str:
    """Word the attempt of a launch (S08)."""
    return f"{program.app} - Attempting to launch application ~"


def scheduled(program: Program) -> str:
    """Word an application's turn in the launch list (S09)."""
    return f"{program.app} - (LAUNCH_CONTINUOUS_START)~"


def attempt(program: Program) -> list[str]:
    """Word all that precedes a launch."""
    return [scheduled(program), attempting(program), verifying(program)]


def triple(program: Program, code: int = 1314) -> list[str]:
    """Word a refused launch: three records."""
    return [failed(program, code), echo(program), VERIFY]


def denied(program: Program) -> list[str]:
    """Word a launch refused for a wrong checksum."""
    return [verifying(program), INTEGRITY, echo(program, "0x5"), VERIFY_5]


def needed(name: str, operation: str = "installed") -> str:
    """Word what the installation manager finds necessary (S14)."""
    return f'Component "{name}" needs to be {operation}'


def trouble(
    text: str,
    seconds: float,
    *,
    component: str = "CcmExec",
    user: str = "",
    thread: str = "52",
) -> bytes:
    """Return a record of a newer client's log that calls itself an error."""
    moment = START + timedelta(seconds=seconds)
    return (
        f'<![LOG[{text}]LOG]!><time="{moment:%H:%M:%S}.000+000"'
        f' date="{moment:%m-%d-%Y}" component="{component}" context="{user}" type="3"'
        f' thread="{thread}" file="ccmexec.cpp:100">\r\n'
    ).encode()


def works(program: Program, seconds: float) -> bytes:
    """Let a program be launched, and the next one have its turn."""
    return lines([*attempt(program), scheduled(COPIER)], seconds)


def iso(seconds: float) -> str:
    """Return a story's time as documents spell it."""
    moment = (START + timedelta(seconds=seconds)).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def line(
    text: str, seconds: float, thread: int | None = 52, component: str = CLISVCL
) -> bytes:
    """Return a line of a client whose clock shows UTC; plain without a thread."""
    if thread is None:
        return f"{text}\r\n".encode()
    moment = START + timedelta(seconds=seconds)
    stamp = moment.strftime("%a %b %d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"
    trailer = f"$$<{component}><{stamp} {moment.year}><thread={thread} (0x{thread:X})>"
    return f"{text}  {trailer}\r\n".encode()


def lines(texts: Iterable[str], seconds: float, thread: int | None = 52) -> bytes:
    """Return lines that follow each other by 10 ms."""
    return b"".join(
        line(text, seconds + number / 100, thread) for number, text in enumerate(texts)
    )


def assembly(clock: StillClock | None = None, timezone: str = "UTC") -> Assembly:
    """Return parser and enricher for clients in a time zone."""
    settings = Settings(input=InputSettings(timezone=timezone))
    return Assembly(settings, clock or StillClock())


def ship(
    log: bytes,
    *,
    source: Source = SOURCE,
    timezone: str = "UTC",
    clock: StillClock | None = None,
) -> list[Shipped]:
    """Return the documents of a whole log, in order."""
    return [
        Shipped(
            id=event.id,
            stream=event.stream,
            raw=event.document,
            body=msgspec.json.decode(event.document),
        )
        for event in documents(
            io.BytesIO(log), source, assembly(clock, timezone), max_line_bytes=65_536
        )
    ]


def records(log: bytes) -> list[Shipped]:
    """Return the record documents of a log."""
    return [one for one in ship(log) if one.stream is Stream.CLISVC]


def states(log: bytes, agent: str = "") -> list[Shipped]:
    """Return the state documents of a log, or those of one agent."""
    return [
        one
        for one in ship(log)
        if one.stream is Stream.STATE and agent in ("", one.agent["id"])
    ]


def path_of(log: bytes, agent: str = "") -> list[str]:
    """Return the states an agent goes through, as its documents tell."""
    return [one.agent["state"] for one in states(log, agent)]
