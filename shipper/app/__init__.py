# SPDX-License-Identifier: Apache-2.0
"""The composition root: the only package that knows every stage."""

from shipper.app.assembly import Assembly
from shipper.app.backfill import Backfill
from shipper.app.engine import Engine, Progress
from shipper.app.evidence import Evidence, evidence
from shipper.app.oneshot import documents
from shipper.app.redelivery import Redelivered, Redelivery
from shipper.app.replaying import Replayed, Replaying
from shipper.app.tailer import Tailer
from shipper.app.verification import Finding, Verification, Verified

__all__ = [
    "Assembly",
    "Backfill",
    "Engine",
    "Evidence",
    "Finding",
    "Progress",
    "Redelivered",
    "Redelivery",
    "Replayed",
    "Replaying",
    "Tailer",
    "Verification",
    "Verified",
    "documents",
    "evidence",
]
