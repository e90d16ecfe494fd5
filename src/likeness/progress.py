"""How long work tells others how far it is. The command line draws it with Rich; a page has its own bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """One report.

    Attributes:
        stage: what is being done, such as "animate" or "fetch face-landmarker".
        done: how much is done, in `unit`.
        total: how much there is, or None where nobody knows yet.
        unit: of `done` and `total`: "frames", "bytes", "s" …
    """

    stage: str
    done: int
    total: int | None
    unit: str = "frames"


OnProgress: TypeAlias = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """The default: tell nobody."""
