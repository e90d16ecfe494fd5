"""The `fomm` engine: which files it takes, and how it finds its place in a portrait of any size."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar, Self

from likeness.config import AnimateConfig, MotionConfig
from likeness.errors import UsageError
from likeness.types import ModelRef

if TYPE_CHECKING:
    from likeness.engines.base import Source
    from likeness.engines.fomm.library import FommModel
    from likeness.engines.fomm.performer import FommPerformer
    from likeness.engines.fomm.whole import WholePerformer
    from likeness.motion.frame import Need
    from likeness.types import Picture

KNOWN = frozenset({"relative", "adapt_scale", "best_frame"})


class FommEngine:
    """The First Order Motion Model, with weights that somebody published or that you trained: see `open`."""

    name: ClassVar[str] = "fomm"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({"image"})

    def __init__(self, model: FommModel, *, whole_frame: bool = False) -> None:
        self._model, self.whole_frame = model, whole_frame

    @classmethod
    def open(cls, model: str, config: AnimateConfig) -> Self:
        """The engine with one of the user's models (`fomm:vox`), or with the files that `config` names.

        Raises:
            UsageError: neither or both were given, or a choice that this engine does not know.
            ModelError, MediaNotFound: the model cannot be found or read.
        """
        from likeness.engines.fomm.library import open_files, open_model

        for choice in fields(MotionConfig):
            if choice.name not in KNOWN and getattr(config, choice.name) != choice.default:
                raise UsageError(
                    f"The engine fomm moves the whole face, and knows no {choice.name.replace('_', ' ')}.",
                    "Leave that choice out, or use the engine mesh.",
                )
        if config.device not in ("auto", "cpu"):
            raise UsageError(
                f"The engine fomm runs on the processor only, not on {config.device}.",
                "Leave out --device (device in Python).",
            )
        if config.whole_frame:
            _refuse_faces(config)
        if model:
            if config.checkpoint or config.checkpoint_config:
                raise UsageError(
                    "Both a model by name and a checkpoint were given.",
                    f"Leave out --checkpoint and --config (checkpoint in Python), or “:{model}”.",
                )
            found = open_model(model)
            if found.whole_frame:
                _refuse_faces(config)
            return cls(found, whole_frame=found.whole_frame or config.whole_frame)
        if config.checkpoint is None or config.checkpoint_config is None:
            raise UsageError(
                "The engine fomm needs a checkpoint and its configuration.",
                "Add --checkpoint FILE and --config FILE (checkpoint and checkpoint_config in Python), or "
                "import them once with `likeness models import` and use the engine fomm:NAME.",
            )
        opened = open_files(config.checkpoint, config.checkpoint_config)
        return cls(opened, whole_frame=config.whole_frame)

    def prepare(self, source: Source, config: AnimateConfig) -> FommPerformer:
        """Cut the face out at the model's size, and compute what does not change."""
        from likeness.engines.fomm.performer import FommPerformer

        return FommPerformer(self._model.pair, source, config, self._model.side_px)

    def prepare_whole(self, image: Picture, config: AnimateConfig) -> WholePerformer:
        """For models that know no faces: the whole picture, (h, w, 3) uint8 RGB."""
        from likeness.engines.fomm.animator import Settings
        from likeness.engines.fomm.whole import WholePerformer

        settings = Settings(relative=config.relative, adapt_scale=config.adapt_scale)
        return WholePerformer(self._model.pair, image, settings, self._model.side_px)

    def models(self) -> tuple[ModelRef, ...]:
        """The checkpoint."""
        return (ModelRef(self._model.name, self._model.sha256),)


def _refuse_faces(config: AnimateConfig) -> None:
    if config.crop or config.source_face is not None or config.driving_face is not None:
        raise UsageError(
            "This model is shown whole pictures, in which no face is looked for.",
            "Leave out --crop, --source-face and --driving-face (crop … in Python).",
        )
