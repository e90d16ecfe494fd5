"""The visible label: a small rounded box that says "AI-generated" in a corner of every frame.

The patch is drawn once per video with Pillow and blended with integer arithmetic. It is a dark box of fixed
opacity with white text, so its contrast has a floor that no background can lower: white behind the box shows
as grey 80, against which the text keeps the 7 : 1 that WCAG 2.2 (1.4.6, enhanced) asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from likeness.errors import UsageError
from likeness.types import Picture

Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, px; right and bottom excluded

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        # The only font that every installation has is the one inside Pillow, and its only letters are ASCII:
        # so French says "produced by" for want of an é, and no language of another script is here.
        "de": "KI-generiert",
        "en": "AI-generated",
        "es": "Generado por IA",
        "fr": "Produit par IA",
        "it": "Generato con IA",
        "nl": "AI-gegenereerd",
        "pl": "Utworzone przez AI",
        "pt": "Gerado por IA",
    }
)

BOX_ALPHA = 0.72
BOX_GREY = 12
EDGE_ALPHA = 0.30  # a hairline, so that the box has a shape on a black background too
TEXT_GREY = 255


@dataclass(frozen=True, slots=True)
class Style:
    """Lengths of the label for one frame size, px."""

    font_px: float
    pad_x: int
    pad_y: int
    margin: int
    edge: int

    @classmethod
    def for_frame(cls, width: int, height: int) -> Style:
        """A label that is legible at 256 px (letters about 13 px high) and does not shout at 2160 px.

        The font grows with the 0.55th power of the shorter side: 14 px at 256, 20 at 512, 31 at 1080, 45
        at 2160.
        """
        short = min(width, height)
        font_px = max(14.0 * (short / 256.0) ** 0.55, 10.0)
        return cls(
            font_px=font_px,
            pad_x=round(0.58 * font_px),
            pad_y=round(0.34 * font_px),
            margin=round(0.028 * short + 2),
            edge=max(round(font_px / 22), 1),
        )


class Label:
    """A label for frames of one size, in one corner.

    Args:
        width, height: size of the frames, px.
        face_box: the face to stay clear of, px, or None.
        language: a key of `TEXTS`.

    Attributes:
        name: "label", as the seal calls this layer.
        text: what it says.
        box: left, top, right, bottom of the drawn area, integer px; nothing outside it is changed.
    """

    name: Final = "label"

    def __init__(self, width: int, height: int, *, face_box: Box | None = None, language: str = "en") -> None:
        if language not in TEXTS:
            raise UsageError(
                f"There is no label text for language '{language}'.",
                f"Choose one of: {', '.join(TEXTS)}. Other scripts and accents cannot be drawn everywhere.",
            )
        self.text = TEXTS[language]
        self._size = (height, width, 3)
        style, colour, alpha = _render(self.text, width, height)
        patch_height, patch_width = alpha.shape
        self.box = _place(patch_width, patch_height, width, height, style.margin, face_box)
        # colour·weight + picture·(256 − weight), in units of 1/256. The sum stays below 2¹⁶: 255·256 + 128.
        weight = np.rint(alpha * 256.0)[:, :, None].repeat(3, axis=2)
        self._keep = (256.0 - weight).astype(np.uint16)
        self._add = np.rint(colour[:, :, None] * weight + 128.0).astype(np.uint16)

    def draw(self, image: Picture) -> None:
        """Blends the label into `image`, (height, width, 3) uint8, in place."""
        if image.shape != self._size:
            raise ValueError(f"the label was made for frames of shape {self._size}, not {image.shape}")
        left, top, right, bottom = self.box
        region = image[top:bottom, left:right]
        mixed = self._keep * region
        mixed += self._add
        mixed >>= 8
        region[...] = mixed


def _render(text: str, width: int, height: int) -> tuple[Style, NDArray[np.float64], NDArray[np.float64]]:
    """The style used, and the patch as grey (0…255) and alpha (0…1), each (h, w)."""
    style = Style.for_frame(width, height)
    font = ImageFont.load_default(style.font_px)
    room = width - 2 * style.margin - 2 * style.pad_x
    if (length := font.getlength(text)) > room:  # a very narrow frame: the text has to fit before all else
        style = Style(max(style.font_px * room / length, 4.0), 1, 1, 0, 1)
        font = ImageFont.load_default(style.font_px)
    ascent, descent = _extent(font)
    patch_width = min(round(font.getlength(text)) + 2 * style.pad_x, width)
    patch_height = min(ascent + descent + 2 * style.pad_y, height)

    letters = Image.new("L", (patch_width, patch_height), 0)
    draw = ImageDraw.Draw(letters)
    # Optically centred: a descender weighs less than the capitals, so it may reach a little into the padding.
    baseline = style.pad_y + ascent + round(descent / 4)
    draw.text((patch_width / 2, baseline), text, font=font, fill=255, anchor="ms")
    ink = np.asarray(letters, np.float64) / 255.0

    outer, inner = (_rounded(patch_width, patch_height, inset) for inset in (0, style.edge))
    rim = outer - inner
    # Three layers over one another, source-over: box, hairline, letters (Porter and Duff 1984).
    alpha = BOX_ALPHA * outer
    grey = np.full_like(alpha, BOX_GREY)
    for layer_alpha, layer_grey in ((EDGE_ALPHA * rim, 255.0), (ink, float(TEXT_GREY))):
        total = layer_alpha + alpha * (1.0 - layer_alpha)
        grey = np.divide(
            layer_grey * layer_alpha + grey * alpha * (1.0 - layer_alpha),
            total,
            out=np.zeros_like(total),
            where=total > 0,
        )
        alpha = total
    return style, grey, alpha


def _extent(font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    """Height above and below the baseline, px, of the letters used rather than of the whole font."""
    box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), "AIdg", font=font, anchor="ls")
    return -round(box[1]), round(box[3])


def _rounded(width: int, height: int, inset: int) -> NDArray[np.float64]:
    """Coverage, 0…1, of a rounded rectangle inside (height, width), antialiased by 8 × 8 supersampling."""
    scale = 8
    mask = Image.new("L", (width * scale, height * scale), 0)
    shape = (inset * scale, inset * scale, (width - inset) * scale - 1, (height - inset) * scale - 1)
    if shape[2] > shape[0] and shape[3] > shape[1]:
        radius = scale * max(0.32 * height - inset, 0.0)
        ImageDraw.Draw(mask).rounded_rectangle(shape, radius=radius, fill=255)
    return np.asarray(mask.resize((width, height), Image.Resampling.BOX), np.float64) / 255.0


def _place(
    patch_width: int, patch_height: int, width: int, height: int, margin: int, face_box: Box | None
) -> tuple[int, int, int, int]:
    """The corner that covers the face least; among equals bottom right, bottom left, top right, top left.

    Coordinates are even where that is possible, so that 4:2:0 chroma does not smear the edge of the box.
    """
    left, right = min(margin, width - patch_width), max(width - patch_width - margin, 0)
    top, bottom = min(margin, height - patch_height), max(height - patch_height - margin, 0)
    corners = [(right, bottom), (left, bottom), (right, top), (left, top)]
    boxes = [(x - x % 2, y - y % 2) for x, y in corners]
    x, y = min(boxes, key=lambda at: _overlap((*at, at[0] + patch_width, at[1] + patch_height), face_box))
    return x, y, x + patch_width, y + patch_height


def _overlap(a: Box, b: Box | None) -> float:
    """Area that two boxes share, px²."""
    if b is None:
        return 0.0
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
