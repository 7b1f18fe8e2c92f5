# SPDX-License-Identifier: Apache-2.0
r"""What the client service writes: applications, records, trailers.

The short strings of launches and failures are those of Q246331, Q320235, Q289552,
Q323652 and KB828371; everything else is worded here, in the same manner. A text ends
with ``~`` where the articles show one.
"""

from __future__ import annotations

from random import Random

from msgspec import Struct

COMPONENT = r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE"

_HOME = r"C:\WINNT\MS\SMS"

#: Results in the client's own numbers, as records spell them.
PRIVILEGE_NOT_HELD = 1314
ACCESS_DENIED = 5


class Application(Struct, frozen=True, kw_only=True):
    """An entry of the client service's launch list.

    Attributes:
        name: as the log calls it.
        path: below the client's folder.
        agent: id of the agent it serves, or empty for the client's own parts.
        init_s: seconds the service grants it to come up, if it says so.
    """

    name: str
    path: str
    agent: str = ""
    init_s: int = 0

    @property
    def executable(self) -> str:
        """Full path on the client."""
        return f"{_HOME}\\{self.path}"


OFFERS = Application(
    name="WNet User Groups Offer Data Provider",
    path=r"clicomp\SWDist32\bin\ODPUSR32.exe",
    agent="advertised-programs",
)
HARDWARE = Application(
    name="Hardware Inventory Agent",
    path=r"clicomp\hinv\hinv32.exe",
    agent="hardware-inventory",
)
SOFTWARE = Application(
    name="Software Inventory Agent",
    path=r"clicomp\sinv\sinv32.exe",
    agent="software-inventory",
)
#: In the order of launching. The last one serves no agent, because a launch is known to
#: have gone well only by the next application's turn.
APPLICATIONS = (
    Application(
        name="Client Configuration Installation Manager",
        path=r"core\Bin\ccim32.dll",
    ),
    Application(
        name="Available Programs Manager Win32",
        path=r"clicomp\apa\Bin\smsapm32.exe",
        agent="advertised-programs",
        init_s=20,
    ),
    Application(
        name="System Offer Data Provider",
        path=r"clicomp\SWDist32\bin\ODPSYS32.exe",
        agent="advertised-programs",
        init_s=20,
    ),
    OFFERS,
    Application(
        name="Program Execution Agent",
        path=r"clicomp\SWDist32\bin\Pea32.exe",
        agent="advertised-programs",
    ),
    HARDWARE,
    SOFTWARE,
    Application(name="Copy Queue", path=r"core\Bin\smscq_32.exe"),
)
AGENTS = tuple(dict.fromkeys(app.agent for app in APPLICATIONS if app.agent))

_NOT_AUTHORISED = (
    "#$#$#$#$#$ ERROR: The Client Service is not authorised to run this application!"
)
SERVICE_STOPPING = "Service is stopping, the service control manager asked for it~"
SERVICE_STARTED = "Service has started, client version 2.50.3174.1018~"

_ROUTINE = (
    "Launch list walked {n} times since the service started~",
    "Next CCIM cycle is due in {n} minutes",
    "Copy Queue - {m} jobs waiting~",
    r"Client access point \\SMSCAP{m:02d}\CAP_S01 answered after {n} ms",
    "Read {n} values from the client configuration~",
    "Working set trimmed to {n} KB~",
    "Sleeping until the next change of configuration or {n} seconds",
)
#: Not ASCII: the client writes its machine's own code page.
_LOCAL = (
    r"Profile of the logged-on user is C:\Dokumente und Einstellungen\Jörg Müller~",
    r"Profile of the logged-on user is C:\Documents and Settings\Hélène Lefèvre~",
)


def attempt(app: Application) -> list[str]:
    """Return the records of a launch, up to the point where it may go wrong."""
    return [
        f"{app.name} - (LAUNCH_CONTINUOUS_START)~",
        f"{app.name} - Attempting to launch application ~",
        f"Verifying application [{app.executable}]~",
    ]


def success(app: Application) -> list[str]:
    """Return what follows a launch that went well: little, often nothing."""
    if not app.init_s:
        return []
    return [f"{app.name} - Waiting {app.init_s} seconds for application initialisation"]


def refusal(app: Application, code: int) -> list[str]:
    """Return the records of a launch that was refused.

    Args:
        app: the application.
        code: :data:`PRIVILEGE_NOT_HELD`, which the launcher repeats as 1003, or
            :data:`ACCESS_DENIED`, the client's answer to a file that does not match its
            checksum.
    """
    if code == ACCESS_DENIED:
        return [
            f"{_NOT_AUTHORISED} (5)~",
            f"*** {app.name} - Error launching (#0x5)",
            "!!!WARNING: Problem starting App (5). Doing App Verify.",
            f"**ERROR: AppVerify({app.name}) returned 232~",
        ]
    return [
        f'***ERROR: Unable to launch "{app.executable} " - Error : {code}~',
        f"*** {app.name} - Error launching (#0x3EB)",
        "!!!WARNING: Problem starting App (1003). Doing App Verify.",
    ]


def glued(app: Application, code: int) -> str:
    """Return a refusal's three records as KB828371 prints them: on one line."""
    first, *rest = refusal(app, code)
    return "".join([first.removeprefix("***ERROR: Unable to launch ")[:-1], *rest])


def routine(chance: Random, *, local: bool = False) -> str:
    """Return a record that means nothing.

    Args:
        chance: picks the record and the numbers in it.
        local: it may be one with letters beyond ASCII.
    """
    text = chance.choice(_ROUTINE + _LOCAL if local else _ROUTINE)
    return text.format(n=chance.randrange(2, 1400), m=chance.randrange(1, 9))


def thread_group(thread: int) -> str:
    """Return a thread's id, unsigned 32 bits, as a trailer gives it."""
    return f"<thread={thread} (0x{thread:X})>"


def line(text: str, shown: str, thread: int) -> str:
    """Return a whole record, without its line end.

    Args:
        text: the message, with ``~`` if it has one.
        shown: its time, as a :class:`~shipper.demo.fleet.stamp.Dial` shows it.
        thread: id of the writing thread.
    """
    return f"{text}  $$<{COMPONENT}><{shown}>{thread_group(thread)}"


def damage(whole: str, chance: Random) -> str:
    """Return a record with its trailer spoilt in a way that real copies show.

    The ways are those of Q235777 (a missing ``<``, extra blanks), Q236596 (a missing
    ``>``) and Q236039 (a rest of HTML).

    Args:
        whole: the record, without its line end.
        chance: picks the way.
    """
    ways = (
        whole.replace("><thread=", ">>thread="),
        whole.replace(f"{COMPONENT}><", f"{COMPONENT}<"),
        whole.replace(f"{COMPONENT}><", f"{COMPONENT} ><"),
        f"{whole}<BR/>",
    )
    return chance.choice(ways)
