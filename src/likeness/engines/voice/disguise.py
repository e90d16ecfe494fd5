"""What is said, as others would say it: content without its speaker.

Two steps. What all of somebody's content has in common is taken away, as the mean over their speech (Chou,
Yeh and Lee, "One-shot Voice Conversion by Separately Learning Speaker and Content Representations with
Instance Normalization", Interspeech 2019). Then every frame is replaced by a mean of the frames nearest to it
in a pool of many other speakers, so that what is left of the voice becomes theirs (after Baas, van Niekerk
and Kamper, "Voice Conversion With Just Nearest Neighbors", Interspeech 2023, who look among the target's).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from likeness.types import Floats

_NEAREST = 8
_SHARPNESS = 20.0  # of the weights of the nearest, by their cosine
_AT_ONCE = 512  # frames, so that memory stays flat
_SPEECH_ENERGY = -6.0  # natural logarithm of the effective value; speech was brought to −2.8
_PRIOR = 100  # frames for which the mean of all speakers counts, as long as little was heard of one


class Centre:
    """What a speaker's content has in common, the better known the more was heard.

    Args:
        usual: (144,) mean over many speakers.
    """

    def __init__(self, usual: Floats) -> None:
        self._sum, self._count = usual.astype(np.float64) * _PRIOR, float(_PRIOR)

    def hear(self, content: Floats, energy: Floats) -> None:
        """Take in (n, 144) content with (n,) energies of the same frames."""
        speech = content[energy > _SPEECH_ENERGY]
        self._sum += speech.sum(0, dtype=np.float64)
        self._count += len(speech)

    @property
    def mean(self) -> Floats:
        """(144,) float32, to be taken away from the speaker's content."""
        return np.asarray(self._sum / self._count, np.float32)


class Disguise:
    """A pool of content to look in.

    Args:
        pool: (k, 144) of others, each speaker's mean taken away; k at least 8.
    """

    def __init__(self, pool: Floats) -> None:
        self._pool: Final = np.asarray(pool, np.float32)
        self._directions: Final = np.ascontiguousarray(_unit(self._pool).T)

    def __call__(self, content: Floats, amount: float = 1.0) -> Floats:
        """(n, 144) from (n, 144) with mean taken away, disguised by `amount` from 0 (not at all) to 1."""
        if not amount:
            return content
        parts = [self._replace(content[at : at + _AT_ONCE]) for at in range(0, len(content), _AT_ONCE)]
        found = np.concatenate([np.zeros((0, content.shape[1]), np.float32), *parts])
        return np.asarray(content + np.float32(amount) * (found - content), np.float32)

    def _replace(self, content: Floats) -> Floats:
        alike = _unit(content) @ self._directions
        nearest = np.argpartition(alike, -_NEAREST, axis=1)[:, -_NEAREST:]
        weights = np.exp(_SHARPNESS * (np.take_along_axis(alike, nearest, 1) - alike.max(1, keepdims=True)))
        weights /= weights.sum(1, keepdims=True)
        return np.asarray(np.einsum("nk,nkc->nc", weights, self._pool[nearest]), np.float32)


def _unit(content: Floats) -> Floats:
    return np.asarray(content / np.maximum(np.linalg.norm(content, axis=1, keepdims=True), 1e-6), np.float32)
