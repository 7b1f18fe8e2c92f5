# SPDX-License-Identifier: Apache-2.0
"""``clisvc explain``: what a code or a log line means."""

from __future__ import annotations

import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterable
from typing import Any

import click
import msgspec

from shipper.cli.cards import show
from shipper.cli.options import json_option
from shipper.cli.render import counted, echo_json, prose, table
from shipper.cli.system import windows_text
from shipper.errors import UsageProblem
from shipper.knowledge import (
    ACCOUNTS,
    Match,
    Reading,
    Remedy,
    by_app,
    by_executable,
    cause_of,
    find,
    for_cause,
    match,
    named,
    read,
    remedied,
    role_of,
    search,
    signature,
    worded,
)
from shipper.knowledge import explain as readings_of
from shipper.parse import Parser, Zones
from shipper.records import Chunk, Record

_SHOWN = 50  # codes a search shows
_REFUSAL_ROLES = frozenset({"launch", "echo", "verify", "integrity", "register"})
_NOT_OF_WINDOWS = frozenset({"msi", "exit"})
_SYSTEM_TABLE = frozenset({"win32", "hresult"})
_COLUMNS = ("Code", "Hex", "Namespace", "Severity", "Symbol", "Meaning")


@click.command(context_settings={"ignore_unknown_options": True})  # -2147023582
@click.argument("words", nargs=-1, metavar="[CODE|LINE|-]...")
@click.option("--list", "listed", is_flag=True, help="All codes with words of ours.")
@click.option(
    "--search", "wanted", metavar="WORD", help="Codes whose name or meaning has WORD."
)
@json_option
def explain(
    words: tuple[str, ...], *, listed: bool, wanted: str | None, as_json: bool
) -> None:
    """Explain error codes in any spelling, or lines of the log.

    1314, 0x522, 0x80070522, -2147023582, 87D00324 and ERROR_PRIVILEGE_NOT_HELD are
    codes; a line goes in quotes, and a part of a log comes on standard input with -.
    Needs neither configuration nor a network.
    """
    if listed + (wanted is not None) + bool(words) != 1:
        raise UsageProblem(
            "Exactly one thing can be explained at a time.",
            remedy="Give codes or lines, or - for standard input, or --list, or"
            " --search WORD.",
        )
    if listed:
        _catalogue(worded(), as_json=as_json)
    elif wanted is not None:
        _search(wanted, as_json=as_json)
    elif words == ("-",):
        text = _text(sys.stdin.buffer.read())
        _excerpt(_codes(text.split()) or _lines(text), text, as_json=as_json)
    else:
        answers = _arguments(words)
        if not answers:
            raise _nothing_in(" ".join(words))
        if as_json:
            echo_json(answers[0] if len(answers) == 1 else {"answers": answers})
        else:
            show(answers)


def _arguments(words: tuple[str, ...]) -> list[dict[str, Any]]:
    """Explain arguments: codes, quoted lines, or one line that nobody quoted."""
    quoted = any(len(word.split()) > 1 for word in words)
    if quoted:
        return [one for word in words for one in _codes([word]) or _lines(word)]
    return _codes(words) or _lines(" ".join(words))


def _excerpt(answers: list[dict[str, Any]], text: str, *, as_json: bool) -> None:
    """Print what a part of a log says, and how often each code is in it."""
    if not answers:
        raise _nothing_in(text)
    found = [answer["readings"][0] for answer in answers if answer["readings"]]
    counts = Counter((reading["namespace"], reading["value"]) for reading in found)
    first = {(reading["namespace"], reading["value"]): reading for reading in found}
    codes = [{**first[key], "records": number} for key, number in counts.most_common()]
    if as_json:
        echo_json({"answers": answers, "codes": codes})
        return
    show(answers)
    if codes:
        table(
            ("Records", *_COLUMNS),
            ([code["records"], *_row(code)] for code in codes),
            numbers=("Records",),
            whole=("Code", "Hex"),
        )


def _catalogue(readings: Iterable[Reading], *, as_json: bool) -> None:
    codes = [msgspec.to_builtins(reading) for reading in readings]
    if as_json:
        echo_json({"codes": codes})
    else:
        table(_COLUMNS, map(_row, codes), whole=("Code", "Hex"))


def _search(word: str, *, as_json: bool) -> None:
    found = search(word)
    if not found:
        raise UsageProblem(
            f"{word!r}: no code has that in its name or its meaning.",
            remedy="Give a part of a name, such as PRIVILEGE, or a word.",
        )
    shown = found[:_SHOWN]
    if as_json:
        codes = [msgspec.to_builtins(reading) for reading in shown]
        echo_json({"word": word, "count": len(found), "codes": codes})
        return
    _catalogue(shown, as_json=False)
    if len(found) > len(shown):
        prose(f"The first {len(shown)} of {counted(len(found), 'code')}.", err=True)


def _row(code: dict[str, Any]) -> tuple[str, ...]:
    shown = ("value", "hex", "namespace", "severity", "symbol", "meaning")
    return tuple(str(code[name]) for name in shown)


def _nothing_in(text: str) -> UsageProblem:
    return UsageProblem(
        f"{text.strip()[:80]!r}: there is no error code in it.",
        remedy="Give a code such as 1314 or 0x80070522, or a whole log line.",
    )


def _codes(words: Iterable[str]) -> list[dict[str, Any]]:
    """Explain codes; nothing if one of the words is none."""
    answers = []
    for word in words:
        readings = read(word) or named(word)
        if not readings:
            return []
        remedy = _remedy(None, readings[0].value, None)
        answers.append(_answer(word, readings, None, remedy))
    return answers


def _lines(text: str) -> list[dict[str, Any]]:
    """Explain the records of a text that mean something."""
    answers = []
    data = text.encode("utf-8", "replace") + b"\n"
    chunk = Chunk(start=0, data=data, end=len(data))
    for record in Parser(Zones()).parse(chunk, None, 0).records:
        found, code, namespace = _sense(record)
        if found is None and code is None:
            continue
        readings = () if code is None else readings_of(code, namespace=namespace)
        remedy = _remedy(found, code, namespace)
        answers.append(_answer(record.message, readings, found, remedy))
    return answers


def _sense(record: Record) -> tuple[Match | None, int | None, str | None]:
    """Return what a record says as its document does: signature, code, namespace."""
    found = match(record.message)
    if found is not None:
        return found, found.code, found.namespace
    finding = find(record.message)
    code = finding.value if finding else None
    if record.dialect == "ccm" and record.level == "error":
        found = Match(signature=signature("S28"), code=code)
    return found, code, finding.namespace if finding else None


def _text(data: bytes) -> str:
    """Decode a part of a log; Windows' own tools write UTF-16."""
    wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", "replace")


def _remedy(
    found: Match | None, code: int | None, namespace: str | None
) -> Remedy | None:
    """Return what can be done about a cause; about an echo there is nothing."""
    if namespace in _NOT_OF_WINDOWS or (code is not None and role_of(code) == "echo"):
        return None
    known = found.signature if found else None
    cause = cause_of(known.id if known else "", code, namespace)
    refused = known is not None and known.role in _REFUSAL_ROLES
    if known is not None and not (refused or remedied(known.id)):
        return None
    if found is not None and found.outcome != "failure":
        return None
    return for_cause(cause) if refused or cause != "unknown" else None


def _answer(
    text: str,
    readings: tuple[Reading, ...],
    found: Match | None,
    remedy: Remedy | None,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "input": text,
        "readings": [_reading(reading) for reading in readings],
    }
    if found is not None:
        launcher = by_app(found.app) or by_executable(found.exe)
        answer["signature"] = {
            "id": found.signature.id,
            "name": found.signature.name,
            "reason": found.signature.reason,
            "status": found.signature.status,
            "source": list(found.signature.source),
            "threat": msgspec.to_builtins(found.signature.threat),
            "agent": launcher.agent.name if launcher else "",
        }
    if remedy is not None:
        accounts = [
            msgspec.to_builtins(account)
            for account in ACCOUNTS
            if remedy.account and account.role != "boot"
        ]
        answer["remedy"] = msgspec.to_builtins(remedy) | {"accounts": accounts}
    return answer


def _reading(reading: Reading) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(reading)
    said = windows_text(reading.signed) if reading.namespace in _SYSTEM_TABLE else ""
    return plain | {"windows": said} if said else plain
