"""The swap of a clip by bending, with a network that mends or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from likeness.config import PasteConfig
from likeness.engines.swap.finish import Finisher
from likeness.engines.swap.quick import QuickSwap
from likeness.pipelines.follow_face import Followed
from likeness.types import Picture

LOOK_AHEAD = 100
"""So many frames are followed before the first one is painted, to learn what A's face is like at rest."""
MOST_BYTES = 256 << 20
"""Their pictures take no more than this."""


def without_effect(config: PasteConfig) -> tuple[str, ...]:
    """What was asked for and cannot be: beyond what was bent there is nothing to show."""
    if config.mask_erode >= 0:
        return ()
    return ("“mask_erode” below 0 had no effect: beyond a face that is bent there is nothing to show.",)


class Bent:
    """The swap of a clip, frame by frame; its beginning is read ahead, to learn the shape of A's face.

    Args:
        faces: renders them.
        config: the choices.
        rate_hz: frames a second.
    """

    def __init__(self, faces: QuickSwap, config: PasteConfig, rate_hz: float) -> None:
        if config.colour == "auto":
            # What is bent brings the light of another scene along.
            config = replace(config, colour="light")
        config = replace(config, mask_erode=max(0.0, config.mask_erode))
        self._faces, self._share = faces, config.shape
        self._finisher = Finisher(config, rate_hz)

    def swap(self, followed: Iterable[Followed]) -> Iterator[tuple[Followed, Picture]]:
        """Every frame, and its finished picture."""
        for item in self._look_ahead(iter(followed)):
            if item.face is None or item.square is None:
                yield item, item.frame.image
                continue
            if item.starts:
                self._faces.forget()
                self._finisher.forget()
            new = self._faces.render(item.frame.image, item.face, item.square)
            picture = self._finisher.finish(
                item.frame.image,
                item.square,
                item.face.points,
                new.face,
                new.mask,
                new.shown,
                item.hands,
                new.inside,
                new.points,
            )
            yield item, picture

    def _look_ahead(self, stream: Iterator[Followed]) -> Iterator[Followed]:
        """The same frames; at the first face, as many as are kept are read to learn from."""
        for first in stream:
            if first.face is None:
                yield first
                continue
            bytes_each = max(first.frame.image.nbytes, 1)
            ahead = [first, *islice(stream, min(LOOK_AHEAD, MOST_BYTES // bytes_each))]
            self._faces.learn([item.face for item in ahead if item.face is not None], self._share)
            ahead.reverse()
            while ahead:
                yield ahead.pop()
            yield from stream
