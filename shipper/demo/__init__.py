# SPDX-License-Identifier: Apache-2.0
"""A small fleet, tailed live into a real Elasticsearch, with proof that it is exact."""

from shipper.demo.demonstration import Demonstration, Result
from shipper.demo.findings import AgentFinding, Findings, findings
from shipper.demo.proof import Proof, prove

__all__ = [
    "AgentFinding",
    "Demonstration",
    "Findings",
    "Proof",
    "Result",
    "findings",
    "prove",
]
