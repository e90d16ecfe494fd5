"""Refinement in rounds: each is measured on held-out faces, kept if it helped, taken back if it did harm."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from likeness.engines.swap.model import FILE_NAME
from likeness.engines.swap.model_file import Side, read_model
from likeness.errors import MediaNotFound, ModelFormat, TooFewFaces, UsageError
from likeness.nn.swap import SwapConfig
from likeness.nn.swap_warp import WARP_MODELS
from likeness.progress import OnProgress, Progress, silent
from likeness.training.device import choose_device
from likeness.training.perceptual import read_vgg
from likeness.training.swap.adversary import Adversary, RefineSettings
from likeness.training.swap.budget import Budget
from likeness.training.swap.faces import Faces
from likeness.training.swap.kinds import Coding
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.measure import Quality, measure_identity, measure_side
from likeness.training.swap.permit import Permits, drop_strangers, middle
from likeness.training.swap.refined import RefinedSwap, Round, Verdict, write_report
from likeness.training.swap.run import Device, Rhythm, SwapRun
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.state import newest_training, refuse_other_plan, restore_learner

ROUNDS, STEPS = 4, 500
HELD_OUT = 0.15
"""The first share of each set, from which a refinement does not learn."""
_APART = "Use the run's folder as `likeness swap train` left it, or train again."
MOST_HARM = 2
"""Rounds in a row that are taken back before it gives up."""


class Refiner:
    """Rounds of refinement of a learner; no files, no consent: `refine_swap` sees to both.

    Args:
        learner: whose batches are learned from; made with `settings_for`, without the held-out faces.
        held_out_a, held_out_b: what is measured on.
        sides: whose decoders are refined.
    """

    def __init__(
        self,
        learner: SwapLearner,
        held_out_a: Faces,
        held_out_b: Faces,
        sides: tuple[Side, ...] = ("B",),
        settings: RefineSettings | None = None,
    ) -> None:
        self.learner, self.sides, self.settings = learner, sides, settings or RefineSettings()
        self.adversary = Adversary(learner, tuple(side.lower() for side in sides), self.settings)
        self._held_out: dict[Side, Faces] = {"A": held_out_a, "B": held_out_b}
        self.start = self.best = self.measure()
        self.rounds: list[Round] = []
        self._harm = 0

    @property
    def is_over(self) -> bool:
        """Whether a further round would not help."""
        ended = bool(self.rounds) and self.rounds[-1].outcome == "no help"
        return ended or self._harm >= MOST_HARM or self._is_enough()

    def _is_enough(self) -> bool:
        """Whether everybody's face is as sharp as is wanted."""
        for side in self.sides:
            lacked = abs(1 - self.start[side].sharpness)
            if abs(1 - self.best[side].sharpness) > (1 - self.settings.enough) * lacked:
                return False
        return True

    def round(self, steps: int = STEPS, on_step: Callable[[], None] = lambda: None) -> Round:
        """One round: learn, measure, keep or take back."""
        state, weight = self.adversary.state(), self.adversary.weight
        losses: dict[str, float] = {}
        for done in range(steps):
            losses = self.adversary.step(done / steps)
            if not all(map(math.isfinite, losses.values())):
                break
            on_step()
        after = self.measure()
        outcome, why = self._judge(after, losses)
        found = Round(len(self.rounds) + 1, steps, weight, outcome, why, self.best, after, losses)
        if outcome == "rolled back":
            self.adversary.restore(state)
            self.adversary.weight = weight / 2
            self._harm += 1
        else:
            self.best, self._harm = after, 0
        self.rounds.append(found)
        return found

    def measure(self) -> dict[Side, Quality]:
        """Figures on the held-out faces."""
        size, found = self.learner.config.size_px, dict[Side, Quality]()
        for side in self.sides:
            other: Side = "B" if side == "A" else "A"
            faces, name = self._held_out[side], side.lower()
            quality, made, real, mask = measure_side(self.learner, faces, name, size)
            judged = self.adversary.accuracy(name, made, real, mask) if self.adversary.steps else None
            person = middle(faces)
            far = measure_identity(self.learner, self._held_out[other], name, person, size)
            found[side] = replace(quality, judged=judged, identity=far)
        return found

    def _judge(self, after: dict[Side, Quality], losses: dict[str, float]) -> tuple[Verdict, str]:
        settings = self.settings
        if not all(map(math.isfinite, losses.values())):
            return "rolled back", "a loss was not finite"
        for side in self.sides:
            first, now = self.start[side], after[side]
            least = first.ssim - settings.ssim_tolerance
            if any(one.outcome != "rolled back" for one in self.rounds):
                least = max(least, self.best[side].ssim - settings.ssim_slip)
            if now.ssim < least:
                return "rolled back", f"SSIM of {side} fell from {self.best[side].ssim:.4f} to {now.ssim:.4f}"
            if (
                first.identity is not None
                and now.identity is not None
                and now.identity > first.identity + settings.identity_tolerance
            ):
                return (
                    "rolled back",
                    f"identity of {side} went from {first.identity:.3f} to {now.identity:.3f}",
                )
        gains = []
        for side in self.sides:
            old, new = self.best[side], after[side]
            nearer = abs(math.log(max(old.sharpness, 1e-6))) - abs(math.log(max(new.sharpness, 1e-6)))
            gains.append(max(nearer, old.gradient_distance - new.gradient_distance))
        if max(gains) < settings.least_gain:
            return "no help", "neither sharpness nor gradients came closer to the real faces"
        return "kept", "closer to the real faces"


def settings_for(settings: SwapSettings, refine: RefineSettings) -> SwapSettings:
    """Those of the learner that is refined: its own, but for warp, batch size, and what SSIM counts."""
    ways, weights = (
        replace(settings.augmentation, warp=refine.warp),
        replace(settings.weights, ssim=refine.ssim),
    )
    return replace(settings, augmentation=ways, weights=weights, batch_size=refine.batch_size, final=0.0)


def hold_out(faces: Faces, share: float = HELD_OUT) -> tuple[Faces, Faces]:
    """The faces to learn from, and the first ones, to measure on.

    These are one stretch and not picked from all over, since frames next to each other are nearly the same.

    Raises:
        TooFewFaces: too few are left to learn from or to measure on.
    """
    first = round(len(faces) * share)
    if min(first, len(faces) - first) < 5:
        raise TooFewFaces(
            f"{faces.name} holds {len(faces)} faces, too few to measure a refinement on some of them.",
            "Extract more faces, and train again.",
        )
    return faces.take(range(first, len(faces))), faces.take(range(first))


def refine_swap(
    run: str | os.PathLike[str],
    *,
    rounds: int = ROUNDS,
    steps: int = STEPS,
    settings: RefineSettings | None = None,
    faces_a: str | os.PathLike[str] | None = None,
    faces_b: str | os.PathLike[str] | None = None,
    revocations: Iterable[Path | str] = (),
    vgg: str | os.PathLike[str] | None = None,
    device: Device = "auto",
    on_progress: OnProgress = silent,
) -> RefinedSwap:
    """Sharpen a trained model against a discriminator, in rounds that are each measured.

    The consent records in the model are checked first. What was measured is in `refinement.json`; the figures
    are of faces that the refinement did not learn from. (The training before it may have, which makes the
    figures before look better than they are, and the gain smaller.)

    Args:
        run: the folder of a training.
        rounds: at most so many; it ends sooner where a round does not help.
        steps: of each round.
        faces_a, faces_b: the face sets, where they are no longer where they were.

    Raises:
        ConsentError: the model's records do not allow it any more.
        MediaError, ModelError, TooFewFaces: something cannot be read or used.
        UsageError: a number makes no sense, or the face sets have changed.
        OutputError: something cannot be written.
    """
    if rounds < 1 or steps < 1:
        raise UsageError(f"{rounds} rounds of {steps} steps cannot be taken.", "Give numbers from 1 up.")
    folder, settings = Path(run), settings or RefineSettings()
    if not (folder / FILE_NAME).is_file():
        raise MediaNotFound(f"There is no trained model in {folder}.", "`likeness swap train` makes one.")
    header, _ = read_model(folder / FILE_NAME, revocations=revocations)
    name, plan, standing, tensors = newest_training(folder)
    if plan.model in WARP_MODELS:
        raise UsageError(
            f"{folder} holds {plan.model}, which shows B's own pictures: there is nothing to sharpen.",
            "Refine a model with decoders, such as slim64.",
        )
    if "B" not in header.permissions or dict(header.data) != {"A": plan.data_a, "B": plan.data_b}:
        # Under the consent in the one file, people whom the other one learned would be shown.
        raise ModelFormat(f"{FILE_NAME} and {name} in {folder} are of different trainings.", _APART)
    a, notes_a = _find_faces(faces_a, plan.places, "A")
    b, notes_b = _find_faces(faces_b, plan.places, "B")
    refuse_other_plan(plan, replace(plan, data_a=a.digest, data_b=b.digest), name)
    learned_a, held_a = hold_out(a)
    learned_b, held_b = hold_out(b)
    try:
        config, learned_with = SwapConfig.from_json(plan.config), SwapSettings.from_json(plan.settings)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFormat(f"{name} is damaged: its settings make no sense.", _APART) from error
    learner = SwapLearner(
        learned_a,
        learned_b,
        config,
        settings_for(learned_with, settings),
        features=None if vgg is None else read_vgg(Path(vgg)),
        device=choose_device(device),
    )
    restore_learner(learner, tensors, standing, name)
    permits = Permits(header.permissions.get("A"), header.permissions["B"], a, b, ())
    keeper = SwapRun(
        Coding(learner, permits),
        plan,
        folder,
        permits,
        Rhythm(),
        Budget(standing.steps, None, standing.seconds),
    )
    keeper.standing = standing
    sides: tuple[Side, ...] = ("A", "B") if permits.a is not None else ("B",)
    refiner = Refiner(learner, held_a, held_b, sides, settings)
    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        on_progress(Progress("refine", done, rounds * steps, "steps"))

    for _ in range(rounds):
        found = refiner.round(steps, report)
        if found.outcome != "rolled back":
            keeper.standing = replace(keeper.standing, rounds=keeper.standing.rounds + 1)
            keeper.save()
            keeper.show()
        write_report(folder, refiner.rounds, refiner.start, refiner.best, settings)
        if refiner.is_over:
            break
    return RefinedSwap(
        folder, folder / FILE_NAME, tuple(refiner.rounds), refiner.start, refiner.best, (*notes_a, *notes_b)
    )


def _find_faces(
    given: str | os.PathLike[str] | None, places: dict[str, str], side: Side
) -> tuple[Faces, tuple[str, ...]]:
    """The faces of a side as they were trained on, without strangers."""
    place = given if given is not None else places.get(side)
    if place is None or (given is None and not Path(place).is_dir()):
        raise UsageError(
            f"The face set of {side} is not where it was.",
            f"Say where it is: --faces-{side.lower()} FOLDER (faces_{side.lower()}= in Python).",
        )
    faces, notes = Faces.read(place)
    faces, more = drop_strangers(faces)
    return faces, (*notes, *more)
