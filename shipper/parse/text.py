# SPDX-License-Identifier: Apache-2.0
"""Bytes of whole lines to text.

The client writes in the code page of its Windows; copies of its logs are also met in
UTF-8 and UTF-16. Each line is decoded by itself, so one damaged line harms no other.
"""

from __future__ import annotations

import codecs

from shipper.errors import ShipperError
from shipper.records import Chunk, Encoding

#: White space as this package understands it. ``str.strip()`` would also take the
#: no-break space, which is an ordinary character of every ANSI code page.
BLANKS = " \t\r\n\v\f"

_EDGES = f"{BLANKS}~"

#: Start and end of a line in its generation (bytes), its bytes and its text.
Line = tuple[int, int, bytes, str]

_BOMS = {
    Encoding.ANSI: codecs.BOM_UTF8,
    Encoding.UTF_16_LE: codecs.BOM_UTF16_LE,
    Encoding.UTF_16_BE: codecs.BOM_UTF16_BE,
}

# Python leaves five bytes of cp1252 undefined; Windows maps them to C1 controls.
_CP1252 = "".join(
    byte.decode("cp1252" if byte not in b"\x81\x8d\x8f\x90\x9d" else "latin-1")
    for byte in (bytes([number]) for number in range(256))
)

# Escapes of utf-7, hz, unicode_escape and the like: a code page leaves them alone.
_PROBE = rb"$$<C:\x41\u0041> +AGE- ~{<thread=1>"


class UnknownCodePageError(ShipperError, ValueError):
    """No code page has that name.

    Args:
        name: the name as given.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f'No Windows code page is called "{name}".',
            remedy="Use a name such as cp1252 or cp932.",
        )


class Decoder:
    """Decodes the lines of one source.

    Args:
        code_page: what a line that is not valid UTF-8 is written in.

    Raises:
        UnknownCodePageError: the name is none, or its ASCII half is not ASCII.
    """

    def __init__(self, code_page: str) -> None:
        try:
            ascii_text = _PROBE.decode(code_page, "replace")
            known = ascii_text == _PROBE.decode("ascii")
            self._code_page = codecs.lookup(code_page).name
        except (LookupError, ValueError):
            known = False
        if not known:
            raise UnknownCodePageError(code_page)

    def lines(self, chunk: Chunk) -> list[Line]:
        r"""Split a chunk into lines.

        Blank lines are among them. A line end is ``\n`` with an optional ``\r``
        before it; it belongs to the line's extent, not to its bytes or text. The byte
        order mark at the very start stays in the bytes and leaves the text.
        """
        if chunk.encoding is Encoding.ANSI:
            lines = self._split_ansi(chunk)
        else:
            lines = _split_utf_16(chunk)
        if lines:
            start, _, raw, text = lines[-1]
            lines[-1] = (start, chunk.end, raw, text)
        if lines and chunk.start == 0:
            start, end, raw, _ = lines[0]
            body = raw.removeprefix(_BOMS[chunk.encoding])
            lines[0] = (start, end, raw, self._decode(body, chunk.encoding))
        return lines

    def _split_ansi(self, chunk: Chunk) -> list[Line]:
        data = chunk.data
        # The client ends every line alike, which saves a look at each of them.
        newline = "\r\n"
        rows = data.split(b"\r\n")
        alike = not rows[-1] and data.count(b"\n") == len(rows) - 1
        if not alike:
            newline = "\n"
            rows = data.split(b"\n")
        if not rows[-1]:
            rows.pop()
        try:
            # A chunk is valid UTF-8 exactly when each of its lines is.
            texts = data.decode("utf-8").split(newline)
        except UnicodeDecodeError:
            texts = [self._decode(row, chunk.encoding) for row in rows]
        lines = []
        start = chunk.start
        for row, text in zip(rows, texts, strict=False):
            end = start + len(row) + len(newline)
            if alike or not row.endswith(b"\r"):
                lines.append((start, end, row, text))
            else:
                lines.append((start, end, row[:-1], text[:-1]))
            start = end
        return lines

    def _decode(self, raw: bytes, encoding: Encoding) -> str:
        if encoding is not Encoding.ANSI:
            return raw.decode(encoding.value, "replace")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            if self._code_page == "cp1252":
                return codecs.charmap_decode(raw, "strict", _CP1252)[0]
            return raw.decode(self._code_page, "replace")


def _split_utf_16(chunk: Chunk) -> list[Line]:
    codec = chunk.encoding.value
    data = chunk.data
    newline = "\n".encode(codec)
    carriage_return = "\r".encode(codec)
    lines = []
    begin = 0
    while begin < len(data):
        at = data.find(newline, begin)
        while at >= 0 and (at - begin) % 2:  # halves of two neighbouring units
            at = data.find(newline, at + 1)
        end = len(data) if at < 0 else at + 2
        raw = data[begin : end if at < 0 else at]
        if len(raw) % 2 == 0:
            raw = raw.removesuffix(carriage_return)
        text = raw.decode(codec, "replace")
        lines.append((chunk.start + begin, chunk.start + end, raw, text))
        begin = end
    return lines


def clean(text: str) -> str:
    """Give a message as a person would have written it.

    The client writes ``~`` where a line break was (Q268500, Q236039): at both ends it
    is dropped together with white space, and inside a text two or more of them, with
    the white space around, become one blank. A single one inside is part of a short
    file name (``PROGRA~1``) and stays.
    """
    if "~~" in text:
        parts = (part.strip(_EDGES) for part in text.split("~~"))
        return " ".join(part for part in parts if part)
    return text.strip(_EDGES)
