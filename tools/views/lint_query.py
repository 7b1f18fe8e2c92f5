# SPDX-License-Identifier: Apache-2.0
"""Whether a query can be read, and asks for fields there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.views.kql import KqlError, compiled, fields


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
    for field in fields(found):
        if field not in types:
            yield f"{where}: a query asks for {field}, which is not mapped"
