"""Where a training stands, on disk.

`last.pth.tar` has the published layout (`generator`, `kp_detector`, `discriminator`, `optimizer_…`,
`epoch`), so that it can be used like any checkpoint, here or elsewhere; beside these, `training` says how to
go on. It holds tensors and plain values only, and is read as such.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from likeness.errors import ModelFormat, UsageError
from likeness.media import temporary_beside
from likeness.media.files import write_error
from likeness.training.tensors import read_tensors
from likeness.training.trainer import FommTrainer

VERSION = 1
LAST, BEST = "last.pth.tar", "best.pth.tar"
_HINT = "Give another --out, or the configuration and data that this training was begun with."


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is.

    Attributes:
        step: steps done; the next one has this number.
        best: the smallest score so far, or infinity.
        seed, clips, batch_size, world: what the order of the data follows from.
        consent: SHA-256 of the records that were given, of all runs.
    """

    step: int
    best: float
    seed: int
    clips: int
    batch_size: int
    world: int
    consent: tuple[str, ...] = ()


def save_training(trainer: FommTrainer, standing: Standing, epoch: int, path: Path) -> None:
    """Write everything that is needed to go on, completely or not at all.

    Raises:
        OutputError
    """
    content = trainer.state() | {"epoch": epoch, "training": {"version": VERSION, **asdict(standing)}}
    try:
        with temporary_beside(path) as pending:
            _write(content, pending.path)
            pending.commit()
    except OSError as error:
        raise write_error(path, error) from error


def _write(content: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            # torch says that writing failed, and forgets why.
            raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None


def resume_training(trainer: FommTrainer, path: Path, expected: Standing) -> Standing:
    """Put a training back to where it was saved.

    Args:
        expected: what this call would begin with; the data and their order must be the same.

    Raises:
        ModelFormat: the file is damaged, or another model's.
        UsageError: it was begun with other data, another seed, or another number of processes.
    """
    content: dict[str, Any] = read_tensors(path, _HINT)
    try:
        stored = dict(content["training"])
        if stored.pop("version") != VERSION:
            raise ModelFormat(f"{path.name} was written by a newer version.", "Update likeness.")
        standing = Standing(**stored)
        trainer.restore(content)
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        raise ModelFormat(
            f"{path} cannot be gone on from: it is damaged, or another model's.", _HINT
        ) from error
    for name in ("seed", "clips", "batch_size", "world"):
        if getattr(standing, name) != getattr(expected, name):
            raise UsageError(
                f"{path} was trained with {name} {getattr(standing, name)}, not {getattr(expected, name)}.",
                _HINT,
            )
    return replace(standing, consent=tuple(sorted({*standing.consent, *expected.consent})))
