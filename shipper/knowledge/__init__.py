# SPDX-License-Identifier: Apache-2.0
"""What the words and numbers of the log mean: codes, signatures, agents, remedies.

Pure functions over data files that are read when first needed. Nothing here knows
Elasticsearch's field names but the ECS words a signature carries.
"""

from shipper.knowledge.agents import (
    Agent,
    Launcher,
    agents,
    by_app,
    by_executable,
    launchers,
)
from shipper.knowledge.causes import (
    Cause,
    cause_of,
    level,
    remedied,
    role_of,
    severity,
)
from shipper.knowledge.codes import Reading, explain, read
from shipper.knowledge.entries import ROLES, Role, Signature, Technique
from shipper.knowledge.findings import Finding, find, may_have_code
from shipper.knowledge.lookup import named, search, worded
from shipper.knowledge.own import catalogue
from shipper.knowledge.remedies import Remedy, for_cause
from shipper.knowledge.rights import ACCOUNTS, RIGHTS, Account, Right
from shipper.knowledge.shapes import meaningful, shape
from shipper.knowledge.signatures import (
    VERSION,
    Catalogue,
    Match,
    built_in,
    match,
    signature,
    signatures,
)

__all__ = [
    "ACCOUNTS",
    "RIGHTS",
    "ROLES",
    "VERSION",
    "Account",
    "Agent",
    "Catalogue",
    "Cause",
    "Finding",
    "Launcher",
    "Match",
    "Reading",
    "Remedy",
    "Right",
    "Role",
    "Signature",
    "Technique",
    "agents",
    "built_in",
    "by_app",
    "by_executable",
    "catalogue",
    "cause_of",
    "explain",
    "find",
    "for_cause",
    "launchers",
    "level",
    "match",
    "may_have_code",
    "meaningful",
    "named",
    "read",
    "remedied",
    "role_of",
    "search",
    "severity",
    "shape",
    "signature",
    "signatures",
    "worded",
]
