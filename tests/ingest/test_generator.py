# SPDX-License-Identifier: Apache-2.0
"""The pipeline's file is what the Python code makes of its own rules."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from shipper.knowledge import signatures
from tests.ingest.sides import PIPELINE
from tools.pipeline.__main__ import FOLDER
from tools.pipeline.body import NAME, text
from tools.pipeline.regex import alternatives, painless
from tools.pipeline.scripts import SCRIPTS, script


def test_file_is_as_generated() -> None:
    """Nobody changed a rule without writing the pipeline anew."""
    written = (FOLDER / f"{NAME}.json").read_text("utf-8")

    assert written == text(), "run: make pipelines"


def test_every_processor_has_a_tag_of_its_own() -> None:
    """A failure names the one processor it happened in."""
    both: list[dict[str, Any]] = PIPELINE["processors"] + PIPELINE["on_failure"]
    tags = Counter(
        options["tag"] for processor in both for options in processor.values()
    )

    assert set(tags.values()) == {1}


def test_failures_follow_the_convention() -> None:
    """A document that fails says so the way Elastic's integrations do."""
    *_, message, kind, tags = PIPELINE["on_failure"]

    told = message["append"]["value"]
    for part in (
        "_ingest.on_failure_processor_type",
        "_ingest.on_failure_processor_tag",
        "_ingest.pipeline",
        "_ingest.on_failure_message",
    ):
        assert f"{{{{{{{part}}}}}}}" in told
    assert kind["set"]["value"] == "pipeline_error"
    assert tags["append"]["value"] == "preserve_original_event"


def test_the_last_processor_is_the_users() -> None:
    """Whoever runs the cluster may add a pipeline of their own."""
    assert PIPELINE["processors"][-1]["pipeline"] == {
        "name": "logs-sms.clisvc@custom",
        "tag": "pipeline_custom",
        "description": "Yours, if you have one",
        "ignore_missing_pipeline": True,
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_left_to_fill_in(name: str) -> None:
    """A script has no field of a template in it."""
    assert "{{" not in script(name)


def test_every_signature_is_there() -> None:
    """Those that are found in records are tried in the order of the data file."""
    (meaning,) = (
        options["params"]
        for processor in PIPELINE["processors"]
        for options in processor.values()
        if options["tag"] == "script_meaning"
    )

    assert [one["event"]["code"] for one in meaning["signatures"]] == [
        one.id for one in signatures() if not one.inferred
    ]


@pytest.mark.parametrize(
    ("pattern", "flags", "written"),
    [
        (r"a b # c", re.VERBOSE | re.ASCII, "/(?d)ab/"),
        (
            r"(?P<code>\d++)\b",
            re.ASCII,
            r"/(?d)([\d]++)(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))/",
        ),
        (r"^[\s*/]*?$", re.ASCII, r"/(?d)\A[\s\x2a\x2f]*?(?=\x0a?\z)/"),
        (
            r"(?:ab){2,3}|c{4}?",
            re.ASCII | re.IGNORECASE,
            "/(?di)(?:(?:ab){2,3}|c{4}?)/",
        ),
        (
            r".(?<![-\w])é",
            re.ASCII | re.DOTALL,
            r"/(?d)[\x00-\uffff](?<![\x2d\w])\xe9/",
        ),
        (r"[^<\\]x\Z", 0, r"/(?d)[^<\x5c]x\z/"),
    ],
)
def test_expressions_in_java(pattern: str, flags: int, written: str) -> None:
    """Each part of an expression has its counterpart in Java."""
    assert painless(re.compile(pattern, flags)) == written


def test_a_condition_on_a_group_becomes_two_expressions() -> None:
    """Java has none."""
    pattern = re.compile(r"(?:(?P<a>x)|y)z(?(a)1|2)", re.ASCII)

    assert painless(pattern, ("a", True)) == "/(?d)(?:(x))z1/"
    assert painless(pattern, ("a", False)) == "/(?d)(?:y)z2/"


def test_alternatives_apart() -> None:
    """Each can be looked for by itself."""
    assert alternatives(re.compile("ab|c.", re.ASCII)) == ["/(?d)ab/", "/(?d)c./"]


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"(a)\1", re.ASCII),
        (r"\w", 0),
        (r"k", re.IGNORECASE),
        (r"^a", re.MULTILINE | re.ASCII),
    ],
)
def test_what_java_reads_otherwise_is_refused(pattern: str, flags: int) -> None:
    """An expression never changes its meaning in silence."""
    with pytest.raises(ValueError, match=r"flags|counterpart|letters"):
        painless(re.compile(pattern, flags))
