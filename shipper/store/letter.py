# SPDX-License-Identifier: Apache-2.0
"""A refused document as one line of JSON, and back."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from shipper.records import DOCUMENT_HEAD, DeadLetter, Stream


class _Error(Struct, frozen=True, kw_only=True):
    type: str = ""
    reason: str = ""


class _Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the file; a document that is no JSON is kept in base64."""

    time_ms: int
    id: str
    stream: Stream
    host: str
    log: str
    status: int
    error: _Error
    document: Raw | UnsetType = UNSET
    document_base64: bytes = b""


class _DataStream(Struct, frozen=True, kw_only=True):
    namespace: str = ""


class _Named(Struct, frozen=True, kw_only=True):
    data_stream: _DataStream = _DataStream()


#: Stream, namespace and id: what Elasticsearch knows a document by.
Key = tuple[Stream, str, str]

_END_MS = 253_402_300_800_000  # the year 10000

_lines = msgspec.json.Decoder(_Line)
_named = msgspec.json.Decoder(_Named)
_encode = msgspec.json.Encoder().encode


class Letter(Struct, frozen=True, kw_only=True):
    """A refused document as it was kept.

    Attributes:
        time_ms: when it was refused last, in milliseconds since 1970.
        id: of the document.
        stream: the data set it belongs to.
        namespace: of its data stream; empty if the document does not say.
        host: whose log it came from.
        log: logical name of that log.
        status: HTTP status of the item.
        error_type: Elasticsearch's name of the fault.
        reason: its words.
        document: the bytes that were sent.
        times: how often it is in the file.
    """

    time_ms: int
    id: str
    stream: Stream
    namespace: str
    host: str
    log: str
    status: int
    error_type: str
    reason: str
    document: bytes
    times: int = 1

    @property
    def key(self) -> Key:
        """What Elasticsearch knows the document by."""
        return self.stream, self.namespace, self.id

    @property
    def sendable(self) -> bool:
        """It can stand in a bulk request without harm to its neighbours."""
        return self.document.startswith(DOCUMENT_HEAD) and b"\n" not in self.document


class Damaged(Struct, frozen=True, kw_only=True):
    """A line that is no letter.

    Attributes:
        line: its number, from 1 on.
    """

    line: int


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a document was refused again.

    Attributes:
        status: HTTP status of the item.
        error_type: Elasticsearch's name of the fault.
        reason: its words.
    """

    status: int
    error_type: str
    reason: str


def line_of(letter: DeadLetter, now_ms: int) -> bytes:
    """Return a letter's line, without its end."""
    document = letter.event.document
    line = _Line(
        time_ms=now_ms,
        id=letter.event.id,
        stream=letter.event.stream,
        host=letter.source.host,
        log=letter.source.log,
        status=letter.status,
        error=_Error(type=letter.error_type, reason=letter.reason),
    )
    if _is_json(document):
        return _encode(replace(line, document=Raw(document)))
    return _encode(replace(line, document_base64=document))


def _is_json(document: bytes) -> bool:
    """Tell whether a document may stand in a line as it is."""
    try:
        msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return b"\n" not in document


def letter_in(raw: bytes) -> Letter | None:
    """Return the letter in a line of the file, or ``None`` if it holds none."""
    try:
        line = _lines.decode(raw)
        document = line.document_base64
        namespace = ""
        if line.document is not UNSET:
            document = bytes(line.document)
            namespace = _named.decode(document).data_stream.namespace
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not (document and 0 <= line.time_ms < _END_MS):
        return None
    return Letter(
        time_ms=line.time_ms,
        id=line.id,
        stream=line.stream,
        namespace=namespace,
        host=line.host,
        log=line.log,
        status=line.status,
        error_type=line.error.type,
        reason=line.error.reason,
        document=document,
    )


def renewed(raw: bytes, refusal: Refusal, now_ms: int) -> bytes:
    """Return a letter's line with another time and reason."""
    return _encode(
        replace(
            _lines.decode(raw),
            time_ms=now_ms,
            status=refusal.status,
            error=_Error(type=refusal.error_type, reason=refusal.reason),
        )
    )
