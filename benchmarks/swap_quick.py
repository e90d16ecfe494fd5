"""The swap without training, judged like the trained ones."""

from __future__ import annotations

from typing import Any

from likeness.config import QuickSwapConfig
from likeness.engines.swap.nearest import Gallery
from likeness.engines.swap.quick import QuickSwap
from likeness.pipelines.swap_bent import Bent
from likeness.types import Picture
from swap_learning import Looker
from swap_media import RATE, Media, seen

SIZE_PX = 64


def measure_quick(media: Media) -> tuple[dict[str, Any], list[Picture]]:
    """Figures, and A's held-out frames with the swap in them."""
    config = QuickSwapConfig()
    gallery = Gallery(config.looks)
    for item in media.b.trained:
        gallery.add(item.frame.image, seen(item)[0])
    bent = Bent(QuickSwap(gallery.looks, RATE), config, RATE)
    pictures = [picture for _, picture in bent.swap(media.a.held_out)]
    return Looker(media, SIZE_PX).judge_frames(pictures), pictures
