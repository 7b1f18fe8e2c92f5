# SPDX-License-Identifier: Apache-2.0
"""Record and knowledge to ECS event: documents, incidents, agent states."""

from shipper.enrich.document import ECS_VERSION
from shipper.enrich.enricher import Enricher
from shipper.enrich.sense import Senses
from shipper.enrich.trail import Trail

__all__ = ["ECS_VERSION", "Enricher", "Senses", "Trail"]
