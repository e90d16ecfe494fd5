"""How fast a swap is learned: a model is trained for some CPU time, and judged again and again on the way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.optim import Adam

from judge import Judge
from likeness.config import SwapConfig
from likeness.engines.swap.mask import face_mask
from likeness.nn.swap import MODELS
from likeness.nn.swap import begin as first_weights
from likeness.pipelines.swap import swap_of
from likeness.training.swap.faces import Faces
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.warp_learner import WarpLearner
from likeness.types import Floats, Picture
from swap_baselines import PUBLISHED_RATE, SHAPES, Baseline, count_parameters
from swap_measures import (
    distances,
    expression,
    fineness,
    flicker,
    gmsd,
    l1,
    match_colours,
    ssim,
)
from swap_media import RATE, Media, embed, seen

LOOKED_AT = 12
"""Held-out frames that each look on the way is taken at."""
FULL_PX = 128
"""Squares that finished frames are compared in."""
FIRST_LOOK_S, BETWEEN_LOOKS = 4.0, 1.5
"""CPU time of training before the first look, and how many times that each following one waits."""

Swap: TypeAlias = Callable[[Picture], tuple[Floats, Floats]]
"""Squares of anybody, (n, s, s, 3) uint8, as B: colours and masks, float32 0…1."""


@dataclass(frozen=True, slots=True, eq=False)
class Bare:
    """What puts faces into frames, without a model's file and consent: nothing that it makes is kept."""

    size_px: int
    make: Swap

    def swap(self, faces: Picture, to: str = "B") -> tuple[Floats, Floats]:
        return self.make(faces)


def cpu_s() -> float:
    """CPU time of this process, all threads."""
    times = os.times()
    return times.user + times.system


@dataclass(eq=False)
class Course:
    """A training by the clock: the learning rate and the last phase go by the CPU time that is spent.

    Attributes:
        budget_s: CPU time that the training is planned for.
        spent_s, wall_s: what it took so far; judging is not counted.
    """

    learner: SwapLearner | WarpLearner
    budget_s: float
    spent_s: float = 0.0
    wall_s: float = 0.0

    def run_until(self, spent_s: float) -> None:
        """Train up to this CPU time."""
        while self.spent_s < spent_s:
            cpu, wall = cpu_s(), time.perf_counter()
            self.learner.step()
            self.spent_s += cpu_s() - cpu
            self.wall_s += time.perf_counter() - wall


def begin(model: str, media: Media, budget_s: float) -> tuple[Course, SwapLearner]:
    """A model that has learned nothing yet."""
    a, b = (clip.faces(clip.trained) for clip in (media.a, media.b))
    clock: list[Course] = []

    def share_of(step: int) -> float:
        return clock[0].spent_s / budget_s if clock else 0.0

    if model in MODELS:
        learner = SwapLearner(a, b, MODELS[model], share_of=share_of)
    else:
        learner = _baseline(model, a, b, share_of)
    clock.append(Course(learner, budget_s))
    return clock[0], learner


def recall(model: str, media: Media, weights: Path, steps: int) -> SwapLearner:
    """A model as `follow_curve` left it."""
    _, learner = begin(model, media, 1.0)
    learner.restore(load_file(weights), steps)
    return learner


def _baseline(model: str, a: Faces, b: Faces, share_of: Callable[[int], float]) -> SwapLearner:
    """One of the older networks in the hands of the same trainer, at the rate that it was published with.

    At ours, twenty times higher, it breaks down after forty steps; at 2e-4 it learned no faster. First
    weights are by the same rule as ours, for its own would cost it minutes.
    """
    settings = SwapSettings(learning_rate=PUBLISHED_RATE, warm_up=0)
    learner = SwapLearner(a, b, MODELS["slim64"], settings, share_of=share_of)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(learner.settings.seed)
        net = Baseline(SHAPES[model]).apply(first_weights)
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner.net = net  # type: ignore[assignment]
    learner.optimizer = Adam(net.parameters(), **learner.optimizer.defaults)
    return learner


class Looker:
    """Judges swaps of one pair on what is held out.

    Args:
        size_px: of the network's pictures.

    Attributes:
        real, masks: B's held-out faces, (n, size_px, size_px, 3) uint8, and where they are, 0…1.
        to_a, to_b: embeddings of who they are.
    """

    def __init__(self, media: Media, size_px: int) -> None:
        self._media, self._size = media, size_px
        self._judge = Judge(threads=1)
        self.to_a, self.to_b = media.a.references(), media.b.references()
        held_out = media.b.faces(media.b.held_out)
        self.real = held_out.squares(size_px)
        self.masks = masks_of(held_out, size_px)
        self._known = media.a.faces(media.a.held_out)
        self._filmed = [self._judge.landmarks(item.frame.image) for item in media.a.held_out]

    def quickly(self, swap: Swap) -> dict[str, float]:
        """What the curve is drawn of: identity and reconstruction, at some held-out frames."""
        chosen = spread(len(self._media.a.held_out), LOOKED_AT)
        items = [self._media.a.held_out[i] for i in chosen]
        pictures = self.paste(swap, chosen)
        made = to_pictures(swap(self.real)[0])
        found = embed(items, pictures)
        row = {"to_b": distances(found, self.to_b), "to_a": distances(found, self.to_a)}
        row |= self.judge_faces(made)
        points = [self._judge.landmarks(picture) for picture in pictures]
        filmed = [self._filmed[n] for n in chosen]
        moved = expression(filmed, points)
        row |= {f"expression_{name}": moved.get(name, float("nan")) for name in ("error", "static")}
        if self._media.truth is not None:
            row |= self._compare_truth(pictures, chosen)
        return row

    def wholly(self, swap: Swap) -> dict[str, Any]:
        """All held-out frames: also expression over time, and flicker."""
        made = to_pictures(swap(self.real)[0])
        return self.judge_faces(made) | self.judge_frames(self.paste(swap, list(range(len(self._filmed)))))

    def judge_faces(self, made: Picture) -> dict[str, float]:
        """B's held-out faces as B, in the network's size, against what was filmed."""
        return {
            "l1": l1(made, self.real, self.masks),
            "ssim": ssim(made, self.real, self.masks),
            "gmsd": gmsd(made, self.real, self.masks),
            "sharpness": fineness(made, self.masks) / fineness(self.real, self.masks),
        }

    def judge_frames(self, pictures: list[Picture]) -> dict[str, Any]:
        """All of A's held-out frames with the swap in them."""
        items = self._media.a.held_out
        found = embed(items, pictures)
        own, new = (self._flicker(frames) for frames in ([i.frame.image for i in items], pictures))
        row: dict[str, Any] = {
            "to_b": distances(found, self.to_b),
            "to_a": distances(found, self.to_a),
            "expression": expression(self._filmed, [self._judge.landmarks(picture) for picture in pictures]),
            "flicker": new,
            "flicker_filmed": own,
            "flicker_ratio": new / own,
        }
        if self._media.truth is not None:
            row |= self._compare_truth(pictures, list(range(len(items))))
        return row

    def paste(self, swap: Swap, chosen: list[int]) -> list[Picture]:
        """A's held-out frames with the swap in them, put in as `convert` does it, and unsealed."""
        finish = swap_of(Bare(self._size, swap), SwapConfig(), RATE)
        return [picture for _, picture in finish(self._media.a.held_out[n] for n in chosen)]

    def _flicker(self, pictures: list[Picture]) -> float:
        squares, points, masks = [], [], []
        for picture, item in zip(pictures, self._media.a.held_out, strict=True):
            face, square = seen(item)
            squares.append(square.cut(picture, FULL_PX))
            points.append(square.cut_points(face.points, FULL_PX))
            masks.append(face_mask(points[-1], FULL_PX))
        return flicker(squares, points, masks)

    def _compare_truth(self, pictures: list[Picture], chosen: list[int]) -> dict[str, float]:
        """Against A's performance by B, each in the square of its own bones."""
        truth = self._media.truth
        assert truth is not None
        made, real, masks = [], [], []
        for picture, n in zip(pictures, chosen, strict=True):
            face, square = seen(truth.followed[n])
            made.append(seen(self._media.a.held_out[n])[1].cut(picture, FULL_PX))
            real.append(square.cut(truth.followed[n].frame.image, FULL_PX))
            masks.append(face_mask(square.cut_points(face.points, FULL_PX), FULL_PX))
        a, b, where = np.stack(made), np.stack(real), np.stack(masks)
        matched = match_colours(a, b, where)
        return {
            "truth_l1": l1(a, b, where),
            "truth_l1_matched": l1(matched, b, where),
            "truth_ssim_matched": ssim(matched, b, where),
        }

    def floors(self) -> dict[str, float]:
        """What the figures are like without a swap, and of the truth."""
        items, b = self._media.a.held_out, self._media.b.held_out
        row = {
            "a_to_b": distances(embed(items), self.to_b),
            "a_to_a": distances(embed(items), self.to_a),
            "b_to_b": distances(embed(b), self.to_b),
        }
        truth = self._media.truth
        if truth is not None:
            row["truth_to_b"] = distances(embed(truth.followed), self.to_b)
            row |= self._compare_truth([item.frame.image for item in items], list(range(len(items))))
        return row


def follow_curve(
    model: str, media: Media, minutes: float, threads: int, weights: Path, between: float = BETWEEN_LOOKS
) -> dict[str, Any]:
    """Train, and judge on the way.

    Args:
        minutes: how long, of so many threads; looks are not counted.
        weights: where the last state is kept for other parts.
        between: how many times later each look is than the one before.
    """
    budget_s = 60 * minutes * threads
    course, learner = begin(model, media, budget_s)
    looker = Looker(media, learner.config.size_px)
    curve = []
    until = FIRST_LOOK_S
    while course.spent_s < budget_s:
        course.run_until(min(until, budget_s))
        curve.append(
            {"cpu_s": course.spent_s, "wall_s": course.wall_s, "steps": learner.steps}
            | looker.quickly(lambda squares: learner.swap(squares, "b"))
        )
        print(model, media.pair.name, shown(curve[-1]), flush=True)
        until = max(until * between, course.spent_s)
    save_file({name: tensor.contiguous() for name, tensor in learner.state().items()}, weights)
    return {
        "model": model,
        "steps": learner.steps,
        "parameters": count_parameters(learner.net),
        "budget_cpu_s": budget_s,
        "threads": threads,
        "curve": curve,
        "floors": looker.floors(),
        "final": looker.wholly(lambda squares: learner.swap(squares, "b")),
    }


def masks_of(faces: Faces, size_px: int) -> Floats:
    """Where the faces are, (n, size_px, size_px) 0…1."""
    points = faces.square_points(size_px)
    return np.stack([face_mask(one, size_px) for one in points])


def to_pictures(colours: Floats) -> Picture:
    return np.asarray(np.clip(np.rint(colours * 255), 0, 255), np.uint8)


def spread(count: int, most: int) -> list[int]:
    """Numbers of at most so many things, evenly over all of them."""
    return sorted({int(n) for n in np.linspace(0, count - 1, min(count, most))})


def shown(row: dict[str, Any]) -> str:
    return " ".join(f"{key} {round(value, 3)}" for key, value in row.items())
