# SPDX-License-Identifier: Apache-2.0
"""What one message says, worked out once and kept as ready-made JSON."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from shipper.enrich.incidents import OPENING, code_text, launcher_of
from shipper.knowledge import (
    VERSION,
    Launcher,
    Match,
    explain,
    find,
    level,
    match,
    meaningful,
    role_of,
    severity,
    shape,
)

_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_encode = msgspec.json.Encoder().encode
_LIMIT = 8192  # messages, and shapes, kept at a time

RULESET = "clisvc-signatures"

#: Signatures whose subject is the launched program, not the writer of the record.
_LAUNCH_ROLES = frozenset(
    {"launch", "echo", "verify", "integrity", "appverify", "attempt"}
)
#: Signatures about a file on the disk.
_FILE_ROLES = frozenset({"integrity", "attempt"})


class Sense(Struct, frozen=True, kw_only=True):
    """What a message says.

    Attributes:
        message: the message as JSON text.
        match: the signature it fits, if any.
        level: ``log.level``.
        event: members of ``event``, each with a comma behind it.
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
    """

    def __init__(self) -> None:
        self._known: dict[str, Sense] = {}
        self._dull: dict[bytes, str] = {}

    def of(self, message: str) -> Sense:
        """Return the sense of ``message``."""
        sense = self._known.get(message)
        if sense is not None:
            return sense
        outline = message.encode().translate(_ZEROS)  # its shape, the quick way
        dull = self._dull.get(outline)
        if dull is not None:
            return Sense(message=text(message), level=dull)
        if not meaningful(shape(message)):
            if len(self._dull) >= _LIMIT:
                self._dull.clear()
            self._dull[outline] = level(message)
        if len(self._known) >= _LIMIT:
            self._known.clear()
        sense = self._known[message] = _sense(message)
        return sense


def _sense(message: str) -> Sense:
    found = match(message)
    if found is None:
        finding = find(message)
        code, namespace = (
            (finding.value, finding.namespace) if finding else (None, None)
        )
        error = {} if code is None else error_members(code, "", namespace)
        return Sense(
            message=text(message),
            level=level(message),
            error=leading({"error": error["error"]} if error else {}),
            sms=trailing({"error": error["sms"]} if error else {}),
        )
    signature, code = found.signature, found.code
    grade = severity(signature.role, code)
    event: dict[str, object] = {
        "category": signature.category,
        "type": signature.type,
        "action": signature.action,
    }
    if found.outcome:
        event["outcome"] = found.outcome
    event |= {"reason": signature.reason, "code": signature.id}
    if grade:
        event["severity"] = grade
    error = {} if code is None else error_members(code, signature.role, None)
    rule = {
        "id": signature.id,
        "name": signature.name,
        "ruleset": RULESET,
        "version": VERSION,
        "reference": signature.source[0],
    }
    launch = {
        name: value
        for name, value in (
            ("name", found.app),
            ("path", found.exe),
            ("executable", basename(found.exe)),
        )
        if value
    }
    document = ({"error": error["error"]} if error else {}) | {"rule": rule}
    sms = ({"error": error["sms"]} if error else {}) | (
        {"launch": launch} if launch else {}
    )
    launcher = launcher_of(found.app, found.exe)
    about_file = found.exe and signature.role in _FILE_ROLES
    return Sense(
        message=text(message),
        level=level(message),
        match=found,
        program=program(found.exe),
        launcher=launcher,
        agent=trailing({"agent": agent_members(launcher)} if launcher else {}),
        file=leading({"file": {"path": found.exe}} if about_file else {}),
        event=leading(event),
        error=leading(document),
        sms=trailing(sms),
        launch=signature.role in _LAUNCH_ROLES,
    )


def text(value: str) -> str:
    """Return ``value`` as JSON text."""
    return _encode(value).decode()


def program(executable: str) -> str:
    """Return what is known of a program, inside of a process object."""
    if not executable:
        return ""
    return f'"name":{text(basename(executable))},"executable":{text(executable)}'


def agent_members(launcher: Launcher | None) -> dict[str, object]:
    """Return the part of ``sms.agent`` that says which one it is."""
    if launcher is None:
        return {"id": "unresolved"}
    return {"id": launcher.agent.id, "name": launcher.agent.name}


def error_members(
    code: int, role: str, namespace: str | None
) -> dict[str, dict[str, object]]:
    """Return the members ``error`` and ``sms.error`` for a code.

    Args:
        code: unsigned.
        role: the signature's role in a launch, or empty.
        namespace: where the context tells it, else ``None``.
    """
    reading = explain(code, namespace=namespace)[0]
    error: dict[str, object] = {"code": code_text(code)}
    if reading.symbol:
        error["type"] = reading.symbol
    error["message"] = reading.meaning
    sms: dict[str, object] = {
        "value": reading.value,
        "hex": reading.hex,
        "signed": reading.signed,
        "namespace": reading.namespace,
    }
    if reading.symbol:
        sms["symbol"] = reading.symbol
    sms["facility"] = reading.facility
    if role in OPENING and role_of(code):
        sms["role"] = role_of(code)
    return {"error": error, "sms": sms}


def basename(path: str) -> str:
    """Return the last part of a Windows path."""
    return path.replace("/", "\\").rpartition("\\")[2]


def leading(members: Mapping[str, object]) -> str:
    """Return ``members`` as JSON text, each with a comma behind it."""
    inside = msgspec.json.encode(members).decode()[1:-1]
    return inside and inside + ","


def trailing(members: Mapping[str, object]) -> str:
    """Return ``members`` as JSON text, each with a comma before it."""
    inside = msgspec.json.encode(members).decode()[1:-1]
    return inside and "," + inside
