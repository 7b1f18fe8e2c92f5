# SPDX-License-Identifier: Apache-2.0
"""The accounts the client works with, and the user rights they need (KB828371)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Right(Struct, frozen=True, kw_only=True):
    """A user right.

    Attributes:
        constant: the name Windows uses in events, ``SeTcbPrivilege``.
        policies: its names in the policy editor, the older one first.
        kind: ``privilege`` (changes are events 4704 and 4705, formerly 608 and 609) or
            ``logon`` (4717 and 4718, formerly 621 and 622).
        purpose: what the client needs it for.
        symptom: what is seen when it is missing.
    """

    constant: str
    policies: tuple[str, ...]
    kind: Literal["privilege", "logon"]
    purpose: str
    symptom: str


#: All five rights of KB828371. 1314 does not say which of the first three is missing.
RIGHTS = (
    Right(
        constant="SeAssignPrimaryTokenPrivilege",
        policies=("Replace a process level token",),
        kind="privilege",
        purpose="Start an agent under another token.",
        symptom="1314 at launch (KB828371, KB320235).",
    ),
    Right(
        constant="SeIncreaseQuotaPrivilege",
        policies=("Increase quotas", "Adjust memory quotas for a process"),
        kind="privilege",
        purpose="Start an agent under another token.",
        symptom="1314 at launch (KB223138).",
    ),
    Right(
        constant="SeTcbPrivilege",
        policies=("Act as part of the operating system",),
        kind="privilege",
        purpose="Log the token account on (Windows NT 4 and 2000).",
        symptom="Consistent with 1314 at launch; no article shows it alone.",
    ),
    Right(
        constant="SeServiceLogonRight",
        policies=("Log on as a service",),
        kind="logon",
        purpose="Start the client service at all.",
        symptom="The service does not start and its log falls silent (KB280532).",
    ),
    Right(
        constant="SeShutdownPrivilege",
        policies=("Shut down the system",),
        kind="privilege",
        purpose="Restart the machine after an installation.",
        symptom="Consistent with 1314 or 5 at a restart; no article shows it alone.",
    ),
)


class Account(Struct, frozen=True, kw_only=True):
    """An account of the Legacy Client; the ampersand belongs to the name.

    Attributes:
        name: as Windows shows it, any case; ``<dc>`` stands for the name of a domain
            controller.
        role: ``service`` runs the client service, ``token`` lends agents their token,
            ``boot`` starts an installation that the site pushes.
        machines: where it is used.
        versions: of SMS that use it.
        references: articles that describe it.
    """

    name: str
    role: Literal["service", "token", "boot"]
    machines: Literal["member", "domain controller"]
    versions: tuple[Literal["2.0", "2003"], ...]
    references: tuple[str, ...]


_BOTH: tuple[Literal["2.0", "2003"], ...] = ("2.0", "2003")

#: SMS keeps their passwords itself; one that is set by hand locks the account out
#: (KB231399). Those of domain controllers are domain accounts, the others local ones.
ACCOUNTS = (
    Account(
        name="SMSCliSvcAcct&",
        role="service",
        machines="member",
        versions=_BOTH,
        references=("KB828371", "KB231399"),
    ),
    Account(
        name="SMS&_<dc>",
        role="service",
        machines="domain controller",
        versions=_BOTH,
        references=("KB199234",),
    ),
    Account(
        name="SMSCliToknAcct&",
        role="token",
        machines="member",
        versions=("2.0",),
        references=("KB231399", "KB278345"),
    ),
    Account(
        name="SMSCliToknLocalAcct&",
        role="token",
        machines="member",
        versions=("2003",),
        references=("TechNet cc181332",),
    ),
    Account(
        name="SMSCliToknAcct&",
        role="token",
        machines="domain controller",
        versions=_BOTH,
        references=("KB231399",),
    ),
    Account(
        name="SMSCCMBootAcct&",
        role="boot",
        machines="member",
        versions=_BOTH,
        references=("TechNet cc181332",),
    ),
    Account(
        name="SMS#_<dc>",
        role="boot",
        machines="domain controller",
        versions=_BOTH,
        references=("KB311127",),
    ),
)
