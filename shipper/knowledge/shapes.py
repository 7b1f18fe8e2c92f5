# SPDX-License-Identifier: Apache-2.0
"""Messages that differ only in their digits, and whether they can mean anything.

Most records say nothing a signature or a code would explain. Their *shape*, the message
with every digit as 0, is enough to know that, and a few shapes make up a whole log: a
caller keeps the answer per shape. What holds it together: for every message,
``meaningful(message) == meaningful(shape(message))``, because neither the signatures'
literals nor the choice of candidates for a code tell one digit from another.
"""

from __future__ import annotations

from shipper.knowledge import findings
from shipper.knowledge.signatures import Catalogue, built_in

_ZEROS = str.maketrans("123456789", "000000000")


def shape(message: str) -> str:
    """Replace every ASCII digit by 0.

    Args:
        message: the cleaned message of one record.
    """
    return message.translate(_ZEROS)


def meaningful(message: str, catalogue: Catalogue | None = None) -> bool:
    """Tell cheaply whether a message may fit a signature or hold a code.

    Args:
        message: the cleaned message of one record, or its shape.
        catalogue: the signatures; default: the built-in ones.

    Returns:
        ``False`` only if the catalogue's ``match`` and :func:`shipper.knowledge.find`
        both have nothing to say.
    """
    known = catalogue or built_in()
    return known.may_match(message) or findings.may_have_code(message)
