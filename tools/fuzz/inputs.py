# SPDX-License-Identifier: Apache-2.0
"""Damaged logs and damaged files, drawn from the lines that the client writes."""

from __future__ import annotations

import random

_TRAILER = b"$$<CLISVCL.EXE><Wed Feb 12 10:10:04.253 2003><thread=52 (0x34)>"
_LINES = (
    b"Working set trimmed to 0 KB~  " + _TRAILER + b"\r\n",
    b"Verifying!!!WARNING: Problem starting App (5). Doing App Verify.\r\n",
    b"Error launching C:\\WINNT\\MS\\SMS\\hinv32.exe (1314)~  " + _TRAILER + b"\r\n",
    b"WARNING: Problem starting App (0x3EB). Doing App Verify.~  " + _TRAILER + b"\r\n",
    b"#$#$ ERROR: The Client Service is not authorised to run this application\r\n",
    b"a ~~ b  $$<A><Mon Nov 15 16:54:10.253 1999 Central Standard Time><thread=9>\n",
    b"x  $$<CCIM32><07-30-2018 00:00:00.620+420><thread=1 (0x1)>\r\n",
    b'<![LOG[a]LOG]!><time="10:00:00.000+480" date="01-01-2003" component="c">\r\n',
    b'{"message":"x","@timestamp":"1999-01-01T00:00:00Z"}\n',
    "Größe geändert \u20ac\r\n".encode("cp1252"),
    "Größe geändert \u20ac \U0001f600\r\n".encode(),
    b"\r\n",
)
_TOKENS = (
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\x00",
    b"\x00\n",
    b"\x0a\x0d",
    b"\0" * 16,
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"$$<",
    b"><",
    b"<thread=",
    b"(0x",
    b"~~",
    b"!!!",
    b"WARNING: ",
    b"\x1b[2J\x1b]0;x\x07",
    b"\x1a",
    b"\xe2\x80\xae",
    b"9" * 40,
    b"(" * 30,
    b'"}}\n{"create":{}}\n',
    _TRAILER,
)


def mutated(rng: random.Random, data: bytes, most: int = 6) -> bytes:
    """Return ``data`` with a few things done to it."""
    out = bytearray(data)
    for _ in range(rng.randint(0, most)):
        at = rng.randint(0, len(out))
        to = min(len(out), at + rng.choice((1, 2, 16, 200)))
        match rng.randrange(6):
            case 0:
                out[at:at] = rng.choice(_TOKENS)
            case 1:
                del out[at:to]
            case 2:
                out[at:at] = out[at:to]
            case 3:
                out[at:to] = rng.randbytes(to - at)
            case 4:
                del out[at:]
            case _ if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case _:
                pass
    return bytes(out)


def log_bytes(rng: random.Random) -> bytes:
    """Draw the bytes of a log: some lines, in some encoding, damaged."""
    whole = b"".join(rng.choices(_LINES, k=rng.randint(0, 4)))
    draw = rng.random()
    if draw < 0.1:
        codec = rng.choice(("utf-16-le", "utf-16-be"))
        whole = ("\ufeff" + whole.decode("cp1252", "replace")).encode(codec)
    elif draw < 0.15:
        whole = b"\xef\xbb\xbf" + whole
    return mutated(rng, whole)


def cuts(rng: random.Random, size: int) -> list[int]:
    """Draw where reads end."""
    return [*sorted(rng.randint(0, size) for _ in range(rng.randint(0, 5))), size]


def torn(rng: random.Random, data: bytes) -> bytes:
    """Damage a file as disks do: bytes, sectors, its end."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) or 1)
        match rng.randrange(5):
            case 0:
                out[at : at + 1] = rng.randbytes(1)
            case 1:
                sector = at & ~511
                out[sector : sector + 512] = bytes(512)
            case 2 if rng.random() < 0.2:
                del out[at:]
            case 3:
                out[at : at + 4] = rng.randbytes(4)
            case _:
                # Headers decide most, and are the smallest part.
                at = rng.randrange(min(200, len(out) or 1))
                out[at : at + 1] = rng.randbytes(1)
    return bytes(out)
