# SPDX-License-Identifier: Apache-2.0
"""The part of Kibana's query language that rules are written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.alerts.dsl import anchor, dsl
from shipper.alerts.kql import (
    All,
    Any,
    Is,
    KqlError,
    Not,
    Range,
    Value,
    fields,
    globbed,
    parse,
    quoted,
)


def test_binding() -> None:
    """``not`` binds more tightly than ``and``, and that more tightly than ``or``."""
    a, b, c = (Is(name, (Value("1"),)) for name in "abc")

    assert parse("a: 1 or not b: 1 and c: 1") == Any((a, All((Not(b), c))))
    assert parse("(a: 1 or not b: 1) and c: 1") == All((Any((a, Not(b))), c))


def test_values() -> None:
    """A value is bare or quoted, one or several; only a bare ``*`` is a wildcard."""
    assert parse("a.b: (x or y*)") == Is("a.b", (Value("x"), Value("y*", glob=True)))
    assert parse('a: "x y*"') == Is("a", (Value("x y*"),))
    assert parse(r"a: x\*") == Is("a", (Value("x*"),))
    assert parse('@timestamp >= "now-50h"') == Range("@timestamp", ">=", "now-50h")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a field is expected, not nothing"),
        ("a", "a colon is expected, not nothing"),
        ("a: ", "a value is expected, not nothing"),
        ("a: 1 b: 2", "the end is expected, not b"),
        ("a: (1 and 2)", "a closing parenthesis is expected, not and"),
        ("(a: 1", "a closing parenthesis is expected, not nothing"),
        ("a: 1 and", "a field is expected, not nothing"),
        ("a: or", "a value is expected, not or"),
        ('a: "x', "cannot be read"),
        ("a*: 1", "a field is expected, not a*"),
        ("a == 1", "a colon is expected"),
    ],
)
def test_what_it_refuses(text: str, reason: str) -> None:
    """A query outside the language is refused with the place where it leaves it."""
    with pytest.raises(KqlError) as caught:
        parse(text)

    assert reason in str(caught.value)


@given(st.text(min_size=1))
def test_quoting(text: str) -> None:
    """Any text can be quoted, and stands for itself."""
    assert parse(f"a: {quoted(text)}") == Is("a", (Value(text),))


def test_globs() -> None:
    """In a pattern only the ``*`` has a meaning."""
    pattern = r"*\bin\odp(1)*.exe"

    assert parse(f"a: {globbed(pattern)}") == Is("a", (Value(pattern, glob=True),))
    assert parse(f"a: {globbed('x y')}") == Is("a", (Value("x y"),))


def test_fields() -> None:
    """Each comparison's field is named."""
    assert [*fields(parse("a: 1 and not (b > 2 or c: *)"))] == ["a", "b", "c"]


def test_as_elasticsearch_is_asked() -> None:
    """Equality, lists, wildcards, existence, bounds and negation as the server has."""
    asked = dsl(
        parse(r"a: 1 and b: (1 or 2) and c: x\\* and d: * and not e > now-1h"),
        now=anchor(1_046_066_400_250),
    )

    assert asked == {
        "bool": {
            "filter": [
                {"term": {"a": {"value": "1"}}},
                {"terms": {"b": ["1", "2"]}},
                {"wildcard": {"c": {"value": "x\\\\*"}}},
                {"exists": {"field": "d"}},
                {
                    "bool": {
                        "must_not": [
                            {"range": {"e": {"gt": "2003-02-24T06:00:00.250Z||-1h"}}}
                        ]
                    }
                },
            ]
        }
    }
    assert dsl(parse("a: (x or y*)")) == {
        "bool": {
            "should": [
                {"wildcard": {"a": {"value": "y*"}}},
                {"term": {"a": {"value": "x"}}},
            ],
            "minimum_should_match": 1,
        }
    }
