# SPDX-License-Identifier: Apache-2.0
"""The rules as people read them: the last part of ``docs/alerts.md``."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.alerts import LEVELS, Rule, rules

#: What is behind it is written anew.
MARK = "<!-- From here on written by `python -m tools.rules`: change the sources. -->\n"

_FORMS = {
    "security": "Elastic Security",
    "stack": "Kibana's own rules",
    "sigma": "Sigma and ElastAlert 2",
}


def manual() -> str:
    """Return the part, with its mark."""
    return MARK + "".join(_chapter(rule) for rule in rules().values())


def _chapter(rule: Rule) -> str:
    return "\n".join([f"\n## {rule.id}: {rule.name}\n", *_lines(rule)])


def _lines(rule: Rule) -> Iterator[str]:
    yield f"{rule.why}\n"
    yield "| | |\n|---|---|"
    for name, value in _facts(rule):
        yield f"| {name} | {value} |"
    if many := rule.widespread():
        yield f"\n**{many.name}** ({_severity(many)}; {_raised(many)}). {many.why}"
    yield "\n**What to do**\n"
    yield from (f"{number}. {step}" for number, step in enumerate(rule.todo, 1))
    yield "\n**What else it may be**\n"
    yield from (f"- {each}" for each in rule.false_positives)
    yield "\n**Tuning**\n"
    yield from (f"- {each}" for each in rule.tune)
    yield f"\n**Closed when:** {rule.close}\n"


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "Looks at", ", ".join(f"`logs-{data}-*`" for data in rule.data)
    yield "for", f"`{rule.query}`"
    for age in rule.times:
        bounds = " and ".join(
            f"{words} than {limit}"
            for words, limit in (("older", age.older), ("younger", age.younger))
            if limit
        )
        yield "where", f"the {age.pick} `{age.field}` is {bounds}"
    yield "Raises", _raised(rule)
    yield "Severity", _severity(rule)
    for step in rule.ladder:
        yield "", f"{step.severity} {LEVELS[step.severity]} if `{step.when}`"
    if rule.alone:
        yield "", f"{rule.alone} {LEVELS[rule.alone]} if one host alone has it"
    if (states := rule.states) is not None:
        yield "Not if", f"the newest state of each agent is {' or '.join(states.over)}"
        if states.grave:
            level = f"{states.severity} {LEVELS[states.severity]}"
            yield "", f"{level} if the newest state of one is a failing one"
    if rule.unless:
        yield "Not while", f"{rule.unless} speaks of the collector that reads it"
    forms = [text for form, text in _FORMS.items() if form in rule.uuid]
    yield "Forms", ", ".join([*forms, "`clisvc alerts`"])
    if rule.attack is not None:
        yield (
            "Consistent with",
            ", ".join(
                f"{one.id} {one.name}"
                for tactic in rule.attack.tactics
                for one in tactic.techniques
            )
            + f" (ATT&CK {rule.attack.version})",
        )


def _raised(rule: Rule) -> str:
    by = ", ".join(f"`{field}`" for field in rule.by)
    if rule.count is None or rule.each:
        return f"one alert for each {by}"
    counted = f"different `{rule.count.of}`" if rule.count.of else "documents"
    least = f"{rule.count.at_least} or more {counted}"
    return f"one alert for each {by} with {least} in {rule.arrival}"


def _severity(rule: Rule) -> str:
    return f"{rule.severity} {LEVELS[rule.severity]}"
