# SPDX-License-Identifier: Apache-2.0
"""What one message says, worked out once and kept as ready-made JSON."""

from __future__ import annotations

from msgspec import Struct

from shipper.enrich.incidents import OPENING, launcher_of
from shipper.enrich.members import (
    agent_members,
    basename,
    error_members,
    leading,
    program,
    remedy_members,
    rule_members,
    text,
    threat_members,
    trailing,
)
from shipper.knowledge import (
    Catalogue,
    Launcher,
    Match,
    built_in,
    cause_of,
    find,
    for_cause,
    level,
    meaningful,
    remedied,
    severity,
    shape,
    signature,
)

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LIMIT = 8192  # messages, and shapes, kept at a time
_LONGEST = 1024  # characters; longer messages are not kept

#: Signatures whose subject is the launched program, not the writer of the record.
_LAUNCH_ROLES = OPENING | {"appverify", "attempt"}
#: Signatures about a file on the disk.
_FILE_ROLES = frozenset({"integrity", "attempt"})


class Sense(Struct, frozen=True, kw_only=True):
    """What a message says.

    Attributes:
        message: the message as JSON text.
        match: the signature it fits, if any.
        level: ``log.level``.
        event: members of ``event``, each with a comma behind it.
        related: members of ``related``, each with a comma before it.
        error: members ``error`` and ``rule`` of the document, likewise.
        sms: members of ``sms``, each with a comma before it.
        launch: its subject is the launched program.
        program: what is known of that program, inside of a process object.
        launcher: the launcher its own words name, if any.
        agent: member ``agent`` of ``sms`` for that launcher, with a comma before it.
        file: member ``file`` of the document, with a comma behind it.
    """

    message: str
    level: str
    match: Match | None = None
    event: str = ""
    related: str = ""
    error: str = ""
    sms: str = ""
    launch: bool = False
    program: str = ""
    launcher: Launcher | None = None
    agent: str = ""
    file: str = ""


class Senses:
    """Finds the sense of messages; remembers it, in bounded memory.

    Most messages of a log have no meaning beyond their text, and a few shapes (the text
    with its digits blanked) cover them all; the others come in few variants.

    Args:
        catalogue: the signatures; default: the built-in ones.

    Attributes:
        version: of the knowledge, as documents carry it.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue or built_in()
        self.version = self._catalogue.version
        self._trouble = signature("S28")
        self._known: dict[str, Sense] = {}
        self._troubles: dict[str, Sense] = {}
        self._dull: dict[bytes, str] = {}

    def of(self, message: str) -> Sense:
        """Return the sense of ``message``."""
        sense = self._known.get(message)
        if sense is not None:
            return sense
        if len(message) > _LONGEST:
            return _sense(message, self._catalogue)
        outline = message.encode().translate(_ZEROS)  # its shape, the quick way
        dull = self._dull.get(outline)
        if dull is not None:
            return Sense(message=text(message), level=dull)
        if not meaningful(shape(message), self._catalogue):
            if len(self._dull) >= _LIMIT:
                self._dull.clear()
            self._dull[outline] = level(message)
        if len(self._known) >= _LIMIT:
            self._known.clear()
        sense = self._known[message] = _sense(message, self._catalogue)
        return sense

    def trouble(self, message: str) -> Sense:
        """Return the sense of a message no signature fits, but which is an error's."""
        sense = self._troubles.get(message)
        if sense is None:
            if len(self._troubles) >= _LIMIT:
                self._troubles.clear()
            finding = find(message)
            found = Match(
                signature=self._trouble, code=finding.value if finding else None
            )
            sense = _told(
                message,
                found,
                finding.namespace if finding else None,
                self._catalogue.version,
            )
            if len(message) <= _LONGEST:
                self._troubles[message] = sense
        return sense


def _sense(message: str, catalogue: Catalogue) -> Sense:
    found = catalogue.match(message)
    if found is not None:
        return _told(message, found, found.namespace, catalogue.version)
    finding = find(message)
    if finding is None:
        return Sense(message=text(message), level=level(message))
    error = error_members(finding.value, "", finding.namespace)
    return Sense(
        message=text(message),
        level=level(message),
        error=leading({"error": error["error"]}),
        sms=trailing({"error": error["sms"]}),
    )


def _told(message: str, found: Match, namespace: str | None, version: str) -> Sense:
    """Return the sense of a message with a signature."""
    rule, code = found.signature, found.code
    document: dict[str, object] = {}
    sms: dict[str, object] = {}
    if code is not None:
        error = error_members(code, rule.role, namespace)
        document["error"], sms["error"] = error["error"], error["sms"]
    document["rule"] = rule_members(rule, version)
    if rule.role == "integrity" and rule.threat:
        document["threat"] = threat_members(rule)
    launch = {
        "name": found.app,
        "path": found.exe,
        "executable": basename(found.exe),
    }
    if any(launch.values()):
        sms["launch"] = {name: value for name, value in launch.items() if value}
    if rule.status == "assumed":
        sms["signature"] = {"status": rule.status}
    cause = cause_of(rule.id, code, namespace)
    if remedied(rule.id) and found.outcome == "failure" and cause != "unknown":
        sms["remedy"] = remedy_members(for_cause(cause))
    launcher = launcher_of(found.app, found.exe)
    about_file = found.exe and rule.role in _FILE_ROLES
    return Sense(
        message=text(message),
        level=level(message),
        match=found,
        program=program(found.exe),
        launcher=launcher,
        agent=trailing({"agent": agent_members(launcher.agent)} if launcher else {}),
        file=leading({"file": {"path": found.exe}} if about_file else {}),
        event=leading(_event(found, namespace)),
        related=trailing({"user": [found.account]} if found.account else {}),
        error=leading(document),
        sms=trailing(sms),
        launch=rule.role in _LAUNCH_ROLES,
    )


def _event(found: Match, namespace: str | None) -> dict[str, object]:
    """Return what ``event`` says of a message with a rule."""
    rule = found.signature
    event: dict[str, object] = {
        "category": rule.category,
        "type": rule.type,
        "action": rule.action,
    }
    if found.outcome:
        event["outcome"] = found.outcome
    event |= {"reason": rule.reason, "code": rule.id}
    grade = severity(rule.role, found.code, namespace)
    if grade:
        event["severity"] = grade
    return event
