# SPDX-License-Identifier: Apache-2.0
"""What each panel has to show, written by hand from its definition."""

from tests.views.expected import host, integrity, overview, shipper, triage
from tests.views.expected.grouping import Expected

EXPECTED: dict[tuple[str, str], Expected] = {
    (dashboard, title): expected
    for dashboard, module in (
        ("sms-fleet-overview", overview),
        ("sms-host", host),
        ("sms-install-pending", triage),
        ("sms-integrity", integrity),
        ("sms-shipper-health", shipper),
    )
    for title, expected in module.PANELS.items()
}
"""By the dashboard's id and the panel's title."""
