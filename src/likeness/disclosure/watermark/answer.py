"""What the watermark of a file says, held against what its credentials say of it, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from likeness.disclosure.credentials.statement import State
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.watermark.find import Mark, find_mark
from likeness.disclosure.watermark.imprint import act_of, id_of
from likeness.errors import MediaError


@dataclass(frozen=True, slots=True)
class Watermark:
    """What was found of the imperceptible mark in the picture or sound itself.

    Attributes:
        found: whether there is one.
        payload: the 32 bits it carries, or None (also where sound is marked, but too worn to be read).
        confidence: 0…1, cosine between what was read and what was written; 0 where nothing was found, None
            where it could not be looked for.
        where: what carries it, picture or sound; "" where nothing was found.
        at_s: where the piece of the file begins in which it was found, s.
        act: what the payload says was done, such as "animate".
        manifest: how the name of the manifest begins to which the payload points, after "urn:c2pa:".
        stated: the payload that the credentials state, or None.
    """

    found: bool = False
    payload: int | None = None
    confidence: float | None = None
    where: Literal["picture", "sound", ""] = ""
    at_s: float = 0.0
    act: str = ""
    manifest: str = ""
    stated: int | None = None


NOT_SEARCHED = Watermark()


def look_for_mark(
    path: Path, kind: str, state: State, stated: int | None
) -> tuple[Watermark, tuple[str, ...]]:
    """The watermark of a file, and what there is to say about it.

    Args:
        path: the file.
        kind: its media type.
        state: of its credentials.
        stated: the payload that its credentials state, or None.
    """
    try:
        mark = find_mark(path, kind)
    except MediaError as error:
        what = one_line(error.what.replace(str(path), f"'{path.name}'"))
        return Watermark(stated=stated), (f"It was not searched for a watermark: {what}",)
    if mark is None:
        return Watermark(confidence=0.0, stated=stated), (_why_none(kind, state, stated),)
    act, manifest = ("", "") if mark.payload is None else (act_of(mark.payload), id_of(mark.payload))
    found = Watermark(
        True, mark.payload, round(mark.confidence, 3), mark.where, mark.at_s, act, manifest, stated
    )
    return found, (_what_it_says(mark), _how_it_fits(mark, state, stated))


def _what_it_says(mark: Mark) -> str:
    where = f"in the {mark.where}" + (f" from {mark.at_s:.0f} s on" if mark.at_s else "")
    if mark.payload is None:
        return f"A watermark of likeness is {where}, too worn to be read."
    act = act_of(mark.payload)
    done = "" if act == "other" else f" ({act})"
    return (
        f"A watermark {where} says that likeness made it{done}, and names a manifest that begins with "
        f"'{id_of(mark.payload)}' (read with a confidence of {mark.confidence:.2f} of 1)."
    )


def _how_it_fits(mark: Mark, state: State, stated: int | None) -> str:
    if stated is None:
        return (
            "A watermark survives what removes credentials, but it is a hint and no signature: the method is "
            "public, and anyone can add one."
        )
    if mark.payload != stated:
        return (
            "The credentials state another watermark: some of this was taken from another work of likeness."
        )
    if state == "valid":
        return "The credentials state the same watermark, as they should."
    return "The credentials state the same watermark: it probably began as the work that they describe."


def _why_none(kind: str, state: State, stated: int | None) -> str:
    parts = "" if kind.startswith("image/") else " in the parts that were searched"
    if stated is None:
        return f"No watermark of likeness was found{parts}."
    why = "a very small picture cannot hold one"
    if state != "valid":
        why = "it is worn off, or the credentials belong to something else"
    return f"The credentials state a watermark, but none was found{parts}: {why}."
