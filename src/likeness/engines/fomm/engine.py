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
    from likeness.motion.frame import Need

KNOWN = frozenset({"relative", "adapt_scale", "best_frame"})


class FommEngine:
    """The First Order Motion Model, with weights that somebody published or that you trained: see `open`."""

    name: ClassVar[str] = "fomm"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({"image"})

    def __init__(self, model: FommModel) -> None:
        self._model = model

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
        if model:
            if config.checkpoint or config.checkpoint_config:
                raise UsageError(
                    "Both a model by name and a checkpoint were given.",
                    f"Leave out --checkpoint and --config (checkpoint in Python), or “:{model}”.",
                )
            return cls(open_model(model))
        if config.checkpoint is None or config.checkpoint_config is None:
            raise UsageError(
                "The engine fomm needs a checkpoint and its configuration.",
                "Add --checkpoint FILE and --config FILE (checkpoint and checkpoint_config in Python), or "
                "import them once with `likeness models import` and use the engine fomm:NAME.",
            )
        return cls(open_files(config.checkpoint, config.checkpoint_config))

    def prepare(self, source: Source, config: AnimateConfig) -> FommPerformer:
        """Cut the face out at the model's size, and compute what does not change."""
        from likeness.engines.fomm.performer import FommPerformer

        return FommPerformer(self._model.pair, source, config)

    def models(self) -> tuple[ModelRef, ...]:
        """The checkpoint."""
        return (ModelRef(self._model.name, self._model.sha256),)
