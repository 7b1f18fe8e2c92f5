# SPDX-License-Identifier: Apache-2.0
"""What Elasticsearch answers when our templates are there."""

from shipper.stack import assets
from tests.fakes.answering import Answer

LIST = ("GET", "/_index_template/*sms*")
"""Method and path by which they are asked for."""

TEMPLATES_THERE = Answer(
    body={
        "index_templates": [
            {"name": asset.name, "index_template": asset.body}
            for asset in assets()
            if asset.stream_patterns
        ]
    }
)
