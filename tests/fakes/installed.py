# SPDX-License-Identifier: Apache-2.0
"""What Elasticsearch answers when our templates are there."""

from tests.fakes.answering import Answer

LIST = ("GET", "/_index_template/logs-sms*")
"""Method and path by which they are asked for."""

_OURS = {"version": 1, "_meta": {"managed_by": "clisvc-shipper"}}

TEMPLATES_THERE = Answer(
    body={
        "index_templates": [
            {"name": f"logs-sms.{name}", "index_template": _OURS}
            for name in ("clisvc", "state")
        ]
    }
)
