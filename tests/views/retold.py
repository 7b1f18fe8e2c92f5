# SPDX-License-Identifier: Apache-2.0
"""Lines told again as records, without any of the shipper's code.

The lines are those of the fleet writer and of what is planted beside it, so a table of
their phrases is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from shipper.demo.fleet.wording import APPLICATIONS, Application
from shipper.knowledge import Cause
from tests.views.facts import ACCOUNT_CODES, Record

Line = tuple[datetime, str]
"""A line with its time, UTC."""

#: A phrase with its code if it has one; the action it tells of, and how that ended.
_PHRASES = (
    (r'" - Error : (?P<code>\w+)', "launch-failed", "failure"),
    (r"authorised to run .*\((?P<code>\d+)\)", "integrity-check-failed", "failure"),
    (r"Error launching \(#(?P<code>\w+)\)", "launch-error", "failure"),
    (r"starting App \((?P<code>\d+)\)", "app-verify", "failure"),
    (r"AppVerify\(.*\) returned (?P<code>\d+)", "app-verify-failed", "failure"),
    (r" - \(LAUNCH_CONTINUOUS_START\)", "launch-scheduled", ""),
    (r"Attempting to launch application", "launch-attempt", "unknown"),
    (r"Verifying application \[", "app-verifying", ""),
    (r"Waiting \d+ seconds for application", "launch-waiting", ""),
    (r"Service Account. Win32 Error: (?P<code>\d+)", "account-problem", "failure"),
    (r"No SIDs found for account mask", "account-problem", "failure"),
    (r"needs to be (?P<operation>\w+)", "component-action-needed", "unknown"),
    (r"No longer assigned to", "site-unassigned", ""),
    (r"Service is stopping", "service-stop", "success"),
    (r"Service has started", "service-start", "success"),
)
_OPENING = frozenset({"launch-failed", "integrity-check-failed"})
_FAILING = _OPENING | {"launch-error", "app-verify", "app-verify-failed"}
_ENDING = frozenset({"launch-scheduled", "launch-attempt", "app-verifying"})
_EXACT = re.compile(
    r"  \$\$<[^<>]+\w><\w{3} \w{3} \d\d [\d:.]+ \d{4}(?: [A-Z][\w ]+)?>"
    r"<thread=\d+ \(0x[0-9A-F]+\)>\s*"
)
_PATH = re.compile(r"C:\\[^$\[\]\"]+?\.(?:exe|dll)", re.IGNORECASE)
_CAUSES: dict[str, Cause] = {
    "1314": "privilege",
    **dict.fromkeys(ACCOUNT_CODES, "account"),
}
_ECHO = "1003"
_numbers = count(1)


class _Incident(Struct, kw_only=True):
    """A launch attempt that failed, as far as it has been told."""

    number: int
    app: Application | None = None
    path: str = ""
    root_code: str = ""
    cause: Cause = "unknown"


def records(host: str, collector: str, lines: Iterable[Line]) -> list[Record]:
    """Return the records of a log.

    Args:
        host: whose log it is.
        collector: who reads it.
        lines: its lines, in order.
    """
    told: list[Record] = []
    incident: _Incident | None = None
    verified: Record | None = None
    for at, text in lines:
        plain = Record(host=host, collector=collector, at=at, quality=_quality(text))
        for said in _said(plain, text):
            if said.action in _FAILING:
                if incident is None or said.action in _OPENING:
                    incident = _Incident(number=next(_numbers))
                    if said.action == "integrity-check-failed" and verified:
                        incident.app, incident.path = verified.app, verified.path
                told.append(_joined(said, incident))
            else:
                told.append(said)
                if said.action in _ENDING:
                    incident = None
                    verified = said if said.action == "app-verifying" else None
    return told


def _said(plain: Record, text: str) -> list[Record]:
    """Return what a line says; several records may stand on one."""
    path = found[0] if (found := _PATH.search(text.partition("  $$")[0])) else ""
    return [
        replace(
            plain,
            action=action,
            outcome=outcome,
            code=str(int(code, 0)) if (code := found.get("code")) else "",
            operation=found.get("operation", ""),
            app=_app(text),
            path=path if action != "launch-error" else "",
        )
        for phrase, action, outcome in _PHRASES
        if (match := re.search(phrase, text))
        for found in [match.groupdict()]
    ] or [plain]


def _joined(said: Record, incident: _Incident) -> Record:
    """Return a failing record with what is known of its incident by then."""
    incident.app = incident.app or said.app
    incident.path = incident.path or said.path
    if said.action == "integrity-check-failed":
        incident.cause, incident.root_code = "integrity", said.code
    elif said.code != _ECHO and not incident.root_code:
        incident.root_code = said.code
        incident.cause = _CAUSES.get(said.code, "unknown")
    return replace(
        said,
        incident=incident.number,
        root_code=incident.root_code,
        cause=incident.cause,
        app=incident.app,
        path=incident.path,
    )


def _app(text: str) -> Application | None:
    """Return the application a line is about: by its name, or by its program."""
    return next(
        (
            app
            for app in APPLICATIONS
            if app.name.removesuffix(" Agent") in text
            or app.path.lower() in text.lower()
        ),
        None,
    )


def _quality(text: str) -> str:
    if "thread=" not in text:
        return "plain"
    return "exact" if _EXACT.fullmatch(text[text.rfind("  $$") :]) else "repaired"
