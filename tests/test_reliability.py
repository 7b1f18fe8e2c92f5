# SPDX-License-Identifier: Apache-2.0
"""docs/reliability.md says of reports from elsewhere that they are tested: they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_ROW = re.compile(r"^\| (.+?) \| .+ \| tested \|$", re.MULTILINE)


def _docstrings() -> list[str]:
    return [
        ast.get_docstring(node) or ""
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.Module)
    ]


def _references() -> list[tuple[str, str]]:
    """Return project and number; a number alone is of the project named before it."""
    document = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    references = []
    for cell in _ROW.findall(document):
        project = ""
        for part in re.sub(r"`| \(.+?\)", "", cell).split(", "):
            named, _, number = part.partition("#")
            named = named.removesuffix("PR").strip()
            project = named or project
            references.append((project, number))
    return references


REFERENCES = _references()
DOCSTRINGS = _docstrings()


def test_there_are_reports() -> None:
    """The document's tables are read as they are written."""
    assert ("elastic/beats", "1341") in REFERENCES
    assert ("vectordotdev/vector", "26334") in REFERENCES
    assert ("clean_removed", "") in REFERENCES
    assert len(REFERENCES) > 100


@pytest.mark.parametrize(("project", "number"), REFERENCES)
def test_report_is_named_by_a_test(project: str, number: str) -> None:
    """A docstring has the project, and the number if there is one."""
    sign = rf"#{number}\b" if number else ""

    assert any(project in text and re.search(sign, text) for text in DOCSTRINGS)
