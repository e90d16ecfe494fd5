"""Makes `golden/`: what faiss writes, and what RVC makes of it. Needs faiss-cpu, which no test does.

`python -m tests.engines.rvc.make_index`
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
CHANNELS, COUNT, LISTS = 16, 320, 8


def make_index() -> None:
    """An index as RVC's page makes it, of clusters of random vectors, searched in one list and in three."""
    import faiss

    draw = np.random.default_rng(0)
    centres = 3 * draw.standard_normal((LISTS, CHANNELS))
    vectors = centres[draw.integers(0, LISTS, COUNT)] + draw.standard_normal((COUNT, CHANNELS))
    vectors = vectors.astype(np.float32)
    queries = np.concatenate((vectors[:3], vectors[10:30] + 0.3 * draw.standard_normal((20, CHANNELS))))
    queries = queries.astype(np.float32)
    expected = {"queries": queries}
    for probes in (1, 3):
        index = faiss.index_factory(CHANNELS, f"IVF{LISTS},Flat")
        faiss.extract_index_ivf(index).nprobe = probes
        index.train(vectors)
        if probes == 1:
            faiss.write_index(index, str(GOLDEN / "trained.index"))
        index.add(vectors)
        if probes == 1:
            faiss.write_index(index, str(GOLDEN / "added.index"))
        squares, numbers = index.search(queries, 8)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.square(1 / squares.astype(np.float64))
            weights /= weights.sum(1, keepdims=True)
            expected[f"drawn_{probes}"] = (vectors[numbers] * weights[..., None]).sum(1)
        expected[f"squares_{probes}"] = squares
    np.savez_compressed(GOLDEN / "drawn.npz", **expected)


if __name__ == "__main__":
    make_index()
