# SPDX-License-Identifier: Apache-2.0
"""Record and knowledge to ECS event: documents, incidents, agent states."""

from shipper.enrich.enricher import Enricher
from shipper.enrich.members import ECS_VERSION
from shipper.enrich.sense import Senses
from shipper.enrich.status_document import (
    CollectorReport,
    SourceReport,
    collector_status,
    source_status,
)
from shipper.enrich.trail import Trail

__all__ = [
    "ECS_VERSION",
    "CollectorReport",
    "Enricher",
    "Senses",
    "SourceReport",
    "Trail",
    "collector_status",
    "source_status",
]
