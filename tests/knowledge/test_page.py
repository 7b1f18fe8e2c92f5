# SPDX-License-Identifier: Apache-2.0
"""``docs/knowledge.md`` says what the data files say."""

import re
import tomllib
from pathlib import Path

from shipper.knowledge import VERSION, catalogue, signatures
from tools.knowledge import PAGE, filled

_TEXT = PAGE.read_text(encoding="utf-8")


def test_tables_are_those_of_the_data() -> None:
    """After a change of the data, ``python -m tools.knowledge`` has been run."""
    assert filled(_TEXT) == _TEXT


def test_damaged_table_is_noticed() -> None:
    """A signature that is missing from the page makes the test above fail."""
    without = "".join(
        line for line in _TEXT.splitlines(keepends=True) if "`S24`" not in line
    )

    assert without != _TEXT
    assert filled(without) == _TEXT


def test_every_signature_is_on_the_page() -> None:
    """One row each, in the order they are tried."""
    rows = re.findall(r"^\| `(S\d\d\w?)` \|", _TEXT, re.MULTILINE)

    assert rows == [signature.id for signature in signatures()]


def test_example_works_as_it_is_printed(tmp_path: Path) -> None:
    """The example of a user's file is one, and recognises the line it speaks of."""
    (example,) = re.findall(r"```toml\n(# own\.toml.*?)```", _TEXT, re.DOTALL)
    path = tmp_path / "own.toml"
    path.write_text(example, encoding="utf-8")
    found = catalogue(str(path)).match("PC Agent: Profile refused, code 1314")

    assert list(tomllib.loads(example)) == ["U01"]
    assert found is not None
    assert (found.signature.id, found.app, found.code) == ("U01", "PC Agent", 1314)
    assert f"`{VERSION}+" in _TEXT
