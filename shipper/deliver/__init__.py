# SPDX-License-Identifier: Apache-2.0
"""Events to Elasticsearch: batches, back-off, one verdict for each document."""

from shipper.deliver.client import connect
from shipper.deliver.counts import Counts
from shipper.deliver.delivery import Delivery
from shipper.deliver.elastic import ElasticSink
from shipper.deliver.gate import Gate
from shipper.deliver.outbox import Outbox
from shipper.deliver.problems import explain, public_url
from shipper.deliver.refusal import too_large
from shipper.deliver.sink import Outage, Sink, TooLarge, Verdict

__all__ = [
    "Counts",
    "Delivery",
    "ElasticSink",
    "Gate",
    "Outage",
    "Outbox",
    "Sink",
    "TooLarge",
    "Verdict",
    "connect",
    "explain",
    "public_url",
    "too_large",
]
