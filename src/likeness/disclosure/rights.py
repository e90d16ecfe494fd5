"""The rule that the disclosure people can perceive is left out only by those who say why they may."""

from __future__ import annotations

from likeness.errors import ConsentScope, RightsMissing
from likeness.types import Making


def check_rights(making: Making) -> None:
    """Refuse to leave out the label, or the disclaimer of a sound, without a statement of rights.

    A consent record says whether it may be left out, and then a statement of rights cannot change that.

    Raises:
        RightsMissing: there is neither.
        ConsentScope: the record does not allow it.
    """
    if making.label != "none":
        return
    if making.consent is not None:
        if not making.consent.may_leave_out_label:
            raise ConsentScope(
                "The consent record does not allow leaving out the label.",
                "Keep the label, or ask the person for a record that allows it.",
            )
    elif making.rights is None:
        raise RightsMissing(
            "Leaving out the label needs a statement of why you may.",
            'Add --rights public-domain|synthetic|self|licensed --note "…" (rights=Rights("self", "…") in '
            "Python), or keep the label.",
        )
