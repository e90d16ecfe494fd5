"""Training a face swap from two face sets: consent, data, the loop, and everything that it writes."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from likeness.consent.permission import Consent
from likeness.engines.swap import model as files
from likeness.engines.swap.model_file import Header
from likeness.errors import NotWritable, TrainingDiverged, UsageError
from likeness.media.files import write_error
from likeness.progress import OnProgress, Progress, silent
from likeness.training.device import choose_device
from likeness.training.journal import Journal
from likeness.training.outcome import Outcome
from likeness.training.perceptual import read_vgg
from likeness.training.swap import sheet
from likeness.training.swap.budget import Budget
from likeness.training.swap.card import header_of
from likeness.training.swap.faces import Faces
from likeness.training.swap.kinds import DEFAULT, Kind, config_of, make_kind
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.permit import Permits, check_records, permit
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.start import start_encoder
from likeness.training.swap.state import Plan, Standing, has_training, resume_training, save_training
from likeness.training.swap.stop import between_steps
from likeness.training.world import join_world
from likeness.types import Making

MOST_RECOVERIES = 3
SAVE_S = 60.0
"""Where steps take long, it is saved and shown more often than `Rhythm` says: at least this often."""
SNAPSHOTS = "snapshots"
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done, in steps; 0 is never.

    Attributes:
        save: write `training.safetensors` and `model.safetensors`, from which training goes on after a stop,
            and to which it goes back where numbers end; where steps take long, once a minute.
        report: write a line of losses.
        preview: write a sheet to look at; where steps take long, once a minute.
        snapshot: keep a model of that step.
    """

    save: int = 250
    report: int = 10
    preview: int = 250
    snapshot: int = 0


@dataclass(frozen=True, slots=True)
class TrainedSwap:
    """What a training left.

    Attributes:
        folder: with `model.safetensors`, `training.safetensors`, `losses.jsonl`, `preview.jpg`, `previews`,
            `snapshots` and `time-lapse.mp4`.
        model: the first of these.
        steps: how many there are in all.
        resumed_at: the step at which it was taken up again, 0 for a new one.
        seconds: spent in all.
        losses: of the last step, by name.
        notes: what a person should know, one sentence each.
    """

    folder: Path
    model: Path
    steps: int
    resumed_at: int
    seconds: float
    losses: dict[str, float]
    notes: tuple[str, ...]


def train_swap(
    faces_a: str | os.PathLike[str],
    faces_b: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    model: str = DEFAULT,
    consent: Consent | Sequence[Consent] | None = None,
    revocations: Iterable[Path | str] = (),
    steps: int | None = None,
    minutes: float | None = None,
    settings: SwapSettings | None = None,
    rhythm: Rhythm | None = None,
    encoder: str | os.PathLike[str] | None = None,
    vgg: str | os.PathLike[str] | None = None,
    device: Device = "auto",
    on_progress: OnProgress = silent,
) -> TrainedSwap:
    """Learn to show B's face where A's is, or go on where a training in `out` stopped: exactly there.

    Ctrl-C stops it after the step that is being taken, which is saved; a second one stops it at once.

    Consent is checked before anything else is opened. Whose record is whose is found by comparing faces;
    B's is needed, A's only to show A's face as well. A record for a research corpus covers both.

    Args:
        faces_a: the face set of the person who performs (`likeness swap extract`).
        faces_b: of the person who is to be seen.
        out: a folder for everything that is written.
        model: "warp64", "warp128" or "warp256", which learn of B alone; or "slim64", "slim128", "df128" or
            "df256", the classic encoder with two decoders.
        consent: one record or several.
        revocations: files, or folders of them, besides those in the user's folder.
        steps: how many in all, those before a stop included; default: see `STEPS`.
        settings: how it learns; default: `SwapSettings.of(model)`.
        rhythm: what is written, and how often.
        minutes: stop after so long in all, instead. The last phase then begins by the clock, so such a
            training cannot be repeated to the last digit.
        encoder: a model or training of ours whose encoder a new training begins with.
        vgg: VGG19's weights for a perceptual loss, a file of tensors.

    Raises:
        ConsentError: no record allows this, or the faces are not surely those of its subject.
        TooFewFaces: there are fewer than 50 of a person.
        UsageError: one person is on both sides, an option makes no sense, or the training in `out` was begun
            with another configuration.
        MediaError, ModelError: something cannot be read.
        TrainingDiverged: losses end again and again, with smaller and smaller learning rates.
        OutputError: something cannot be written.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    config = config_of(model)
    if encoder is not None and model.startswith("warp"):
        raise UsageError(
            f"{model} has no encoder.", "Leave the starting weights out, or choose another model."
        )
    budget = Budget.of(model, steps, minutes)
    records = check_records(consent, revocations)
    folder, settings = Path(out), settings or SwapSettings.of(model)
    if folder.exists() and not folder.is_dir():
        raise NotWritable(f"{folder} is a file, and a folder is to be written.", "Give another name.")
    (a, notes_a), (b, notes_b) = Faces.read(faces_a), Faces.read(faces_b)
    permits = permit(records, a, b)
    where = choose_device(device)
    with join_world(where) as world:
        features = None if vgg is None else read_vgg(Path(vgg))
        kind = make_kind(model, permits, settings, budget.share, features, where, world)
        plan = Plan(
            model,
            config.to_json(),
            settings.to_json(),
            permits.faces_a.digest,
            permits.faces_b.digest,
            world.size,
            {"A": str(Path(faces_a).absolute()), "B": str(Path(faces_b).absolute())},
        )
        run = SwapRun(kind, plan, folder, permits, rhythm or Rhythm(), budget)
        notes = (*notes_a, *notes_b, *permits.notes, *run.begin(encoder))
        resumed_at = kind.learner.steps
        losses = run.go(on_progress)
        return TrainedSwap(
            folder,
            folder / files.FILE_NAME,
            kind.learner.steps,
            resumed_at,
            run.standing.seconds,
            losses,
            (*notes, *run.notes),
        )


class SwapRun:
    """The loop, and what it writes; only the first process writes."""

    def __init__(
        self,
        kind: Kind,
        plan: Plan,
        folder: Path,
        permits: Permits,
        rhythm: Rhythm,
        budget: Budget,
    ) -> None:
        self.kind, self.learner, self.plan = kind, kind.learner, plan
        self.folder, self.permits = folder, permits
        self.rhythm, self.budget, self.standing = rhythm, budget, Standing()
        self.notes: list[str] = []
        self._shown, self._shown_s = -1, math.inf

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.learner.world.is_first

    def begin(self, encoder: str | os.PathLike[str] | None = None) -> tuple[str, ...]:
        """Take up what is in the folder, or begin it; returns what is to be noted."""
        goes_on = has_training(self.folder)
        self.learner.world.wait()  # all have looked before the first of them writes
        self.budget.start()
        if goes_on:
            self.standing, notes = resume_training(self.folder, self.learner, self.plan)
            self.budget.spent = self.standing.seconds
            if encoder is not None:
                notes = (
                    *notes,
                    "The training goes on, so the starting weights of the encoder were not used.",
                )
            return notes
        if encoder is not None:
            assert isinstance(self.learner, SwapLearner)  # others were refused
            start_encoder(self.learner.net, Path(encoder))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.folder, error) from error
        self.save()
        return ()

    def go(self, on_progress: OnProgress) -> dict[str, float]:
        """Train until the budget is spent; returns the losses of the last step.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; what was learned until then is saved.
        """
        learner, losses = self.learner, dict[str, float]()
        first, saved = learner.steps, learner.steps
        saved_s = self._shown_s = time.monotonic()
        journal: Journal | nullcontext[None] = nullcontext()
        if self.is_first:
            journal = Journal(self.folder, first)
        # Of several processes, each would stop at a step of its own, and the others wait for it.
        stop = between_steps() if learner.world.size == 1 else nullcontext(lambda: False)
        with journal as lines, stop as is_stopped:
            learner.world.wait()
            self.budget.start()
            while not is_stopped() and not self.budget.is_over(learner.steps, learner.world):
                outcome = learner.step()
                if not outcome.is_finite:
                    self._go_back(outcome)
                    continue
                losses = outcome.losses
                self._report(lines, outcome)
                if _is_due(learner.steps, self.rhythm.save, saved_s):
                    self.save()
                    saved, saved_s = learner.steps, time.monotonic()
                on_progress(self._progress())
        # What was saved just before the clock ran out would be trained for one more step when called again.
        too_early = self.budget.seconds is not None and self.standing.seconds < self.budget.seconds
        if learner.steps > first and (saved < learner.steps or too_early):
            self.save()
        if is_stopped():
            raise KeyboardInterrupt
        if learner.steps > first:
            self._finish()
        return losses

    def _progress(self) -> Progress:
        done = self.learner.steps
        if self.budget.steps is not None:
            return Progress("train", done, self.budget.steps, "steps")
        assert self.budget.seconds is not None
        return Progress("train", int(self.budget.elapsed()), int(self.budget.seconds), "seconds")

    def _report(self, lines: Journal | None, outcome: Outcome) -> None:
        step = self.learner.steps
        if lines is None:
            return
        if _is_due(step - 1, self.rhythm.report):
            share = self.budget.share(step - 1)
            rate = self.plan_rate(step - 1, share)
            values = {"gradient_norm": outcome.gradient_norm, "learning_rate": rate, "share": round(share, 6)}
            lines.report(step - 1, {**outcome.losses, **values})
        if _is_due(step, self.rhythm.preview, self._shown_s):
            self.show()
        if _is_due(step, self.rhythm.snapshot):
            self.save_model(self.folder / SNAPSHOTS / f"step-{step:07}.safetensors")

    def plan_rate(self, step: int, share: float) -> float:
        """The learning rate of a step."""
        return self.learner.settings.rate(step, share) * self.learner.slow_down

    def _go_back(self, outcome: Outcome) -> None:
        """To what was saved last, with half the learning rate; a few times at most."""
        step, times = self.learner.steps, self.standing.recoveries + 1
        if times > MOST_RECOVERIES:
            raise TrainingDiverged(
                f"A loss or gradient of step {step} is not finite any more, and going back to what was saved "
                f"with half the learning rate did not help {MOST_RECOVERIES} times.",
                "Begin again in another folder with a lower learning rate; the model saved before is whole.",
            )
        self.learner.world.wait()  # until the first process has written what all go back to
        before, _ = resume_training(self.folder, self.learner, self.plan)
        self.standing = replace(before, slow_down=before.slow_down / 2, recoveries=times)
        self.learner.slow_down = self.standing.slow_down
        self.learner.world.wait()
        self.save()
        self.notes.append(
            f"A loss or gradient of step {step} was not finite; it went back to step "
            f"{self.learner.steps} and on with half the learning rate."
        )

    def save(self) -> None:
        """Write the training and the model."""
        self.standing = replace(
            self.standing,
            steps=self.learner.steps,
            seconds=round(self.budget.elapsed(), 3),
            slow_down=self.learner.slow_down,
        )
        if self.is_first:
            save_training(self.folder, self.learner, self.plan, self.standing)
            self.save_model(self.folder / files.FILE_NAME)

    def save_model(self, path: Path) -> None:
        """Write the model alone."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(path, error) from error
        self.kind.save(path, self.header())

    def header(self) -> Header:
        """What the model file says of itself."""
        seconds = round(self.budget.elapsed(), 1)
        return header_of(self.kind, self.plan, self.permits, self.standing, seconds)

    def show(self) -> None:
        """Write a sheet to look at."""
        sheet.save_sheet(self.kind.draw(), self.folder, self.learner.steps, self._making())
        self._shown, self._shown_s = self.learner.steps, time.monotonic()

    def _making(self) -> Making:
        return sheet.making_of(self.plan.model, self.learner.steps, self.permits.b)

    def _finish(self) -> None:
        if not self.is_first or not self.rhythm.preview:
            return
        if self._shown != self.learner.steps:
            self.show()
        sheet.save_film(self.folder, self._making())


def _is_due(step: int, every: int, last_s: float = math.inf) -> bool:
    """Whether something is to be done after this step that was last done at `last_s` of the clock."""
    return every > 0 and (step % every == 0 or time.monotonic() - last_s > SAVE_S)
