"""Sheets of spectrograms to look at: one recording after another, from low to high and from soft to loud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from likeness.types import Floats, Picture

WIDTH_PX, HEIGHT_PX, TITLE_PX, GAP_PX = 1200, 200, 26, 8
RANGE_DB = 75.0
WINDOW_S, HOP_S = 0.030, 0.004


def write_sheet(path: Path, sounds: Mapping[str, Floats], rate_hz: int, *, top_hz: float = 8000.0) -> None:
    """Draw recordings below each other, each under its title, all on one scale of time.

    Args:
        sounds: by title, (n,) float32.
        top_hz: where the pictures end.
    """
    longest = max(map(len, sounds.values()))
    rows = []
    for title, sound in sounds.items():
        padded = np.pad(sound, (0, longest - len(sound)))
        rows += [_title(title), draw_spectrogram(padded, rate_hz, top_hz=top_hz)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path)


def draw_spectrogram(sound: Floats, rate_hz: int, *, top_hz: float = 8000.0) -> Picture:
    """(200, 1200, 3) uint8: dark blue is 75 dB below the loudest, yellow the loudest."""
    size, hop = round(WINDOW_S * rate_hz), round(HOP_S * rate_hz)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, size // 2), size)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), 2 * size)) ** 2
    power = power[:, : round(top_hz / rate_hz * 2 * size) + 1]
    level = 10 * np.log10(np.maximum(power / max(power.max(), 1e-12), 10 ** (-RANGE_DB / 10)))
    grey = np.uint8(255 * (1 + level.T[::-1] / RANGE_DB))
    sized = cv2.resize(grey, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.applyColorMap(sized, cv2.COLORMAP_INFERNO)[:, :, ::-1], np.uint8)


def _title(text: str) -> Picture:
    strip = Image.new("RGB", (WIDTH_PX, TITLE_PX + GAP_PX), "white")
    place = (4, GAP_PX + TITLE_PX // 2)
    ImageDraw.Draw(strip).text(place, text, font=ImageFont.load_default(16), fill=(40, 40, 40), anchor="lm")
    return np.asarray(strip, np.uint8)
