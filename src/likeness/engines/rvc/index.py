"""Retrieval: what was said is drawn towards how the person of the voice model says it.

For each frame of content the nearest eight of those that the voice was trained with are looked up, and
averaged with weights: the inverse squares of their squared distances. So does RVC, whose files say how many
lists are searched (one): facts from its infer/modules/vc/pipeline.py (RVC-Project, MIT; commit 034b7dd).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.engines.rvc.index_file import Lists, are_content, read_lists
from likeness.errors import ModelFormat
from likeness.types import Floats, ModelRef

NEAREST = 8
_BATCH = 512  # frames
_BLOCK = 1 << 14  # vectors
_TINY = 1e-9


class VoiceIndex:
    """The frames of content that a voice was trained with.

    Attributes:
        name: of the file.
        count: how many there are.
        channels: numbers of each.
    """

    def __init__(self, lists: Lists, *, name: str, sha256: str) -> None:
        self._lists, self._sha256 = lists, sha256
        self.name, self.count, self.channels = name, lists.count, lists.vectors[0].shape[1]

    @property
    def ref(self) -> ModelRef:
        """What credentials say of it."""
        return ModelRef(self.name, self._sha256)

    def draw_near(self, content: Floats) -> Floats:
        """For each frame the mean of the nearest that are known; a frame near none stays as it is.

        Args:
            content: (frames, channels) float32.

        Returns:
            (frames, channels) float32.
        """
        parts = [self._draw_near(content[at : at + _BATCH]) for at in range(0, len(content), _BATCH)]
        return np.concatenate([content[:0], *parts])

    def _draw_near(self, content: Floats) -> Floats:
        squares, vectors = self._search(content)
        least = np.maximum(squares.min(1, keepdims=True), _TINY)
        found = np.isfinite(least[:, 0])
        with np.errstate(invalid="ignore"):
            weights = np.square(least / np.maximum(squares, _TINY))  # of those that are missing, 0
        weights[~found] = 0
        weights /= np.maximum(weights.sum(1, keepdims=True), _TINY)
        mean = np.einsum("fk,fkc->fc", weights.astype(np.float32), vectors)
        return np.where(found[:, None], mean, content).astype(np.float32)

    def _search(self, content: Floats) -> tuple[NDArray[np.float64], Floats]:
        """Squared distances (frames, 8), infinite for none; and those vectors, (frames, 8, channels)."""
        squares = np.full((len(content), NEAREST), np.inf)
        vectors = np.zeros((len(content), NEAREST, self.channels), np.float32)
        chosen = self._choose(content)
        for number in np.unique(chosen):
            rows = np.flatnonzero((chosen == number).any(1))
            held = self._lists.vectors[number]
            for at in range(0, len(held), _BLOCK):
                near, their = _nearest(content[rows], np.asarray(held[at : at + _BLOCK], np.float32))
                both = np.concatenate((squares[rows], near), 1)
                order = np.argsort(both, 1, kind="stable")[:, :NEAREST]
                squares[rows] = np.take_along_axis(both, order, 1)
                joined = np.concatenate((vectors[rows], their), 1)
                vectors[rows] = np.take_along_axis(joined, order[..., None], 1)
        return squares, vectors

    def _choose(self, content: Floats) -> NDArray[np.intp]:
        """The lists that are searched for each frame, (frames, probes)."""
        centres, probes = self._lists.centres, self._lists.probes
        if centres is None or probes >= len(centres):
            return np.tile(np.arange(len(self._lists.vectors)), (len(content), 1))
        far = np.square(centres).sum(1) - 2 * content @ centres.T
        return np.argpartition(far, probes - 1, 1)[:, :probes]


def load_index(path: str | os.PathLike[str], channels: int) -> VoiceIndex:
    """An index, from `.index` or `.npy`; all of it is read once.

    Args:
        channels: 256 or 768, as the voice listens to.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is of another kind or size, damaged, or holds what is no number.
    """
    path = Path(path)
    lists = read_lists(path, channels)
    for vectors in lists.vectors:
        for at in range(0, len(vectors), _BLOCK):
            if not are_content(vectors[at : at + _BLOCK]):
                raise ModelFormat(f"{path.name} holds what is no content.", "Make the index again.")
    with path.open("rb") as file:
        return VoiceIndex(lists, name=path.name, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def _nearest(content: Floats, vectors: Floats) -> tuple[NDArray[np.float64], Floats]:
    """Squared distances (frames, k) and vectors (frames, k, channels) of the nearest, k at most eight."""
    count = min(NEAREST, len(vectors))
    rough = np.square(vectors).sum(1) - 2 * content @ vectors.T
    picked = vectors[np.argpartition(rough, count - 1, 1)[:, :count]]
    # The short way loses the digits that matter where a frame is known almost exactly.
    return np.square(picked - content[:, None], dtype=np.float64).sum(2), picked
