"""Where the training of a face swap stands, on disk.

    training.safetensors     weights, optimiser and step: what a training goes on from
    model.safetensors        what swaps faces (`engines.swap.model`)
    snapshots/step-….safetensors   such models from earlier steps

Each is written beside its place and renamed; the one before is kept as "….previous…". So at every moment
there is one that is whole, whatever interrupts the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from likeness.engines.swap.model_file import write_tensors
from likeness.errors import MediaNotFound, ModelFormat, UsageError
from likeness.models.tensors import open_tensors, read_all
from likeness.training.swap.learning import Learner

FILE_NAME: Final = "training.safetensors"
PREVIOUS_NAME: Final = "training.previous.safetensors"
FORMAT, VERSION = "likeness swap training", 3
_HINT = "Train into another folder (-o), or give the settings and faces that this training was begun with."


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training is, and what must be the same when it goes on.

    Attributes:
        model: of the family.
        config, settings: as JSON values.
        data_a, data_b: SHA-256 of what is learned from.
        world: how many processes.
        places: where the face sets were, by side; they may be elsewhere when it goes on.
    """

    model: str
    config: dict[str, Any]
    settings: dict[str, Any]
    data_a: str
    data_b: str
    world: int
    places: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is.

    Attributes:
        steps: done; the next one has this number.
        seconds: spent.
        slow_down: what learning rates are multiplied with after numbers ended.
        recoveries: how often that was.
        rounds: of refinement that were not rolled back.
    """

    steps: int = 0
    seconds: float = 0.0
    slow_down: float = 1.0
    recoveries: int = 0
    rounds: int = 0


def save_training(folder: Path, learner: Learner[Any, Any], plan: Plan, standing: Standing) -> None:
    """Write all that is needed to go on, completely or not at all.

    Raises:
        OutputError
    """
    header = {"format": FORMAT, "version": VERSION, "plan": asdict(plan), "standing": asdict(standing)}
    tensors = {name: value.detach().cpu().contiguous() for name, value in learner.state().items()}
    write_tensors(folder / FILE_NAME, tensors, header)


def has_training(folder: Path) -> bool:
    """Whether there is something to go on from."""
    return (folder / FILE_NAME).is_file() or (folder / PREVIOUS_NAME).is_file()


def resume_training(folder: Path, learner: Learner[Any, Any], plan: Plan) -> tuple[Standing, tuple[str, ...]]:
    """Put a learner back to where it was saved; where that file is damaged, to the one saved before.

    Returns:
        How far it is, and what is to be noted.

    Raises:
        ModelFormat: neither file can be used.
        UsageError: the training was begun with another model, other settings, faces, or processes.
    """
    name, found, standing, tensors = newest_training(folder)
    refuse_other_plan(found, plan, name)
    restore_learner(learner, tensors, standing, name)
    learner.slow_down = standing.slow_down
    if name == FILE_NAME:
        return standing, ()
    return standing, (f"{FILE_NAME} is damaged or missing; the one saved before it was gone on from.",)


def restore_learner(
    learner: Learner[Any, Any], tensors: dict[str, Tensor], standing: Standing, name: str
) -> None:
    """Weights and optimiser from what the file of this name held.

    Raises:
        ModelFormat: they are another model's.
    """
    try:
        learner.restore(tensors, standing.steps)
    except (KeyError, RuntimeError, ValueError) as error:
        raise ModelFormat(f"{name} holds another model than it says.", _HINT) from error


def newest_training(folder: Path) -> tuple[str, Plan, Standing, dict[str, Tensor]]:
    """What was saved last and can be read: the name of the file, and what it holds.

    Raises:
        ModelFormat: neither file can be used.
    """
    for name in (FILE_NAME, PREVIOUS_NAME):
        try:
            return name, *read_training(folder / name)
        except (MediaNotFound, ModelFormat):
            continue
    raise ModelFormat(
        f"What was saved in {folder} is damaged, or nothing was.", "Begin again in another folder (-o)."
    )


def read_training(path: Path) -> tuple[Plan, Standing, dict[str, Tensor]]:
    """What a file of ours holds.

    Raises:
        MediaNotFound: there is none.
        ModelFormat: it is damaged, or none of ours.
    """
    with open_tensors(path, _HINT) as file:
        return *_read_header(file.metadata(), path.name), read_all(file)


def _read_header(metadata: Mapping[str, str] | None, name: str) -> tuple[Plan, Standing]:
    try:
        values = json.loads((metadata or {})["likeness"])
        if (values["format"], values["version"]) != (FORMAT, VERSION):
            raise ValueError("another format")
        standing = Standing(**values["standing"])
        if not all(isinstance(getattr(standing, one.name), (int, float)) for one in fields(Standing)):
            raise ValueError("no numbers")
        plan = Plan(**values["plan"])
        if not all(isinstance(one, dict) for one in (plan.config, plan.settings, plan.places)):
            raise ValueError("no settings")
        if not all(isinstance(one, str) for one in (plan.model, plan.data_a, plan.data_b)):
            raise ValueError("no names")
        return plan, standing
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFormat(f"{name} is not a training of ours, or of another version.", _HINT) from error


def refuse_other_plan(found: Plan, wanted: Plan, name: str) -> None:
    """Raise where a training would not go on as what it was begun as.

    Raises:
        UsageError
    """
    before, now = (json.loads(json.dumps(asdict(replace(plan, places={})))) for plan in (found, wanted))
    before, now = _flat(before), _flat(now)
    different = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if not different:
        return
    told = {
        "model": "the model",
        "data_a": "the faces of A",
        "data_b": "the faces of B",
        "world": "the number of processes",
    }
    # Another model has another configuration and suits other settings, too: it says it all.
    first = next((key for key in told if key in different), different[0])
    what = told.get(first, first)
    values = "" if first in ("data_a", "data_b") else f": {before.get(first)} then, {now.get(first)} now"
    raise UsageError(f"{name} was begun with another configuration ({what}{values}).", _HINT)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
