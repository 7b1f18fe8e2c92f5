# SPDX-License-Identifier: Apache-2.0
"""What the words and numbers of the log mean: codes, signatures, agents, remedies.

Pure functions over data files that are read when first needed. Nothing here knows
Elasticsearch's field names but the ECS words a signature carries.
"""

from shipper.knowledge.agents import Agent, Launcher, agents, by_app, by_executable
from shipper.knowledge.causes import Cause, cause_of, level, role_of, severity
from shipper.knowledge.codes import Reading, explain, named, read
from shipper.knowledge.findings import Finding, find, may_have_code
from shipper.knowledge.remedies import Remedy, for_cause
from shipper.knowledge.rights import RIGHTS, SERVICE_ACCOUNT, Right
from shipper.knowledge.shapes import meaningful, shape
from shipper.knowledge.signatures import Match, Role, Signature, match, signatures

#: Documents carry it. Raise it with every change that gives a record that was shipped
#: before another meaning: an entry of a data file, a pattern, the rules of a finding.
#: Wording alone raises it too, because documents hold the words.
VERSION = "1"

__all__ = [
    "RIGHTS",
    "SERVICE_ACCOUNT",
    "VERSION",
    "Agent",
    "Cause",
    "Finding",
    "Launcher",
    "Match",
    "Reading",
    "Remedy",
    "Right",
    "Role",
    "Signature",
    "agents",
    "by_app",
    "by_executable",
    "cause_of",
    "explain",
    "find",
    "for_cause",
    "level",
    "match",
    "may_have_code",
    "meaningful",
    "named",
    "read",
    "role_of",
    "severity",
    "shape",
    "signatures",
]
