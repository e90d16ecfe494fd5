"""Swap with a trained model: consent ▸ A's clip, followed ▸ the model's faces, put in ▸ seal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from likeness.config import SwapConfig
from likeness.consent.permission import Permission
from likeness.engines.swap.finish import Finisher
from likeness.engines.swap.hair import forehead_hair
from likeness.engines.swap.mask import agree, face_mask
from likeness.engines.swap.sane import check_numbers
from likeness.engines.swap.warp_model import WarpModel
from likeness.errors import FaceIndex, ModelFormat, NoFace
from likeness.faces.nets import LANDMARKER
from likeness.faces.resnet import NUMBERS
from likeness.media import check_input, check_output
from likeness.models import fetch_all, ref
from likeness.pipelines.aligned_faces import AlignedFaces
from likeness.pipelines.choose_face import Chooser
from likeness.pipelines.follow_face import Followed
from likeness.pipelines.swap_bent import Bent, without_effect
from likeness.pipelines.swap_clip import (
    Swap,
    follow,
    nobody_was_followed,
    open_clip,
    open_hands,
    write_swapped,
)
from likeness.pipelines.swapped import Swapped, check_label, options_of
from likeness.progress import OnProgress, silent
from likeness.types import Floats, Ingredient, Making, ModelRef, Picture

NAME, VERSION = "swap", "1"
BATCH = 4
"""So many faces go through the model at once."""
Side: TypeAlias = Literal["A", "B"]


class Decoder(Protocol):
    """What shows cut faces as another person's."""

    @property
    def size_px(self) -> int: ...

    def swap(self, faces: Picture, to: Side = "B") -> tuple[Floats, Floats]: ...


class AnyModel(Protocol):
    """What `convert` needs of every model."""

    @property
    def refs(self) -> tuple[ModelRef, ...]: ...

    def permission(self, to: Side) -> Permission: ...

    @property
    def card(self) -> dict[str, Any]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


class Model(AnyModel, Decoder, Protocol):
    """What it needs of one that decodes faces; `engines.swap.model.SwapModel` is one."""


def convert(
    clip: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | Model | WarpModel,
    out: str | os.PathLike[str],
    config: SwapConfig | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Swapped:
    """Show the performance in `clip` with the face that a model has learned.

    The consent record in the model is checked before any media are opened. A model with decoders knows what A
    looks like: only A's face is replaced, and others pass through. One that bends pictures knows nobody but
    B, and replaces the largest face of the first frame that shows one.

    Args:
        clip: a video of person A.
        model: a model file, the run's folder, or an open model.
        out: `.mp4`, `.webm`, `.gif`, or a folder for PNGs.
        config: all other choices, or
        options: some of them by name, such as `to="A"`; see `SwapConfig`.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        ConsentError: the record in the model does not allow it.
        NoFace: nobody in the clip is the person whom the model knows.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    config = options_of(SwapConfig, config, options)
    opened = _open(model) if isinstance(model, str | os.PathLike) else model
    permission = opened.permission(config.to)
    check_label(permission, config)
    clip, out = check_input(Path(clip)), Path(out)
    check_output(out, overwrite=config.overwrite, inputs=[clip])
    offline = config.offline or None
    fetch_all([LANDMARKER], on_progress=on_progress, offline=offline)
    hands, notes = open_hands(config, on_progress)
    with open_clip(clip, config) as reader:
        rate_hz = float(reader.info.rate)
        found = None
        if config.alignments is not None:
            found = AlignedFaces(config.alignments, clip, int(reader.start_s * reader.info.rate))
        known = known_face(opened, "A" if config.to == "B" else "B")
        chooser = Chooser(config.face, known, rate_hz, offline=offline)
        return write_swapped(
            reader,
            follow(reader, chooser, hands, found),
            swap_of(opened, config, rate_hz),
            out,
            _describe(config, clip, opened, permission),
            config,
            on_progress,
            nobody=lambda: _nobody(chooser, config, clip.name),
            notes=(*permission.notes, *opened.notes, *notes, *_without_effect(opened, config)),
        )


def _without_effect(model: AnyModel, config: SwapConfig) -> tuple[str, ...]:
    """What was asked for and says nothing to a model of this kind."""
    if isinstance(model, WarpModel):
        name, why = "mask", "a model that bends pictures replaces the face that is tracked"
        more = without_effect(config)
    else:
        name, why, more = "shape", "a model with decoders makes B's face in its own shape", ()
    is_plain = getattr(config, name) == getattr(SwapConfig(), name)
    return more if is_plain else (f"“{name}” had no effect: {why}.", *more)


def known_face(model: AnyModel, side: Side) -> Floats | None:
    """What the person on that side looks like, (1, 128) float32, or None where the model's card says nothing.

    Raises:
        ModelFormat: the card holds something else than an embedding there.
    """
    faces = model.card.get("identity")
    values = faces.get(side) if isinstance(faces, dict) else None
    if values is None:
        return None
    try:
        known = np.asarray(values, np.float32).reshape(1, NUMBERS)
    except (TypeError, ValueError) as error:
        raise ModelFormat(
            f"The model's card is damaged: what it says of person {side} is no face embedding.",
            "Copy the model again from where it was made.",
        ) from error
    return known if np.isfinite(known).all() else None


def swap_of(model: Decoder | WarpModel, config: SwapConfig, rate_hz: float) -> Swap:
    """What replaces the face in frame after frame; nothing is asked of consent, and nothing sealed."""
    if isinstance(model, WarpModel):
        return Bent(model.renderer(rate_hz), config, rate_hz).swap
    if config.colour == "auto":
        config = replace(config, colour="lab")  # light and shade come through the encoder
    return _Learned(model, config, rate_hz).swap


class _Learned:
    """The swap of a clip, a few faces at a time."""

    def __init__(self, model: Decoder, config: SwapConfig, rate_hz: float) -> None:
        self._model = model
        self._config = config
        self._finisher = Finisher(config, rate_hz)

    def swap(self, followed: Iterable[Followed]) -> Iterator[tuple[Followed, Picture]]:
        """Every frame, and its finished picture."""
        waiting: list[Followed] = []
        for item in followed:
            waiting.append(item)
            if len(waiting) == BATCH:
                yield from self._finish(waiting)
                waiting = []
        yield from self._finish(waiting)

    def _finish(self, items: list[Followed]) -> Iterator[tuple[Followed, Picture]]:
        size, squares = self._model.size_px, [one.square for one in items]
        cuts = [one.frame.image for one in items]
        faces = [
            square.cut(image, size) for square, image in zip(squares, cuts, strict=True) if square is not None
        ]
        made = zip(*self._run(np.stack(faces)), strict=True) if faces else iter(())
        for item in items:
            if item.face is None or item.square is None:
                yield item, item.frame.image
                continue
            if item.starts:
                self._finisher.forget()
            rgb, mask = next(made)
            points = item.face.points
            face, within = _to_bytes(rgb), item.square.cut_points(points, size)
            mask = self._mask(mask, within)
            # B's fringe on A's forehead would be hair below hair.
            skin = 1 - forehead_hair(face, within, whole=True)
            picture = self._finisher.finish(
                item.frame.image, item.square, points, face, mask, skin, item.hands
            )
            yield item, picture

    def _run(self, faces: Picture) -> tuple[Floats, Floats]:
        rgb, mask = self._model.swap(faces, self._config.to)
        check_numbers(rgb, mask)
        return rgb, mask

    def _mask(self, learned: Floats, points: Floats) -> Floats:
        if self._config.mask == "model":
            return np.clip(learned, 0, 1)
        outline = face_mask(points, len(learned))
        return outline if self._config.mask == "face" else agree(np.clip(learned, 0, 1), outline)


def _open(path: str | os.PathLike[str]) -> Model | WarpModel:
    # Needs torch, and so what is installed separately.
    opened: Model | WarpModel = import_module("likeness.engines.swap.model").open_model(Path(path))
    return opened


def _to_bytes(rgb: Floats) -> Picture:
    return np.asarray(np.clip(rgb, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)


def _nobody(chooser: Chooser, config: SwapConfig, name: str) -> NoFace | FaceIndex:
    if config.face is None and chooser.most and np.isfinite(chooser.nearest):
        person = "A" if config.to == "B" else "B"
        return NoFace(
            f"Nobody in {name} is the person {person} whom the model knows "
            f"(the nearest face is {chooser.nearest:.2f} away; the same person is below 0.6).",
            "Use a clip of that person, or say which face to replace: --face N (face=N in Python).",
        )
    return nobody_was_followed(chooser, config.face, name)


def _describe(config: SwapConfig, clip: Path, model: AnyModel, permission: Permission) -> Making:
    return Making(
        act="swap",
        engine=NAME,
        engine_version=VERSION,
        ingredients=(Ingredient(clip, "source"),),
        models=(*model.refs, ref(LANDMARKER)),
        parameters={
            "to": config.to,
            "colour": config.colour,
            "mask": config.mask,
            "sharpen": config.sharpen,
            "face_scale": config.face_scale,
            **({"shape": config.shape} if isinstance(model, WarpModel) else {}),
        },
        rights=config.rights,
        label=config.label,
        tsa_url=config.tsa_url,
        consent=permission.describe(),
    )
