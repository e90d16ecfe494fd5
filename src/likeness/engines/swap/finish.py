"""From a new face in a square to the finished picture: colours, mask, what is in front, paste."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.config import PasteConfig
from likeness.engines.swap.colour import ColourMatch
from likeness.engines.swap.hair import forehead_hair
from likeness.engines.swap.mask import eyes_mask, lips_mask, open_eyes_mask, soften
from likeness.engines.swap.paste import paste
from likeness.faces.aligned import Alignment
from likeness.faces.hands import Hand, hand_mask
from likeness.types import Floats, Picture

EYE_EDGE = 0.008
"""How soft the edge around an eye is, sigma in sides of the square."""


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
        hands: tuple[Hand, ...] = (),
        inside: tuple[Picture, Floats] | None = None,
        drawn: Floats | None = None,
    ) -> Picture:
        """A copy of the picture with the new face in it.

        Args:
            image: (h, w, 3) uint8 RGB.
            square: where the face is.
            points: (478, 3) float32 px, the old face in the picture.
            face: (size, size, 3) uint8 RGB, the new face in the square.
            mask: (size, size) float32, 0…1, where there is any; its edge is softened.
            shown: (size, size) float32, 0…1, what of it is to be seen; None = all.
            hands: those in the picture.
            inside: what is seen between the lips, in the scene's colours already, (size, size, 3) uint8 RGB;
                and where, (size, size) float32, 0…1.
            drawn: (478, 3) float32 px, the new face's points in the square; None = about those of the old.
        """
        config, size = self._config, len(face)
        scene = square.cut(image, size)
        front = self._front(scene, square, points, hands)
        if shown is not None:
            front = 1 - shown * (1 - front)
        compared = mask * (1 - front) if inside is None else mask * (1 - front) * (1 - inside[1])
        old = square.cut_points(points, size)
        new = old if drawn is None else drawn
        eyes = eyes_mask(new, size)
        skin = (1 - np.maximum(eyes, eyes_mask(old, size))) * (1 - lips_mask(new, size))
        matched = self._colour(
            face,
            scene,
            np.asarray(compared, np.float32),
            np.asarray(skin * (1 - lips_mask(old, size)), np.float32),
            (open_eyes_mask(new, size), open_eyes_mask(old, size)),
        )
        if inside is not None:
            within = inside[1][:, :, None]
            matched = np.asarray(matched * (1 - within) + inside[0] * within + np.float32(0.5), np.uint8)
        share = soften(mask, erode=config.mask_erode, blur=config.mask_blur)
        # Of a head that is turned, the far eye lies where the edge is soft: half of the old one would show.
        whole = cv2.GaussianBlur(eyes, (0, 0), max(0.5, size * EYE_EDGE)) * mask
        share = np.maximum(share, whole) * (1 - front)
        return paste(
            image,
            matched,
            np.asarray(share, np.float32),
            square,
            face_scale=config.face_scale,
            sharpen=config.sharpen,
        )

    def _front(self, scene: Picture, square: Alignment, points: Floats, hands: tuple[Hand, ...]) -> Floats:
        """What is in front of the face, (size, size) float32, 0…1."""
        size = len(scene)
        if not self._config.occlusion:
            return np.zeros((size, size), np.float32)
        front = forehead_hair(scene, square.cut_points(points, size))
        if hands:
            front = np.maximum(front, hand_mask(hands, square.from_picture(size), size))
        return front

    def forget(self) -> None:
        """The face was gone, or the scene is another: begin anew."""
        self._colour.forget()
