"""What the face in a clip is like when it does nothing: learnt from pictures spread over the clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np

from likeness.engines.swap.shape import Shape, rest_shape
from likeness.errors import FaceTooSmall, NoFace
from likeness.faces import FaceTracker
from likeness.faces.identity import NO_MATCH, distance, embed_face
from likeness.faces.topology import canonical_mesh
from likeness.media import VideoReader
from likeness.media.keyframes import read_keyframes
from likeness.types import Face, Floats, Picture

MOST_PICTURES = 20
FEW = 12
"""With fewer key frames than this, the beginning of the clip is looked through instead."""
LOOKED_THROUGH = 100
"""So many frames of it."""
FACES = 4


def face_at_rest(clip: Path, *, known: Floats | None = None, offline: bool | None = None) -> Shape:
    """The shape of the clip's face at rest, (478, 3) cm.

    Args:
        known: (n, 128) float32, whose face; None = the largest in each picture.

    Raises:
        NoFace: no picture shows it.
        MediaError: the clip cannot be read.
    """
    # Between pictures far apart a face is lost and searched for again, but mostly it is about where it was.
    tracker, faces, away = FaceTracker(faces=1 if known is None else FACES), [], dict[int, float]()
    for image in _pictures(clip):
        seen = tracker.track(image)
        for face in seen:
            if known is not None and face.id not in away:
                away[face.id] = _away(image, face, known, offline)
        best = min(seen, key=lambda face: away.get(face.id, 0.0), default=None)
        if best is not None and away.get(best.id, 0.0) <= NO_MATCH:
            faces.append(best)
    if not faces:
        raise NoFace(
            f"No face was found in {clip.name}.",
            "Use a clip that shows a face from the front, large enough and well lit.",
        )
    return rest_shape(faces, canonical_mesh())


def _pictures(clip: Path) -> Iterator[Picture]:
    with closing(read_keyframes(clip, MOST_PICTURES)) as pictures:
        found = list(islice(pictures, FEW))
        if len(found) == FEW:
            yield from found
            yield from pictures
            return
    step = LOOKED_THROUGH // MOST_PICTURES
    with VideoReader(clip) as reader:
        for frame in islice(reader, LOOKED_THROUGH):
            if frame.index % step == 0:
                yield frame.image


def _away(image: Picture, face: Face, known: Floats, offline: bool | None) -> float:
    try:
        embedding = embed_face(image, face, offline=offline)
    except FaceTooSmall:
        return np.inf
    return min(distance(embedding, one) for one in known)
