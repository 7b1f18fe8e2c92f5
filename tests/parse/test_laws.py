# SPDX-License-Identifier: Apache-2.0
"""Laws of parsing that hold for any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.parse import Neighbour, Parsed, Parser, Zones, first_time
from shipper.records import Chunk, Encoding, Record

ZONES = Zones(default_zone="America/Chicago")
READ_MS = 1_100_000_000_000
GLUED = b"Verifying!!!WARNING: Problem starting App (5). Doing App Verify."

# "ci" is Hypothesis' own profile on a build server, unless another is registered.
_IN_CI = settings.get_current_profile_name() == "ci"
THOROUGH = settings(
    max_examples=max(10_000 if _IN_CI else 0, settings().max_examples), deadline=None
)

_COMPONENTS = st.sampled_from(
    ["CCIM32", r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE", "A B"]
)
_TIMES = st.sampled_from(
    [
        "Mon Nov 15 16:54:10.253 1999",
        "Wed Jul 4 9:46:43.146 2001 Central Standard Time",
        "Wed Jul 04 09:46:43.146 2001 Olympus Mons Standard Time",
        "Wed May 10 09:15:12.360 2000 ",
        "Sun Oct 29 01:30:59.999 2000 Central Daylight Time",
        "07-30-2018 00:00:00.620+420",
        "11-30-2022 01:03:34.179-60",
        "Wed Feb 30 10:00:00.000 2000",
        "Wed Feb  2 10:00:00.000 2000",
        "Mon Nov 15 16:54:1.1120 1999",
        "02-30-2022 01:03:34.179-60",
        "11-30-2022 01:03:34.179+9999",
    ]
)
_THREADS = st.sampled_from(
    ["52 (0x34)", "0 (0x0)", "53 (0x34)", "52", "4294967295 (0xFFFFFFFF)"]
)
_MESSAGES = st.one_of(
    st.sampled_from(
        [
            "",
            "~",
            "a ~~ b",
            r"C:\PROGRA~1\x.exe",
            "$$<X> $",
            "*** Hinv - Error launching (#0x5)",
            GLUED.decode(),
            "#$#$ ERROR: The Client Service is not authorised to run",
        ]
    ),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])),
)


@st.composite
def legacy_lines(draw: st.DrawFn) -> bytes:
    """Draw lines with a trailer, mostly of the regular forms."""
    gap = draw(st.sampled_from(["  ", "~  ", " ", ""]))
    text = (
        f"{draw(_MESSAGES)}{gap}$$<{draw(_COMPONENTS)}><{draw(_TIMES)}>"
        f"<thread={draw(_THREADS)}>"
    )
    return text.encode("utf-8")


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    """Draw lines of records in envelopes, or of parts of them."""
    text = draw(_MESSAGES)
    time = draw(
        st.sampled_from(["10:22:50.842-60", "10:22:50.8422964", "25:00:00.000"])
    )
    start = draw(st.sampled_from(["<![LOG[", "[<![LOG[", ""]))
    end = f']LOG]!><time="{time}" date="3-4-2015" component="X" type="1" thread="8">'
    return f"{start}{text}{draw(st.sampled_from([end, end[:40], '']))}".encode()


LINES = st.one_of(
    legacy_lines(),
    st.sampled_from([b"", b" \t", b"Working", GLUED, b"x  $$<SMS_X>", b"\xe4 \x81"]),
    envelopes(),
    st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")),
)
ENDS = st.sampled_from([b"\n", b"\r\n"])


def chunk_of(data: bytes, start: int = 0) -> Chunk:
    """Make a chunk that ends with its data."""
    return Chunk(start=start, data=data, end=start + len(data))


def parse(data: bytes) -> Parsed:
    """Parse a generation as one chunk."""
    return Parser(ZONES).parse(chunk_of(data), None, READ_MS)


@given(legacy_lines())
def test_fast_and_careful_path_agree(line: bytes) -> None:
    """Whatever the fast path takes, the careful one reads the same."""
    parser = Parser(ZONES)
    (row,) = parser._decoder.lines(chunk_of(line))

    for _ in ("cold", "warm"):
        record = parser._regular(row)
        assert record is None or [record] == parser._careful(row, (0, "UTC", "read"))


@given(LINES.filter(lambda line: b"\0" not in line), ENDS)
def test_first_time_agrees_with_the_parser(line: bytes, end: bytes) -> None:
    """What the tailer takes for a timed record is one, and the other way round."""
    parsed = parse(line + end)

    assert (first_time(line + end) is not None) == (parsed.neighbour is not None)


@given(st.lists(st.tuples(LINES, ENDS), max_size=12), st.data())
def test_chunking_changes_nothing(
    rows: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    """Any split at line ends behind the first timed record gives the same records."""
    lines = [line + end for line, end in rows]
    whole = parse(b"".join(lines))
    parser = Parser(ZONES)

    records: list[Record] = []
    neighbour: Neighbour | None = None
    start = 0
    pending = b""
    for line in lines:
        pending += line
        trial = parser.parse(chunk_of(pending, start), neighbour, READ_MS, final=False)
        if trial.neighbour is not None and data.draw(st.booleans()):
            records += trial.records
            pending = pending[trial.end - start :]
            start, neighbour = trial.end, trial.neighbour
    rest = parser.parse(chunk_of(pending, start), neighbour, READ_MS)

    assert records + rest.records == whole.records
    assert (rest.end, rest.neighbour) == (whole.end, whole.neighbour)


def check_account(chunk: Chunk, parsed: Parsed, newline: bytes) -> None:
    """Check that records' lines and blank lines rejoin to the input."""
    at = chunk.start
    for record in parsed.records:
        if record.sub > 1:
            continue
        blank = chunk.data[at - chunk.start : record.start - chunk.start]
        line = chunk.data[record.start - chunk.start : record.end - chunk.start]
        assert blank.strip(b" \t\r\n\v\f\0\xef\xbb\xbf\xff\xfe") == b""
        assert line.startswith(record.raw)
        assert line[len(record.raw) :].strip(b"\0") in {
            b"",
            b"\r",
            b"\n",
            b"\r\n",
            b"\r\0\n",
        }
        single = newline not in record.raw or len(newline) > 1
        assert single or record.dialect == "ccm"
        at = record.end
    assert (
        chunk.data[at - chunk.start :].strip(b" \t\r\n\v\f\0\xef\xbb\xbf\xff\xfe")
        == b""
    )


@pytest.mark.timeout(300)
@THOROUGH
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=6).map(b"".join),
    ),
    st.sampled_from(Encoding),
)
def test_any_bytes_are_accounted_for(data: bytes, encoding: Encoding) -> None:
    """Parsing never raises, and no byte is lost or told twice."""
    chunk = Chunk(start=0, data=data, end=len(data), encoding=encoding)
    codec = "ascii" if encoding is Encoding.ANSI else encoding.value

    parsed = Parser(ZONES).parse(chunk, None, READ_MS)

    check_account(chunk, parsed, "\n".encode(codec))
    assert parsed.end == len(data)
    for record in parsed.records:
        record.original.encode()
        assert record.thread is None or 0 <= record.thread < 2**32
