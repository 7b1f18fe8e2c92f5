# SPDX-License-Identifier: Apache-2.0
"""Was everything shipped, and if not: what is missing, why, and sending it again."""

from shipper.audit.evidence import Evidence, evidence
from shipper.audit.redelivery import Redelivered, Redelivery
from shipper.audit.replaying import Replayed, Replaying
from shipper.audit.verification import Finding, Verification, Verified

__all__ = [
    "Evidence",
    "Finding",
    "Redelivered",
    "Redelivery",
    "Replayed",
    "Replaying",
    "Verification",
    "Verified",
    "evidence",
]
