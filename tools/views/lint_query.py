# SPDX-License-Identifier: Apache-2.0
"""Whether a query can be read, and asks of fields what they can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tools.views.fields import kind
from tools.views.kql import Condition, KqlError, compiled, conditions

#: What values look like, by the kind of the field. Elasticsearch refuses others, or
#: finds nothing.
_VALUES = {
    "string": re.compile(r".+"),
    "match_only_text": re.compile(r".+"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
    "date": re.compile(r"now(-\d+[smhdwMy])?|\d{4}-\d\d-\d\d(T[\d:.]+Z)?"),
    "boolean": re.compile(r"true|false"),
}
_ORDERED = frozenset({"number", "date"})


def lint_query(
    where: str, query: Mapping[str, str], types: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with a query.

    Args:
        where: what it belongs to.
        query: language and text.
        types: the types of the fields it may ask for.
    """
    if query["language"] != "kuery":
        yield f"{where}: a query in {query['language']}, not in KQL"
        return
    try:
        found = compiled(query["query"])
    except KqlError as error:
        yield f"{where}: {error}"
        return
    for one in conditions(found):
        if one.field not in types:
            yield f"{where}: a query asks for {one.field}, which is not mapped"
        elif not _answered(one, types[one.field]):
            asked = f"{one.kind} {one.value}".rstrip()
            yield f"{where}: {asked} of {one.field}, which is {types[one.field]}"


def _answered(one: Condition, type_: str) -> bool:
    """Tell whether a field of a type can answer."""
    found = kind(type_) or type_
    match one.kind:
        case "exists":
            return found in _VALUES
        case "range" if found not in _ORDERED:
            return False
        case _:
            return found in _VALUES and bool(_VALUES[found].fullmatch(one.value))
