# SPDX-License-Identifier: Apache-2.0
"""Which records belong to one launch attempt.

A launch that fails leaves up to four records: the launch itself (S01, or S05 when the
checksum is wrong), the launcher's echo (S02), the verification (S03) and its failure
(S06). No single one carries everything, so they are joined by thread and nearness. A
refused registration (S17) is one of them or stands alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from shipper.enrich.trail import Attempt, Incident, Trail, remember
from shipper.knowledge import Launcher, Match, by_app, by_executable, cause_of, role_of
from shipper.records import Record

#: Records further apart than this, by their own time, are of different incidents.
GAP_MS = 5_000
#: A launch whose next application follows later than this proves nothing.
ATTEMPT_MS = 600_000
#: Records further apart are of different launch lists.
LIST_MS = 3_600_000

_SMALL = 0x1_0000
#: Roles whose code says something about the launch.
OPENING = frozenset({"launch", "echo", "verify", "integrity", "register"})
#: Roles that refuse an application, if their code is not 0.
REFUSING = OPENING - {"verify"}
_JOINING = OPENING | {"appverify"}
#: A launch fails or is not authorised, one of both, before it is verified.
_FIRST = frozenset({"launch", "integrity"})


@lru_cache(maxsize=1024)
def launcher_of(app: str, executable: str) -> Launcher | None:
    """Resolve a launcher: by the application's name, else by the program's path."""
    return (by_app(app) if app else None) or (
        by_executable(executable) if executable else None
    )


def join(trail: Trail, record: Record, match: Match, record_id: str) -> Incident | None:
    """Return the incident ``record`` belongs to, updated; open or close as needed.

    Args:
        trail: what is remembered; changed in place.
        record: the record.
        match: what it means.
        record_id: its id, which becomes the incident's if it opens one.
    """
    role = match.signature.role
    if role == "crashed":
        put_off(trail, record, match.app)
        return _crash(record, match, record_id)
    # A registration's code 0 tells of success.
    if role not in _JOINING or (role == "register" and match.code == 0):
        return None
    thread = _thread(record)
    incident = trail.incidents.get(thread)
    if incident is not None and not _continues(incident, record, match):
        incident = None
    if incident is None:
        if role not in OPENING:
            return None
        incident = Incident(id=record_id)
        if role == "integrity":
            _take_attempt(incident, trail.attempts.get(thread), record)
    incident.seq += 1
    incident.roles.append(role)
    incident.last_ms = record.epoch_ms
    incident.next_offset = record.end
    _learn(incident, match)
    remember(trail.incidents, thread, incident)
    put_off(trail, record, incident.app)
    if incident.launcher:
        _call_off(trail, incident.launcher)
    return incident


def disturb(trail: Trail, record: Record) -> None:
    """Let the next application's turn prove nothing about the launch before.

    An error was logged in between; the launch list's good end may still prove it.
    """
    last = trail.attempts.pop(_thread(record), None)
    if last is not None:
        _hold(trail, record, last, _held(last))


def put_off(trail: Trail, record: Record, app: str) -> None:
    """Let nothing prove a launch: it failed, or did not take place.

    Args:
        trail: what is remembered; changed in place.
        record: says so.
        app: the application it names, or empty; the one being launched is meant, too.
    """
    last = trail.attempts.pop(_thread(record), None)
    if last is not None:
        _hold(trail, record, last, _held(last, {app, last.app}))


def _call_off(trail: Trail, launcher: str) -> None:
    """Let no thread prove a launch that was refused on another."""
    for last in trail.attempts.values():
        if last.launched and _is(launcher, last.app, last.executable):
            last.launched = False
        if last.held:
            launches = last.held.items()
            last.held = {
                app: path for app, path in launches if not _is(launcher, app, path)
            }


def _is(ident: str, app: str, executable: str) -> bool:
    launcher = launcher_of(app, executable)
    return launcher is not None and launcher.id == ident


def attempt(trail: Trail, record: Record, match: Match) -> list[Launcher]:
    """Note a launch attempt; return the launcher that it proves healthy, if any.

    The application launched before on the same thread is running when the next one is
    attempted and no error came between (S26, assumed). An incident on the thread ends.
    """
    thread, ms = _thread(record), record.epoch_ms
    if trail.incidents:
        trail.incidents.pop(thread, None)
    before = now = trail.attempts.get(thread)
    if now is None or not -LIST_MS <= ms - now.last_ms <= LIST_MS:
        now = Attempt()
    proven: list[Launcher] = []
    if match.app:
        if match.app != now.app:
            if now.launched and 0 <= ms - now.last_ms <= ATTEMPT_MS and thread:
                proven = _launchers({now.app: now.executable})
            if now.held or (now.launched and not proven):
                now = Attempt(held=_held(now, {now.app} if proven else ()))
            else:
                now = Attempt()
        now.app = match.app
        now.launched |= match.signature.action == "launch-attempt"
    else:
        now.executable = match.exe
    now.last_ms = ms
    now.next_offset = record.end
    if now is not before:
        remember(trail.attempts, thread, now)
    return proven


def list_done(trail: Trail, record: Record, *, well: bool) -> list[Launcher]:
    """Return the launchers that a launch list's end proves healthy.

    A list that ended well proves what it launched and nothing proved before.

    Args:
        trail: what is remembered; changed in place.
        record: says that the list is done.
        well: with code 0.
    """
    last = trail.attempts.pop(_thread(record), None)
    if not well or last is None or record.thread is None:
        return []
    if not _same_list(last, record):
        return []
    return _launchers(_held(last))


def _crash(record: Record, match: Match, record_id: str) -> Incident:
    """A crash is an incident of its own; the launches around it go on."""
    incident = Incident(id=record_id, seq=1, roles=["crashed"])
    incident.next_offset = record.end
    _learn(incident, match)
    return incident


def _same_list(last: Attempt, record: Record) -> bool:
    return abs(record.epoch_ms - last.last_ms) <= LIST_MS


def _held(last: Attempt, but: Collection[str] = ()) -> dict[str, str]:
    """Return what its list launched so far and is not known to run."""
    if not last.held and (not last.launched or last.app in but):
        return {}
    launches = dict(last.held)
    if last.launched:
        launches[last.app] = last.executable
    kept = [(app, path) for app, path in launches.items() if app not in but]
    return dict(kept[-Trail.LIMIT :])


def _launchers(launches: Mapping[str, str]) -> list[Launcher]:
    found = (launcher_of(app, path) for app, path in launches.items())
    return [launcher for launcher in found if launcher is not None]


def _hold(trail: Trail, record: Record, last: Attempt, held: dict[str, str]) -> None:
    if held:
        now = Attempt(held=held, last_ms=last.last_ms, next_offset=last.next_offset)
        remember(trail.attempts, _thread(record), now)


def _continues(incident: Incident, record: Record, match: Match) -> bool:
    role = match.signature.role
    if role in _FIRST and not (_FIRST | {"verify"}).isdisjoint(incident.roles):
        return False
    if role in incident.roles or not _follows(record, incident):
        return False
    launcher = launcher_of(match.app, match.exe)
    if launcher is not None and incident.launcher:
        return launcher.id == incident.launcher
    same_app = not (match.app and incident.app) or match.app == incident.app
    same_exe = not (match.exe and incident.executable) or _same_path(match, incident)
    return same_app and same_exe


def _follows(record: Record, before: Incident | Attempt) -> bool:
    """Tell whether a record is near enough: in time, and without a thread in place."""
    if record.thread is None:
        glued = record.sub > 1 and before.next_offset == record.end
        if not glued and before.next_offset != record.start:
            return False
    # When a record was read says nothing about when it was written.
    read = record.moment.source == "read"
    return read or abs(record.epoch_ms - before.last_ms) <= GAP_MS


def _same_path(match: Match, incident: Incident) -> bool:
    return match.exe.lower() == incident.executable.lower()


def _take_attempt(incident: Incident, before: Attempt | None, record: Record) -> None:
    """S05 names no program: it is the one that was being verified."""
    if before is not None and _follows(record, before):
        incident.app, incident.executable = before.app, before.executable


def _learn(incident: Incident, match: Match) -> None:
    incident.app = incident.app or match.app
    incident.executable = incident.executable or match.exe
    if not incident.launcher:
        launcher = launcher_of(incident.app, incident.executable)
        incident.launcher = launcher.id if launcher else ""
    signature, code = match.signature, match.code
    if code == 0:
        return
    incident.failing |= signature.role in REFUSING
    if incident.cause == "integrity":
        return
    integrity = signature.role == "integrity"
    cause = "integrity" if integrity else cause_of(signature.id, code, match.namespace)
    root = ""
    if code is not None and role_of(code) == "cause" and signature.role in OPENING:
        root = code_text(code)
    first_hand = signature.role == "launch" or not incident.root_code
    if integrity or (root and first_hand):
        incident.cause, incident.root_code = cause, root or incident.root_code
    elif not incident.cause:
        incident.cause = cause


def code_text(code: int) -> str:
    """Return a code as documents spell it: small ones in decimal, others in hex."""
    return str(code) if code < _SMALL else f"0x{code:08X}"


def _thread(record: Record) -> str:
    return "" if record.thread is None else str(record.thread)
