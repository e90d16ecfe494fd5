"""Training a First Order Motion Model from a folder of clips."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from likeness.consent import check
from likeness.consent.permission import Consent
from likeness.engines.fomm.animator import check_size
from likeness.errors import TrainingDiverged, UsageError
from likeness.media import temporary_beside
from likeness.media.files import write_error
from likeness.progress import OnProgress, Progress, silent
from likeness.training.clips import Clip, Clips, Cut, prepare_clips
from likeness.training.device import choose_device
from likeness.training.journal import Journal
from likeness.training.pairs import Batch, Pairs
from likeness.training.perceptual import read_vgg
from likeness.training.preview import draw_grid, save_preview
from likeness.training.settings import Plan, read_plan
from likeness.training.state import BEST, LAST, Standing, resume_training, save_training
from likeness.training.trainer import FommTrainer
from likeness.training.world import join_world

SNAPSHOT = "diverged.pth.tar"
PREVIEW_ROWS = 4
JUDGED_FRAMES = 4
"""Frames of each validation clip that the score is the mean of."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done, in steps; 0 is never.

    Attributes:
        save: write `last.pth.tar` (and `best.pth.tar`, where it is better). After a stop, training goes on
            from there.
        report: write a line of losses.
        preview: write a sheet to look at.
    """

    save: int = 500
    report: int = 10
    preview: int = 1000


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left.

    Attributes:
        folder: with `config.yaml`, `last.pth.tar`, `best.pth.tar`, `losses.jsonl` and `previews`.
        steps: how many there are in all.
        resumed_at: the step at which it was taken up again, 0 for a new one.
        score: the smallest so far: mean absolute difference on the validation clips, or, without such,
            the mean perceptual loss.
        notes: what a person should know.
    """

    folder: Path
    steps: int
    resumed_at: int
    score: float
    notes: tuple[str, ...]


def train_fomm(
    config: str | os.PathLike[str],
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    validation: str | os.PathLike[str] | None = None,
    crop: bool = True,
    vgg: str | os.PathLike[str] | None = None,
    consent: Consent | Sequence[Consent] | None = None,
    cache: str | os.PathLike[str] | None = None,
    steps: int | None = None,
    rhythm: Rhythm | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    on_progress: OnProgress = silent,
) -> Trained:
    """Train a model, or go on where a training in `out` stopped: exactly there, on the same numbers.

    Args:
        config: the configuration, a `.yaml` with the published sections; see `read_plan`.
        data: a folder of videos, or of folders of pictures. Everybody shown should have agreed.
        out: where everything goes.
        validation: further clips, by which the best state is chosen; nothing is learned from them.
        crop: follow the face and cut out head and shoulders; False takes whole frames.
        vgg: VGG19's weights for the perceptual loss, a file of tensors. Without it, pictures and their
            edges are compared at several scales.
        consent: records of people in the clips, if you want the model to name them, by their hashes. They
            are checked before anything else is opened; nobody is compared with them.
        cache: where prepared clips are kept; default: `clips` in `out`.
        steps: stop after so many steps in all; default: as the configuration's epochs say.

    Raises:
        ConsentError: a record does not allow this.
        MediaError, FaceError: the data cannot be used.
        ModelError: the configuration, the weights or the state in `out` cannot be used.
        UsageError: they do not belong together, or `out` lies below the clips.
        TrainingDiverged: a loss is not finite any more; the state is kept for inspection.
        OutputError: something cannot be written.
    """
    hashes = _check_consent(consent)
    plan, folder = read_plan(Path(config)), Path(out)
    check_size(plan.model, plan.training.height_px, plan.training.width_px)
    for clips in (data, *(() if validation is None else (validation,))):
        _keep_apart(folder, Path(clips))
    where = choose_device(device)
    with join_world(where) as world:
        if world.is_first:
            _make_folder(folder)
        cut = Cut(plan.training.height_px, plan.training.width_px, crop)
        kept = Path(cache) if cache is not None else folder / "clips"

        def prepare(path: str | os.PathLike[str]) -> Clips:
            if world.is_first:
                prepare_clips(Path(path), kept, cut, on_progress=on_progress)
            world.wait()
            return prepare_clips(Path(path), kept, cut)

        learned = prepare(data)
        judged = prepare(validation) if validation is not None else Clips((), ())
        features = read_vgg(Path(vgg)) if vgg is not None else None
        trainer = FommTrainer(plan, features=features, device=where, world=world)
        run = _Run(trainer, plan, folder, learned.clips, judged.clips, rhythm or Rhythm(), hashes)
        resumed_at = run.resume()
        if world.is_first:
            _copy_configuration(Path(config), folder)  # only now: it belongs to the checkpoints there
        total = run.pairs.steps_per_epoch * plan.training.num_epochs if steps is None else steps
        run.go(total, on_progress if world.is_first else silent)
        return Trained(
            folder, run.standing.step, resumed_at, run.standing.best, (*learned.notes, *judged.notes)
        )


class _Run:
    """The loop, and what it writes; only the first process writes."""

    def __init__(
        self,
        trainer: FommTrainer,
        plan: Plan,
        folder: Path,
        learned: tuple[Clip, ...],
        judged: tuple[Clip, ...],
        rhythm: Rhythm,
        consent: tuple[str, ...],
    ) -> None:
        settings, world = plan.training, trainer.world
        self.trainer, self.folder, self.rhythm, self.world = trainer, folder, rhythm, world
        self.pairs = Pairs(
            learned,
            settings.batch_size,
            settings.seed,
            settings.augmentation,
            world.rank,
            world.size,
            settings.num_repeats,
        )
        self.standing = Standing(
            0, float("inf"), settings.seed, len(learned), settings.batch_size, world.size, consent
        )
        self.shown = _fixed_pairs(judged or learned, 1, PREVIEW_ROWS)
        self.judged = _fixed_pairs(judged, JUDGED_FRAMES) if judged else None
        self._since_save: list[float] = []

    def resume(self) -> int:
        """Take up what is in the folder; returns the step."""
        path = self.folder / LAST
        if path.is_file():
            self.standing = resume_training(self.trainer, path, self.standing)
        return self.standing.step

    def go(self, total: int, on_progress: OnProgress) -> None:
        """Train until `total` steps are done."""
        first = self.standing.step
        with Journal(self.folder, first) if self.world.is_first else nullcontext() as journal:
            for step, batch in self.pairs.stream(first, total):
                self._step(step, batch, journal)
                on_progress(Progress("train", step + 1, total, "steps"))
        if total > first and (not self.rhythm.save or total % self.rhythm.save):
            self._save()

    def _step(self, step: int, batch: Batch, journal: Journal | None) -> None:
        epoch = step // self.pairs.steps_per_epoch
        self.trainer.set_epoch(epoch)
        outcome = self.trainer.step(batch, step)
        if not outcome.is_finite:
            raise self._diverged(step)
        self.standing = replace(self.standing, step=step + 1)
        self._since_save.append(outcome.losses["perceptual"])
        if journal is not None and _is_due(step, self.rhythm.report):
            journal.report(step, {**outcome.losses, "gradient_norm": outcome.gradient_norm, "epoch": epoch})
        if self.world.is_first and _is_due(step + 1, self.rhythm.preview):
            made = self.trainer.make(self.shown.source, self.shown.driving)
            grid = draw_grid(self.shown.source, self.shown.driving, made)
            save_preview(grid, self.folder / "previews" / f"step-{step + 1:07}.png", step + 1)
        if _is_due(step + 1, self.rhythm.save):
            self._save()

    def _save(self) -> None:
        score = self._score()
        self._since_save.clear()
        is_best = score < self.standing.best
        self.standing = replace(self.standing, best=min(score, self.standing.best))
        if not self.world.is_first:
            return
        epoch = self.standing.step // self.pairs.steps_per_epoch
        for name in (LAST, BEST) if is_best else (LAST,):
            save_training(self.trainer, self.standing, epoch, self.folder / name)

    def _score(self) -> float:
        if self.judged is None:
            if not self._since_save:
                return self.standing.best
            mine = torch.tensor(self._since_save, device=self.trainer.device).mean()
            return float(self.world.average(mine, ()))
        made = [
            self.trainer.make(source[None], driving[None])
            for source, driving in zip(*self.judged, strict=True)
        ]
        return float((torch.cat(made) - self.judged.driving).abs().mean())

    def _diverged(self, step: int) -> TrainingDiverged:
        path = self.folder / SNAPSHOT
        if self.world.is_first:
            save_training(self.trainer, self.standing, step // self.pairs.steps_per_epoch, path)
        return TrainingDiverged(
            f"A loss of step {step} is not finite any more. The state then is in {path.name}; {LAST}, where "
            "there is one, is from before.",
            "Lower the learning rates or clip_norm in the configuration; the same command then goes on.",
        )


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _fixed_pairs(clips: tuple[Clip, ...], frames: int, most: int | None = None) -> Batch:
    """The first frame of each clip, with later ones at equal distances, the last among them."""
    sources: list[Tensor] = []
    drivers: list[Tensor] = []
    for clip in clips[:most]:
        for index in np.linspace(0, len(clip.frames) - 1, frames + 1)[1:].round().astype(int):
            sources.append(_as_tensor(clip.frames[0]))
            drivers.append(_as_tensor(clip.frames[index]))
    return Batch(torch.stack(sources), torch.stack(drivers))


def _as_tensor(frame: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(frame)).permute(2, 0, 1).float() / 255


def _check_consent(given: Consent | Sequence[Consent] | None) -> tuple[str, ...]:
    """The hashes of the records, each of which has to allow that somebody is animated."""
    if given is None:
        return ()
    records = given if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else (given,)
    return tuple(sorted({check(record, act="animate").record.sha256 for record in records}))


def _keep_apart(out: Path, data: Path) -> None:
    """Previews are pictures: below the clips, they would be learned from."""
    if out.resolve().is_relative_to(data.resolve()):
        raise UsageError(
            f"{out} lies in the folder of the clips, and its previews would be taken for clips.",
            "Give a place for the results outside that folder.",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def _copy_configuration(config: Path, folder: Path) -> None:
    target = folder / "config.yaml"
    try:
        if not (target.is_file() and target.samefile(config)):
            with temporary_beside(target) as pending:
                pending.path.write_bytes(config.read_bytes())
                pending.commit()
    except OSError as error:
        raise write_error(target, error) from error
