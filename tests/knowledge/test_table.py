# SPDX-License-Identifier: Apache-2.0
"""The table of codes: complete, sorted, and found again row by row."""

import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from shipper.knowledge import library, table

CONTENT = library.text("codes.tsv")
ROWS = [line.split("\t") for line in CONTENT.splitlines()]


def test_every_row_is_found_again() -> None:
    """Bisection gives what a plain scan of the file gives, for every row."""
    scanned: dict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for key, names in ROWS:
        scanned[int(key[:8], 16)][table.FAMILIES[key[8]]] = tuple(names.split("|"))

    assert {value: table.symbols(value) for value in scanned} == scanned


def test_file_is_sorted_and_complete() -> None:
    """3,627 Win32, 4,716 HRESULT and 3,000 NTSTATUS rows, in the order of bytes."""
    keys = [key for key, _ in ROWS]

    assert keys == sorted(set(keys))
    assert Counter(key[8] for key in keys) == {"W": 3627, "H": 4716, "N": 3000}


def test_file_has_unix_line_ends() -> None:
    """The rows are the file's bytes, so that it diffs well and needs no repair."""
    content = bytes(library.mapped("codes.tsv"))

    assert content == CONTENT.encode("ascii")
    assert b"\r" not in content


@pytest.mark.parametrize("value", [0x522 + 0x10000000, 0xFFFFFFFF, 0x7FFFFFFF])
def test_missing_code(value: int) -> None:
    """A code without a row has no symbols."""
    assert table.symbols(value) == {}


@pytest.mark.parametrize(
    "rows",
    [
        b"00000005W\tA|B\n00000006H\tC\n00000006W\tD\n",
        b"00000005W\tA|B\r\n00000006H\tC\r\n00000006W\tD\r\n",
        b"00000005W\tA|B\n00000006H\tC\n00000006W\tD",
    ],
    ids=["unix", "windows", "unended"],
)
def test_any_line_end(rows: bytes) -> None:
    """A copy with other line ends, or without the last, reads the same."""
    assert table.search(rows, 5) == {"win32": ("A", "B")}
    assert table.search(rows, 6) == {"hresult": ("C",), "win32": ("D",)}
    assert table.search(rows, 4) == table.search(rows, 7) == {}


def test_empty_table() -> None:
    """No rows, no symbols."""
    assert table.search(b"", 5) == {}


def test_package_inside_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the data are no real file they are read instead of mapped."""
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        archive.writestr("data/codes.tsv", "00000005W\tA\n")

        monkeypatch.setattr(
            "importlib.resources.files", lambda _: zipfile.Path(archive)
        )
        rows = library.mapped("codes.tsv")

    assert table.search(rows, 5) == {"win32": ("A",)}
