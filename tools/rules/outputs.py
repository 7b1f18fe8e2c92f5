# SPDX-License-Identifier: Apache-2.0
"""All compiled files, as text by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from shipper.alerts import Rule, Silence, every
from tools.rules import elastalert, security, sigma, stack

_SPDX = "# SPDX-License-Identifier: Apache-2.0\n"


class _Dumper(yaml.SafeDumper):
    """Indents lists, as people write them."""

    def increase_indent(
        self,
        flow: bool = False,  # noqa: FBT001, FBT002  the library's signature
        indentless: bool = False,  # noqa: FBT001, FBT002, ARG002  the same
    ) -> None:
        super().increase_indent(flow, False)


def outputs(
    entries: Sequence[Silence], table: Mapping[str, Rule] | None = None
) -> dict[str, str]:
    """Return the content of each file by its name.

    Args:
        entries: exceptions, which go into every form.
        table: the rules by id; default: all there are.
    """
    rules = (table or every()).values()
    made = {
        "security.ndjson": "".join(
            f"{json.dumps(security.rule(rule, entries), sort_keys=True)}\n"
            for rule in rules
            if "security" in rule.uuid
        ),
        "stack.json": _json(
            {
                "connectors": [stack.CONNECTOR],
                "rules": [
                    {"id": rule.uuid["stack"], "body": stack.rule(rule, entries)}
                    for rule in rules
                    if "stack" in rule.uuid
                ],
            }
        ),
    }
    for rule in rules:
        if documents := sigma.documents(rule, entries):
            made[f"sigma/{rule.id}.yml"] = _SPDX + yaml_of(*documents)
        if (found := elastalert.rule(rule, entries)) is not None:
            made[f"elastalert/{rule.id}.yml"] = _SPDX + yaml_of(found)
    return made


def yaml_of(*documents: Mapping[str, Any]) -> str:
    """Return documents as YAML, members in their own order."""
    text: str = yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True
    )
    return text


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=2, sort_keys=True)}\n"
