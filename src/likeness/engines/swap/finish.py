"""From a new face in a square to the finished picture: colours, mask, what is in front, paste."""

from __future__ import annotations

import numpy as np

from likeness.config import PasteConfig
from likeness.engines.swap.colour import ColourMatch
from likeness.engines.swap.hair import forehead_hair
from likeness.engines.swap.mask import soften
from likeness.engines.swap.paste import paste
from likeness.faces.aligned import Alignment
from likeness.types import Floats, Picture


class Finisher:
    """Puts the new faces of one clip into its pictures, in order. An instance belongs to one thread.

    Args:
        config: the choices.
        rate_hz: frames a second.
    """

    def __init__(self, config: PasteConfig, rate_hz: float) -> None:
        self._config = config
        self._colour = ColourMatch(config.colour, rate_hz)

    def finish(
        self,
        image: Picture,
        square: Alignment,
        points: Floats,
        face: Picture,
        mask: Floats,
        shown: Floats | None = None,
    ) -> Picture:
        """A copy of the picture with the new face in it.

        Args:
            image: (h, w, 3) uint8 RGB.
            square: where the face is.
            points: (478, 3) float32 px, the old face in the picture.
            face: (size, size, 3) uint8 RGB, the new face in the square.
            mask: (size, size) float32, 0…1, where there is any; its edge is softened.
            shown: (size, size) float32, 0…1, what of it is to be seen; None = all.
        """
        config, size = self._config, len(face)
        scene = square.cut(image, size)
        matched = self._colour(face, scene, mask if shown is None else np.asarray(mask * shown, np.float32))
        share = soften(mask, erode=config.mask_erode, blur=config.mask_blur)
        if shown is not None:
            share = share * shown
        if config.occlusion:
            share = share * (1 - forehead_hair(scene, square.cut_points(points, size)))
        return paste(
            image,
            matched,
            np.asarray(share, np.float32),
            square,
            face_scale=config.face_scale,
            sharpen=config.sharpen,
        )

    def forget(self) -> None:
        """The face was gone, or the scene is another: begin anew."""
        self._colour.forget()
