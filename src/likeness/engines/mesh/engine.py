"""The `mesh` engine: what it is called and what it needs. `performer.py` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from likeness.config import AnimateConfig
    from likeness.engines.base import Source
    from likeness.engines.mesh.performer import MeshPerformer
    from likeness.motion.frame import Need
    from likeness.types import ModelRef


class MeshEngine:
    """2.5D mesh animation; runs on any CPU and needs no training."""

    name: ClassVar[str] = "mesh"
    version: ClassVar[str] = "1"
    needs: ClassVar[frozenset[Need]] = frozenset({"appearance"})

    def prepare(self, source: Source, config: AnimateConfig) -> MeshPerformer:
        """Take the source apart into person, background, eyes and shading map; compile the inner loops."""
        from likeness.engines.mesh.performer import MeshPerformer  # slow to import

        return MeshPerformer(source, config)

    def models(self) -> tuple[ModelRef, ...]:
        """The face and the segmentation model."""
        from likeness.models import ref

        return ref("face-landmarker"), ref("selfie-segmentation")
