"""The colours of the scene for the new face, steady over time.

    lab         mean and spread of each channel of CIELAB (Reinhard et al., "Color transfer", 2001)
    light       as lab, then light and shade of the old face: all that changes slowly over it
    histogram   each of red, green and blue gets the old face's distribution
    seamless    what differs along the edge is spread over the inside, smoothly, as in cloning by gradients
                (Pérez et al., 2003), but with a membrane of averages (after Farbman et al., 2009)
    none        as it is

Of the first two, mean and spread are those of skin. Lips would carry theirs into it: with a pale face's red
ones counted, its skin becomes olive in the place of a dark face. The eyes are only made as bright as the old
ones: with the skin's colours, their whites become as dark as skin.

What is measured is measured on 64 × 64 pixels and filtered over time, since it changes with the light and not
with every frame.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from likeness.config import Colour
from likeness.types import Floats, Picture

MEASURED_PX = 64
CALM_S = 0.4
"""How long what is measured is remembered."""
SPREAD_LOW, SPREAD_HIGH = 0.6, np.array([1.6, 1.0, 1.0], np.float32)
"""A channel's spread is changed by no more: what has little would get noise, what has much would lose all.
That of colours is never made larger: skin has little of it, and lips would come to glow."""
LIGHT_REACH = 0.11
"""Of light and shade, sigma in sides of the square."""
EYE_GAINS = 0.6, 1.4
"""The eyes are not made darker or brighter than by so much."""
EYE_EDGE = 0.005
"""How soft its edge is, sigma in sides of the square."""
BULB_BELOW = 0.4
"""What is less colourful than the skin by this share is wholly eye."""
GREY = 4.0
"""A skin that is not more colourful than this, in CIELAB, is that of a grey picture."""
LEAST_EYE_PX = 12
"""Eyes that show less say nothing of how bright they are."""
LIGHT_SHARE = np.array([0.75, 1.0, 1.0], np.float32)
"""So much of it is taken over: some of what looks like shade is the shape of the face, and that is B's. Its
colours are the lamps' and those of the complexion."""


class ColourMatch:
    """Brings one frame's face after another to the colours of the scene. Belongs to one clip.

    Args:
        method: see above.
        rate_hz: frames a second.
    """

    def __init__(self, method: Colour, rate_hz: float) -> None:
        self._method = method
        self._share = 1 - math.exp(-1 / max(CALM_S * rate_hz, 1e-3))
        self._known: dict[str, Floats] = {}

    def __call__(
        self,
        face: Picture,
        scene: Picture,
        mask: Floats,
        skin: Floats | None = None,
        eyes: tuple[Floats, Floats] | None = None,
    ) -> Picture:
        """The face, (size, size, 3) uint8 RGB, in the scene's colours.

        Args:
            face: (size, size, 3) uint8 RGB, the new one.
            scene: (size, size, 3) uint8 RGB, the same square as it was filmed.
            mask: (size, size) float32, 0…1, where to compare the two.
            skin: (size, size) float32, 0…1, which of that is skin; None = all.
            eyes: (size, size) float32, 0…1 each, where the new eyes and the old ones are open; None = nobody
                knows.
        """
        weight = _small(mask)
        if self._method == "none" or float(weight.sum()) < 1:
            return face
        if self._method == "histogram":
            return self._match_histogram(face, scene, mask)
        if self._method == "seamless":
            return self._clone(face, scene, weight)
        if skin is not None and float((skin := _small(mask * skin)).sum()) >= 1:
            weight = skin
        lab = _lab(face)
        matched = self._match_lab(lab, face, scene, weight)
        return _rgb(matched if eyes is None else self._light_eyes(lab, matched, scene, *eyes))

    def forget(self) -> None:
        """The face was gone: measure anew."""
        self._known.clear()

    def _calm(self, name: str, now: Floats) -> Floats:
        before = self._known.get(name, now)
        self._known[name] = before + np.float32(self._share) * (now - before)
        return self._known[name]

    def _match_lab(self, lab: Floats, face: Picture, scene: Picture, weight: Floats) -> Floats:
        own, wanted = _lab(_small(face)), _lab(_small(scene))
        own_mean, own_spread = _moments(own, weight)
        mean, spread = _moments(wanted, weight)
        gain = np.clip((spread + 0.5) / (own_spread + 0.5), SPREAD_LOW, SPREAD_HIGH)
        self._calm("skin", own_mean)
        gain = self._calm("gain", gain)
        offset = self._calm("offset", mean - gain * own_mean)
        result = lab * gain + offset
        if self._method == "light":
            rest = wanted - (own * gain + offset)
            reach = LIGHT_REACH * MEASURED_PX
            blurred = cv2.GaussianBlur(rest * weight[:, :, None], (0, 0), reach)
            light = blurred / (cv2.GaussianBlur(weight, (0, 0), reach)[:, :, None] + 1e-3)
            result += _large(self._calm("light", LIGHT_SHARE * light), len(face))
        return np.asarray(result, np.float32)

    def _light_eyes(self, lab: Floats, matched: Floats, scene: Picture, new: Floats, old: Floats) -> Floats:
        """What was matched, with eyes of their own colours, as bright as the old ones."""
        open_new, open_old = new > 0.5, old > 0.5
        if min(open_new.sum(), open_old.sum()) >= LEAST_EYE_PX:
            bright = np.percentile(_lab(scene[open_old][None])[..., 0], 90)
            gain = (bright + 1) / (np.percentile(lab[open_new][:, 0], 90) + 1)
            self._calm("eyes", np.clip(np.array([gain], np.float32), *EYE_GAINS))
        if "eyes" not in self._known:
            return matched
        # Where it is as colourful as skin, it is lid.
        skin = max(float(np.linalg.norm(self._known["skin"][1:])), GREY)
        bulb = np.clip((1 - np.hypot(lab[..., 1], lab[..., 2]) / skin) / BULB_BELOW, 0, 1)
        share = cv2.GaussianBlur(new * bulb, (0, 0), max(0.5, EYE_EDGE * len(new)))[:, :, None]
        return np.asarray(matched + share * (lab * self._known["eyes"] - matched), np.float32)

    def _match_histogram(self, face: Picture, scene: Picture, mask: Floats) -> Picture:
        inside = (mask > 0.5).astype(np.uint8)
        tables = np.stack([_table(face[:, :, c], scene[:, :, c], inside) for c in range(3)], axis=1)
        table = self._calm("table", tables)
        return np.asarray(cv2.LUT(face, np.rint(table)[None].astype(np.uint8)), np.uint8)

    def _clone(self, face: Picture, scene: Picture, weight: Floats) -> Picture:
        rest = _small(scene).astype(np.float32) - _small(face)
        # The edge is where the mask changes; inside nothing is known.
        inner = cv2.erode(weight, np.ones((5, 5), np.uint8))
        edge = np.clip(weight - inner, 0, 1) + np.float32(1e-6) * weight
        membrane = _large(self._calm("membrane", _spread(rest, np.asarray(edge, np.float32))), len(face))
        return np.asarray(np.clip(face + membrane + 0.5, 0, 255), np.uint8)


def _spread(values: Floats, weight: Floats) -> Floats:
    """What is known at some pixels carried smoothly to all others: pull up a pyramid, push down again."""
    if len(values) <= 2:
        total = weight.sum() + 1e-9
        mean = (values * weight[:, :, None]).sum((0, 1)) / total
        return np.asarray(np.broadcast_to(mean, values.shape), np.float32)
    side = (len(values) + 1) // 2
    fine = cv2.merge([weight] * 3) * values
    sums = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
    weights = cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA)
    coarse = _spread(sums / (weights[:, :, None] + 1e-12), np.asarray(weights, np.float32))
    below = _large(np.asarray(coarse, np.float32), len(values))
    share = np.minimum(weight, 1)[:, :, None]
    return np.asarray(share * values + (1 - share) * cv2.GaussianBlur(below, (0, 0), 1), np.float32)


def _table(own: Picture, wanted: Picture, inside: Picture) -> Floats:
    """(256,) float32: for each value, the one that as large a share of the scene's pixels does not exceed."""
    parts = []
    for channel in (own, wanted):
        counts = cv2.calcHist([np.ascontiguousarray(channel)], [0], inside, [256], [0, 256]).ravel()
        shares = np.cumsum(counts + 1e-3)
        parts.append((shares - counts / 2) / shares[-1])
    return np.asarray(np.interp(parts[0], parts[1], np.arange(256)), np.float32)


def _moments(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each channel, (3,) float32."""
    share = (weight / weight.sum())[:, :, None]
    mean = (share * values).sum((0, 1))
    spread = np.sqrt((share * (values - mean) ** 2).sum((0, 1)))
    return mean.astype(np.float32), spread.astype(np.float32)


def _lab(image: Picture) -> Floats:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


def _rgb(lab: Floats) -> Picture:
    rgb = cv2.cvtColor(np.asarray(lab, np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(cv2.convertScaleAbs(np.maximum(rgb, 0), alpha=255), np.uint8)


def _small(array: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(array, (MEASURED_PX, MEASURED_PX), interpolation=cv2.INTER_AREA))


def _large(array: Floats, size_px: int) -> Floats:
    return np.asarray(cv2.resize(array, (size_px, size_px), interpolation=cv2.INTER_CUBIC), np.float32)
