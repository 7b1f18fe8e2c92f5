# SPDX-License-Identifier: Apache-2.0
"""The composition root: the only package that knows every stage."""

from shipper.app.assembly import Assembly
from shipper.app.backfill import Backfill
from shipper.app.engine import Engine, Progress
from shipper.app.oneshot import documents
from shipper.app.reporter import Reporter
from shipper.app.tailer import Tailer

__all__ = [
    "Assembly",
    "Backfill",
    "Engine",
    "Progress",
    "Reporter",
    "Tailer",
    "documents",
]
