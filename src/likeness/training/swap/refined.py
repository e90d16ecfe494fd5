"""What a refinement gave, round by round, and the file that says it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from likeness.engines.swap.model_file import Side
from likeness.media.files import temporary_beside, write_error
from likeness.training.swap.adversary import RefineSettings
from likeness.training.swap.measure import Quality

REPORT = "refinement.json"
Verdict: TypeAlias = Literal["kept", "rolled back", "no help"]
Figures: TypeAlias = dict[Side, Quality]
"""By side."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a refinement.

    Attributes:
        number: from 1.
        steps: that it took.
        adversarial: the weight that it was tried with.
        outcome: kept; rolled back, since SSIM or identity became worse than is tolerated; or "no help": no
            worse, but no nearer to the real faces either, so that it ends. It stays in the model.
        why: in words.
        before, after: by side.
        losses: of its last step.
    """

    number: int
    steps: int
    adversarial: float
    outcome: Verdict
    why: str
    before: Figures
    after: Figures
    losses: dict[str, float]


@dataclass(frozen=True, slots=True)
class RefinedSwap:
    """What a refinement left.

    Attributes:
        folder: the run.
        model: the refined model, or the one before where all rounds were rolled back.
        rounds: what each gave; also in `refinement.json`.
        before, after: figures on held-out faces, by side.
        notes: what a person should know, one sentence each.
    """

    folder: Path
    model: Path
    rounds: tuple[Round, ...]
    before: Figures
    after: Figures
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """Rounds that helped."""
        return sum(one.outcome == "kept" for one in self.rounds)


def write_report(
    folder: Path,
    rounds: Sequence[Round],
    before: Figures,
    after: Figures,
    settings: RefineSettings,
) -> None:
    """Write `refinement.json`, completely or not at all.

    Raises:
        OutputError
    """

    def spell(found: Figures) -> dict[str, Any]:
        return {side: {k: _rounded(v) for k, v in asdict(one).items()} for side, one in found.items()}

    told = [
        {
            **{key: getattr(one, key) for key in ("number", "steps", "adversarial", "outcome", "why")},
            "before": spell(one.before),
            "after": spell(one.after),
            "losses": {key: _rounded(value) for key, value in one.losses.items()},
        }
        for one in rounds
    ]
    content = {
        "purpose": "picture quality; measured on faces that the refinement did not learn from",
        "settings": asdict(settings),
        "before": spell(before),
        "after": spell(after),
        "rounds": told,
    }
    path = folder / REPORT
    try:
        with temporary_beside(path) as pending:
            pending.path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            pending.commit()
    except OSError as error:
        raise write_error(path, error) from error


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 5)
