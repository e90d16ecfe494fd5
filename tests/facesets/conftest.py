"""Face sets of a puppet, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from likeness.faces.topology import canonical_mesh
from likeness.facesets.alignments import FILE_NAME, Alignments, write_alignments
from likeness.facesets.collect import Look, measure
from likeness.facesets.faceset import FaceSet
from likeness.facesets.measure import frame_hash
from likeness.facesets.records import FaceRecord, SourceFile
from likeness.media.image import encode_png

from ..puppet import HEIGHT, WIDTH, Puppet

SIZE_PX = 64
SOURCE = SourceFile("talk.mp4", "ab" * 32, WIDTH, HEIGHT, Fraction(30000, 1001), 20)


def record_of(puppet: Puppet, frame: int = 0, face: int = 0) -> tuple[FaceRecord, np.ndarray]:
    """A puppet's record, as it would be extracted, and its cut."""
    image = puppet.draw()
    look = Look(0, frame, frame / Fraction(30000, 1001), image, (puppet.face,))
    name = f"{frame:06}_{face}.png"
    return measure(look, puppet.face, name, frame_hash(image), SIZE_PX, canonical_mesh())


@pytest.fixture(scope="session")
def record() -> FaceRecord:
    """A puppet's record, with a made-up identity."""
    made, _ = record_of(Puppet(turn_deg=(3.0, -12.0, 5.0)), 12)
    vector = np.linspace(-0.3, 0.3, 128, dtype=np.float32)
    return replace(made, identity=vector, identity_distance=0.25)


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., FaceSet]:
    """`make_set(puppet, …)`: a face set of these, frame by frame, with identity distances 0.1, 0.2, …"""

    def make(*puppets: Puppet) -> FaceSet:
        folder = tmp_path / "faces"
        folder.mkdir()
        records = []
        for frame, puppet in enumerate(puppets):
            made, cut = record_of(puppet, frame)
            (folder / made.file).write_bytes(encode_png(cut))
            vector = np.full(128, frame / 100, np.float32)
            records.append(replace(made, identity=vector, identity_distance=(frame + 1) / 10))
        header = Alignments((SOURCE,), (), SIZE_PX)
        write_alignments(folder / FILE_NAME, header, [one.to_line() for one in records])
        return FaceSet.open(folder)

    return make
