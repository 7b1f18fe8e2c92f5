# SPDX-License-Identifier: Apache-2.0
"""The document as designed: every field and its type, written by hand."""

from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = {
    "keyword": """
        tags
        agent.type agent.version agent.id agent.name agent.ephemeral_id
        ecs.version
        error.code error.type
        event.kind event.category event.type event.action event.outcome event.reason
        event.code event.timezone event.provider event.original
        file.path
        host.name host.domain host.os.type
        log.level log.logger log.file.path log.origin.file.name
        observer.name observer.type observer.vendor observer.product observer.version
        process.name process.executable
        process.parent.name process.parent.executable
        related.hosts related.user
        rule.id rule.name rule.ruleset rule.version rule.reference
        threat.framework threat.tactic.id threat.tactic.name threat.tactic.reference
        threat.technique.id threat.technique.name threat.technique.reference
        threat.technique.subtechnique.id threat.technique.subtechnique.name
        threat.technique.subtechnique.reference
        user.name
        sms.agent.id sms.agent.name sms.agent.state sms.agent.previous_state
        sms.agent.cause sms.agent.confidence sms.agent.scope sms.agent.episode_id
        sms.agent.pending_since_source
        sms.error.hex sms.error.namespace sms.error.symbol sms.error.facility
        sms.error.role
        sms.host.name
        sms.incident.id sms.incident.root_code
        sms.knowledge.version
        sms.launch.name sms.launch.path sms.launch.executable
        sms.log.name sms.log.generation sms.log.flags
        sms.parse.dialect sms.parse.quality
        sms.record.component
        sms.shipper.sources_by_status.status
        sms.source.status
        sms.signature.status
        sms.remedy.id sms.remedy.rights sms.remedy.policies sms.remedy.account
        sms.remedy.references sms.remedy.events
        sms.time.source
    """,
    "constant_keyword": """
        data_stream.type data_stream.dataset data_stream.namespace
        event.module event.dataset
    """,
    "match_only_text": "message error.message sms.remedy.lasting sms.remedy.summary",
    "long": """
        event.severity event.sequence
        log.origin.file.line
        process.thread.id process.parent.thread.id
        sms.agent.episode sms.agent.cycles sms.agent.refusals sms.agent.order
        sms.error.value sms.error.signed
        sms.incident.seq
        sms.log.offset
        sms.record.thread
        sms.shipper.dead_lettered_delta sms.shipper.lost_bytes_delta
        sms.shipper.sources sms.shipper.sources_by_status.count
        sms.shipper.lag sms.shipper.unread_bytes
        sms.source.unread_bytes
    """,
    "boolean": """
        sms.agent.refused sms.agent.cycle_opened sms.agent.relapse sms.time.ambiguous
    """,
    "date": """
        @timestamp event.created event.ingested sms.agent.pending_since
        sms.source.first_seen sms.source.last_record sms.source.last_read_ok
        sms.shipper.oldest_unread sms.source.oldest_unread
    """,
}

#: Dotted name → type, on a server that knows all types.
DESIGNED = {name: kind for kind, names in _WORDS.items() for name in names.split()}


def leaves(
    properties: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the dotted name and the definition of each field of a mapping."""
    for name, definition in properties.items():
        if "properties" in definition:
            yield from leaves(definition["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, definition
