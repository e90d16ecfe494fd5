"""What adversarial rounds do to a model that has learned, and whether an unsharp mask does as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from likeness.nn.swap import MODELS
from likeness.training.swap.adversary import RefineSettings
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.refine import ROUNDS, STEPS, Refiner, hold_out, settings_for
from likeness.training.swap.settings import SwapSettings
from likeness.types import Picture
from swap_learning import Looker, cpu_s, to_pictures
from swap_measures import fineness, unsharp_to
from swap_media import Media


def measure_refine(
    media: Media, model: str, weights: Path, steps: int, budget_s: float
) -> tuple[dict[str, Any], list[Picture]]:
    """Refine within some CPU time, and compare on what is held out.

    The rounds are kept or taken back by faces that are split off what was trained on, as `refine_swap` does;
    those that the figures here are of take no part in that.

    Returns:
        The figures, and A's held-out frames with the refined swap in them.
    """
    (a, own_a), (b, own_b) = (hold_out(clip.faces(clip.trained)) for clip in (media.a, media.b))
    ways = RefineSettings()
    learner = SwapLearner(a, b, MODELS[model], settings_for(SwapSettings(), ways))
    learner.restore(load_file(weights), steps)
    looker = Looker(media, learner.config.size_px)

    def swap(squares: Picture) -> Any:
        return learner.swap(squares, "b")

    before = looker.wholly(swap)
    plain = to_pictures(swap(looker.real)[0])
    refiner = Refiner(learner, own_a, own_b, ("B",), ways)
    start, spent_s = cpu_s(), 0.0
    while spent_s < budget_s and len(refiner.rounds) < ROUNDS and not refiner.is_over:
        found = refiner.round(STEPS)
        spent_s = cpu_s() - start
        print(media.pair.name, found.number, found.outcome, found.why, f"{spent_s:.0f} s", flush=True)
    refined = to_pictures(swap(looker.real)[0])
    sharp, amount = unsharp_to(plain, looker.masks, fineness(refined, looker.masks))
    pictures = looker.paste(swap, list(range(len(media.a.held_out))))
    rows = {
        "model": model,
        "cpu_s": spent_s,
        "steps_of_a_round": STEPS,
        "rounds": [{"outcome": one.outcome, "why": one.why} for one in refiner.rounds],
        "before": before,
        "after": looker.judge_faces(refined) | looker.judge_frames(pictures),
        "unsharp": looker.judge_faces(sharp) | {"amount": amount},
    }
    return rows, pictures
