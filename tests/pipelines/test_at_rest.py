"""The face of a clip at rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.errors import NoFace
from likeness.faces import FaceTracker
from likeness.faces.identity import embed_face
from likeness.faces.topology import CHIN, FOREHEAD_TOP, MOUTH_CORNERS, canonical_mesh
from likeness.media import VideoReader
from likeness.models import fetch
from likeness.pipelines.at_rest import face_at_rest


def test_it_is_a_face_turned_to_the_front() -> None:
    clip = fetch("carphone")
    rest = face_at_rest(clip)
    mesh = canonical_mesh().vertices
    assert rest.shape == (478, 3)
    # In the place and about the size of the average face, in centimetres.
    assert np.abs(rest[:468] - mesh - (rest[:468] - mesh).mean(0)).mean() < 0.7
    assert rest[CHIN, 1] > rest[MOUTH_CORNERS[0], 1] > rest[FOREHEAD_TOP, 1]


def test_only_the_known_face_counts() -> None:
    clip = fetch("carphone")
    with VideoReader(clip) as reader:
        frame = next(iter(reader))
    (face,) = FaceTracker().track(frame.image)
    known = embed_face(frame.image, face)[None]
    np.testing.assert_allclose(face_at_rest(clip, known=known), face_at_rest(clip), atol=0.3)
    with pytest.raises(NoFace, match="No face was found"):
        face_at_rest(clip, known=-known)


def test_a_clip_without_a_face_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(NoFace):
        face_at_rest(path)
