# SPDX-License-Identifier: Apache-2.0
"""The pipeline itself."""

from __future__ import annotations

import json
from typing import Any

from shipper.enrich.members import ECS_VERSION
from shipper.stack.assets import OWNER
from tools.pipeline.scripts import script
from tools.pipeline.tables import meanings, records, shape

VERSION = 1
NAME = f"logs-sms.clisvc-{VERSION}"

_WIDTH = 88
#: Documents of the shipper say all there is to say.
_RAW = (
    "!((ctx.agent instanceof Map && ctx.agent.type == 'clisvc-shipper') || "
    "(ctx.sms instanceof Map && ctx.sms.log instanceof Map && "
    "ctx.sms.log.generation != null))"
)


def build() -> dict[str, Any]:
    """Return the pipeline."""
    return {
        "description": "Records of the SMS client service log and of CCM logs: takes "
        "raw lines apart and says what they mean. What clisvc-shipper sends is only "
        "stamped.",
        "processors": list(_processors()),
        "on_failure": [
            _collector("failed"),
            {
                "append": {
                    "field": "error.message",
                    "tag": "append_failure",
                    "value": "Processor "
                    "{{{_ingest.on_failure_processor_type}}} with tag "
                    "{{{_ingest.on_failure_processor_tag}}} in pipeline "
                    "{{{_ingest.pipeline}}} failed with message: "
                    "{{{_ingest.on_failure_message}}}",
                }
            },
            {
                "set": {
                    "field": "event.kind",
                    "tag": "set_pipeline_error",
                    "value": "pipeline_error",
                }
            },
            {
                "append": {
                    "field": "tags",
                    "tag": "append_preserve_original_event",
                    "value": "preserve_original_event",
                    "allow_duplicates": False,
                }
            },
        ],
        "version": VERSION,
        "_meta": {
            "managed_by": OWNER,
            "version": VERSION,
            "description": "Written by tools/pipeline; not to be edited by hand.",
        },
    }


def text() -> str:
    """Return the pipeline as its file has it."""
    return _written(build(), 0) + "\n"


def _processors() -> list[dict[str, Any]]:
    return [
        {
            "script": {
                "tag": "script_tidy",
                "description": "What no field of its name can hold becomes text in "
                "sms.misplaced, which is not indexed",
                "if": _RAW,
                "lang": "painless",
                "source": script("tidy"),
                "params": {"shape": shape()},
            }
        },
        {
            "set": {
                "field": "event.ingested",
                "tag": "set_ingested",
                "copy_from": "_ingest.timestamp",
            }
        },
        _collector(),
        {
            "set": {
                "field": "@timestamp",
                "tag": "set_timestamp",
                "description": "Until the record's own is known",
                "if": f"{_RAW} && ctx['@timestamp'] == null",
                "copy_from": "_ingest.timestamp",
            }
        },
        {
            "append": {
                "field": "tags",
                "tag": "append_misplaced",
                "if": f"{_RAW} && ctx.sms?.misplaced != null",
                "value": "misplaced",
                "allow_duplicates": False,
            }
        },
        {
            "set": {
                "field": "ecs.version",
                "tag": "set_ecs_version",
                "if": _RAW,
                "value": ECS_VERSION,
            }
        },
        {
            "rename": {
                "field": "message",
                "target_field": "event.original",
                "tag": "rename_message",
                "if": f"{_RAW} && ctx.event?.original == null",
                "ignore_missing": True,
            }
        },
        {
            "remove": {
                "field": "message",
                "tag": "remove_message",
                "description": "event.original has it; message is written again below",
                "if": f"{_RAW} && ctx.event?.original != null",
                "ignore_missing": True,
            }
        },
        {
            "script": {
                "tag": "script_record",
                "description": "Trailer or envelope, time, thread and cleaned message",
                "if": _RAW,
                "lang": "painless",
                "source": script("record"),
                "params": records(),
            }
        },
        {
            "script": {
                "tag": "script_meaning",
                "description": "Signature, code, agent, program and remedy",
                "if": _RAW,
                "lang": "painless",
                "source": script("meaning"),
                "params": meanings(),
            }
        },
        {
            "append": {
                "field": "related.hosts",
                "tag": "append_related_hosts",
                "if": f"{_RAW} && ctx.host?.name != null",
                "value": "{{{host.name}}}",
                "allow_duplicates": False,
            }
        },
        {
            "pipeline": {
                "name": "logs-sms.clisvc@custom",
                "tag": "pipeline_custom",
                "description": "Yours, if you have one",
                "ignore_missing_pipeline": True,
            }
        },
    ]


def _collector(when: str = "raw") -> dict[str, Any]:
    """Return what names the collector of a raw line, by which rules and panels count.

    Args:
        when: makes the tag unique.

    What failed may not have been put in order before, so that each member is asked.
    """
    return {
        "set": {
            "field": "observer.name",
            "tag": f"set_observer_name_{when}",
            "description": "Who collects lines is known by the name of its agent",
            "if": f"{_RAW} && ctx.agent instanceof Map && ctx.agent.name != null && "
            "(ctx.observer == null || "
            "(ctx.observer instanceof Map && ctx.observer.name == null))",
            "copy_from": "agent.name",
        }
    }


def _written(value: Any, depth: int) -> str:  # noqa: ANN401 - any JSON
    """Write JSON with what fits into a line on one."""
    short = json.dumps(value, ensure_ascii=True)
    if len(short) + depth <= _WIDTH or not isinstance(value, (dict, list, tuple)):
        return short
    inside, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key)}: {_written(value[key], depth + 1)}" for key in value
        ]
        return f"{{\n{inside}" + f",\n{inside}".join(parts) + f"\n{end}}}"
    parts = [_written(part, depth + 1) for part in value]
    return f"[\n{inside}" + f",\n{inside}".join(parts) + f"\n{end}]"
