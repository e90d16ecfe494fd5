"""The rule that the disclosure people can perceive is left out only by those who say why they may."""

from __future__ import annotations

from likeness.errors import RightsMissing
from likeness.types import Making


def check_rights(making: Making) -> None:
    """Refuse to leave out the label, or the disclaimer of a sound, without a statement of rights.

    Raises:
        RightsMissing
    """
    if making.label == "none" and making.rights is None:
        raise RightsMissing(
            "Leaving out the label needs a statement of why you may.",
            'Add --rights public-domain|synthetic|self|licensed --note "…" (rights=Rights("self", "…") in '
            "Python), or keep the label.",
        )
