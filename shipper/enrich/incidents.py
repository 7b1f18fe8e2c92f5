# SPDX-License-Identifier: Apache-2.0
"""Which records belong to one launch attempt.

A launch that fails leaves up to four records: the launch itself (S01, or S05 when the
checksum is wrong), the launcher's echo (S02), the verification (S03) and its failure
(S06). No single one carries everything, so they are joined by thread and nearness.
"""

from __future__ import annotations

from functools import lru_cache

from shipper.enrich.trail import Attempt, Incident, Trail, remember
from shipper.knowledge import Launcher, Match, by_app, by_executable, cause_of, role_of
from shipper.records import Record

#: Records further apart than this, by their own time, are of different incidents.
GAP_MS = 5_000
#: A launch whose next application follows later than this proves nothing.
ATTEMPT_MS = 600_000

_SMALL = 0x1_0000
#: Roles whose code says something about the launch.
OPENING = frozenset({"launch", "echo", "verify", "integrity"})
_JOINING = OPENING | {"appverify"}


@lru_cache(maxsize=4096)
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
    if role == "attempt":
        if trail.incidents:
            trail.incidents.pop(_thread(record), None)
        return None
    if role not in _JOINING:
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
    forget(trail, record)
    return incident


def forget(trail: Trail, record: Record) -> None:
    """Let what follows on the record's thread prove nothing about the launch before.

    It failed, was put off, or an error was logged before the next application's turn.
    """
    trail.attempts.pop(_thread(record), None)


def attempt(trail: Trail, record: Record, match: Match) -> Launcher | None:
    """Note a launch attempt; return the launcher that the next one proves healthy.

    The application launched before on the same thread is running when the next one is
    attempted and no error came between (S26, assumed).
    """
    thread = _thread(record)
    before = trail.attempts.get(thread)
    proven = None
    if match.app:
        if before is not None and before.app != match.app:
            recent = 0 <= record.epoch_ms - before.last_ms <= ATTEMPT_MS
            if before.launched and recent and thread:
                proven = launcher_of(before.app, before.executable)
            before = None
        now = before or Attempt()
        now.app = match.app
        now.launched |= match.signature.action == "launch-attempt"
    else:
        now = before or Attempt()
        now.executable = match.exe
    now.last_ms = record.epoch_ms
    now.next_offset = record.end
    if now is not before:
        remember(trail.attempts, thread, now)
    return proven


def list_done(trail: Trail, record: Record) -> Launcher | None:
    """Return the launcher that a launch list's good end proves: its last one."""
    if record.thread is None:
        return None
    last = trail.attempts.pop(_thread(record), None)
    if last is None or not last.launched:
        return None
    return launcher_of(last.app, last.executable)


def _continues(incident: Incident, record: Record, match: Match) -> bool:
    if match.signature.role in incident.roles:
        return False
    if not _follows(record, incident):
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
    if code == 0 or incident.cause == "integrity":
        return
    cause = cause_of(signature.id, code)
    root = ""
    if code is not None and role_of(code) == "cause" and signature.role in OPENING:
        root = code_text(code)
    if cause == "integrity" or (root and not incident.root_code):
        incident.cause, incident.root_code = cause, root or incident.root_code
    elif not incident.cause:
        incident.cause = cause


def code_text(code: int) -> str:
    """Return a code as documents spell it: small ones in decimal, others in hex."""
    return str(code) if code < _SMALL else f"0x{code:08X}"


def _thread(record: Record) -> str:
    return "" if record.thread is None else str(record.thread)
