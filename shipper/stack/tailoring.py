# SPDX-License-Identifier: Apache-2.0
"""What one server is sent: the objects of ``pipelines``, as far as it supports them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from shipper.config import SetupSettings
from shipper.stack.assets import Asset, Kind, assets
from shipper.stack.server import SUBSTITUTES, Server

Lifecycle = Literal["ilm", "dsl", ""]

LOGSDB = "logs-sms@logsdb"

_PIPELINES = frozenset({"default_pipeline", "final_pipeline"})


class Fitting(Struct, frozen=True, kw_only=True):
    """What the objects are fitted to.

    Attributes:
        server: what the server is.
        settings: what is wanted.
        lifecycle: what deletes old documents; empty: nothing does.
        lacking: kinds of objects the server does not have.
    """

    server: Server
    settings: SetupSettings
    lifecycle: Lifecycle
    lacking: Collection[Kind] = ()


def tailored(fitting: Fitting) -> Iterator[Asset]:
    """Yield what a server gets, in order, each as it understands it."""
    for one in assets():
        if one.kind in fitting.lacking or (
            one.name == LOGSDB and not fitting.settings.logsdb
        ):
            continue
        match one.kind:
            case Kind.ILM_POLICY:
                if fitting.lifecycle != "ilm":
                    continue
                body = _policy(one, fitting.settings)
            case Kind.COMPONENT_TEMPLATE:
                body = _component(_supported(one.body, fitting), fitting)
            case Kind.INDEX_TEMPLATE:
                body = _supported(one.body, fitting)
            case Kind.ROLE if Kind.ILM_POLICY in fitting.lacking:
                # A privilege to manage what there is not is unknown, too.
                kept = [each for each in one.body["cluster"] if each != "manage_ilm"]
                body = one.body | {"cluster": kept}
            case _:
                body = one.body
        yield msgspec.structs.replace(one, body=body)


def retention(policy: str, settings: SetupSettings) -> str:
    """Return how long a policy keeps documents, such as ``90d``."""
    days = {
        "logs-sms.records": settings.records_days,
        "logs-sms.state": settings.states_days,
        "logs-sms.shipper": settings.shipper_days,
    }
    return f"{days[policy]}d"


def _supported(body: Mapping[str, Any], fitting: Fitting) -> dict[str, Any]:
    """Return a template without what the server does not know or cannot run."""
    supported: dict[str, Any] = {}
    for key, value in body.items():
        if key == "data_stream_options" and not fitting.server.failure_store:
            continue
        if key in _PIPELINES and Kind.INGEST_PIPELINE in fitting.lacking:
            continue
        supported[key] = (
            _supported(value, fitting) if isinstance(value, Mapping) else value
        )
    # A field *called* type has a mapping as its value, not a word.
    kind = supported.get("type")
    if isinstance(kind, str) and kind in fitting.server.missing_types:
        supported["type"] = SUBSTITUTES[kind]
        supported.pop("value", None)
    return supported


def _policy(one: Asset, settings: SetupSettings) -> dict[str, Any]:
    policy = one.body["policy"]
    delete = policy["phases"]["delete"] | {"min_age": retention(one.name, settings)}
    phases = policy["phases"] | {"delete": delete}
    return {"policy": policy | {"phases": phases}}


def _component(body: dict[str, Any], fitting: Fitting) -> dict[str, Any]:
    """Take out policies the server has nothing for, and what is empty then."""
    template = dict(body["template"])
    index = dict(template.get("settings", {}).get("index", {}))
    if "lifecycle" in index and fitting.lifecycle != "ilm":
        policy = index.pop("lifecycle")["name"]
        if fitting.lifecycle == "dsl":
            template["lifecycle"] = {
                "enabled": True,
                "data_retention": retention(policy, fitting.settings),
            }
            if Kind.ILM_POLICY not in fitting.lacking:
                # The built-in settings name a policy, which would win.
                index["lifecycle"] = {"prefer_ilm": False}
    template.pop("settings", None)
    if index:
        template["settings"] = {"index": index}
    return body | {"template": template}
