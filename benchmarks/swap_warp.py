"""The swap by warping, with and without the network that mends what was bent, judged like the others."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from likeness.config import QuickSwapConfig, SwapConfig
from likeness.engines.swap.nearest import Gallery
from likeness.engines.swap.quick import QuickSwap
from likeness.engines.swap.warped import WarpedSwap
from likeness.nn.swap_warp import WARP_MODELS, WarpNet
from likeness.pipelines.swap_bent import Bent
from likeness.training.swap.warp_learner import WarpLearner
from likeness.types import Picture
from swap_baselines import count_parameters
from swap_learning import BETWEEN_LOOKS, FIRST_LOOK_S, Course, Looker
from swap_learning import shown as spell
from swap_media import RATE, Media, seen


def follow_warp(
    model: str, media: Media, minutes: float, threads: int
) -> tuple[dict[str, Any], list[Picture]]:
    """Train the mending network on B, and judge on the way; the first row is without it.

    Returns:
        The figures, and A's held-out frames with the swap in them.
    """
    budget_s = 60 * minutes * threads
    clock: list[Course] = []
    faces = media.b.faces(media.b.trained)
    learner = WarpLearner(
        faces, WARP_MODELS[model], share_of=lambda step: clock[0].spent_s / budget_s if clock else 0.0
    )
    clock.append(course := Course(learner, budget_s))
    judge = WarpJudge(media, model)
    curve = [{"cpu_s": 0.0, "wall_s": 0.0, "steps": 0} | judge.look(None)]
    until = FIRST_LOOK_S
    while course.spent_s < budget_s:
        course.run_until(min(until, budget_s))
        row = {"cpu_s": course.spent_s, "wall_s": course.wall_s, "steps": learner.steps}
        curve.append(row | judge.look(learner.net))
        print(model, media.pair.name, spell(curve[-1]), flush=True)
        until = max(2 * until * BETWEEN_LOOKS, course.spent_s)
    pictures = judge.paste(learner.net)
    found = {
        "model": model,
        "parameters": count_parameters(learner.net),
        "budget_cpu_s": budget_s,
        "threads": threads,
        "curve": curve,
        "final": judge.reconstruct(learner.net) | judge.looker.judge_frames(pictures),
    }
    return found, pictures


class WarpJudge:
    """Judges it on what is held out."""

    def __init__(self, media: Media, model: str) -> None:
        self._media = media
        self._size = WARP_MODELS[model].size_px
        self.looker = Looker(media, self._size)
        gallery = Gallery(QuickSwapConfig().looks)
        for item in media.b.trained:
            gallery.add(item.frame.image, seen(item)[0])
        self._looks = gallery.looks

    def look(self, net: WarpNet | None) -> dict[str, float]:
        """The figures of a curve's row."""
        found = self.looker.judge_frames(self.paste(net))
        moved = found.pop("expression")
        row = {f"expression_{name}": moved[name] for name in ("error", "static") if name in moved}
        return self.reconstruct(net) | found | row

    def paste(self, net: WarpNet | None) -> list[Picture]:
        """A's held-out frames with the swap in them, unsealed."""
        bent = Bent(self._renderer(net), SwapConfig(), RATE)
        return [picture for _, picture in bent.swap(self._media.a.held_out)]

    def reconstruct(self, net: WarpNet | None) -> dict[str, float]:
        """B's held-out faces, made of those that were trained on."""
        renderer, made = self._renderer(net), []
        for item in self._media.b.held_out:
            colours = renderer.render(item.frame.image, *seen(item)).face
            made.append(cv2.resize(colours, (self._size, self._size), interpolation=cv2.INTER_AREA))
        return self.looker.judge_faces(np.stack(made))

    def _renderer(self, net: WarpNet | None) -> QuickSwap:
        return QuickSwap(self._looks, RATE) if net is None else WarpedSwap(self._looks, RATE, net)
