# SPDX-License-Identifier: Apache-2.0
"""What transforms would have written, on a server that has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from shipper.stack import Kind, groups
from shipper.stack.assets import asset

_TRANSFORMS = ("sms-agent-state", "sms-host-state")


@contextmanager
def transformed(
    client: Elasticsearch, namespace: str, *, until: str = ""
) -> Iterator[None]:
    """Have an index for each transform beside a block, mapped as its template says.

    Args:
        client: of a server that holds the data streams.
        namespace: theirs; the indices are called after it.
        until: newest ``@timestamp`` that is read.
    """
    indices = {name: f"{name}-{namespace}" for name in _TRANSFORMS}
    for name, index in indices.items():
        mappings = asset(Kind.INDEX_TEMPLATE, name).body["template"]["mappings"]
        client.indices.create(index=index, mappings=mappings)
        found = groups(client, name, namespace=namespace, until=until)
        bulk(client, ({"_index": index, **one} for one in found), refresh=True)
    yield
    for index in indices.values():
        client.indices.delete(index=index)
