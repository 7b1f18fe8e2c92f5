# SPDX-License-Identifier: Apache-2.0
"""What somebody has to look at, and what to do about it: the rules and their alerts."""

from shipper.alerts.access import any_data
from shipper.alerts.evaluation import Alert, evaluate
from shipper.alerts.exceptions import Silence, excepted, silences
from shipper.alerts.rules import LEVELS, Rule, every, rules, seconds

__all__ = [
    "LEVELS",
    "Alert",
    "Rule",
    "Silence",
    "any_data",
    "evaluate",
    "every",
    "excepted",
    "rules",
    "seconds",
    "silences",
]
