# SPDX-License-Identifier: Apache-2.0
"""Kibana's query language, as far as our views speak it."""

from __future__ import annotations

import pytest

from tools.views.kql import KqlError, compiled, conditions


def test_everything() -> None:
    """An empty query finds everything."""
    assert compiled(" ") == {"match_all": {}}


def test_values_and_existence() -> None:
    """A word is matched, a quoted text as a phrase, a star asks for existence."""
    assert compiled("a.b: x") == {"match": {"a.b": "x"}}
    assert compiled('a: "x \\" y"') == {"match_phrase": {"a": 'x " y'}}
    assert compiled('"a.b": *') == {"exists": {"field": "a.b"}}
    assert compiled('a >= "now-1d"') == {"range": {"a": {"gte": "now-1d"}}}


def test_strength() -> None:
    """Not binds before and, and before or; a group is a value's or a query's."""
    assert compiled("a: 1 or b: 2 and not c: (3 or 4)") == {
        "bool": {
            "should": [
                {"match": {"a": "1"}},
                {
                    "bool": {
                        "filter": [
                            {"match": {"b": "2"}},
                            {
                                "bool": {
                                    "must_not": [
                                        {
                                            "bool": {
                                                "should": [
                                                    {"match": {"c": "3"}},
                                                    {"match": {"c": "4"}},
                                                ],
                                                "minimum_should_match": 1,
                                            }
                                        }
                                    ]
                                }
                            },
                        ]
                    }
                },
            ],
            "minimum_should_match": 1,
        }
    }


def test_conditions() -> None:
    """All a query asks is found, however deep: field, kind and value."""
    query = compiled('a: 1 and (b: * or not (c > 2 and d: "x y"))')

    assert sorted(conditions(query)) == [
        ("a", "match", "1"),
        ("b", "exists", ""),
        ("c", "range", "2"),
        ("d", "match_phrase", "x y"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a:",
        "a: (x",
        "a: x)",
        "a: x and",
        "a: x y: z",
        "and: x",
        "a: x*",
        'a: "x',
        "a > <",
        "a: or",
        "not",
    ],
)
def test_what_is_no_query(text: str) -> None:
    """Half queries, free text and wildcards within words are refused."""
    with pytest.raises(KqlError, match=r"is wanted|is not closed"):
        compiled(text)
