"""Two people made of noise, to train face swaps with: arrays, face sets, and consent records."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Embedding, References
from likeness.faces.identity import FACE_MODEL
from likeness.faces.topology import canonical_mesh
from likeness.facesets.alignments import FILE_NAME, Alignments, write_alignments
from likeness.facesets.collect import Look, measure
from likeness.facesets.faceset import FaceSet
from likeness.facesets.measure import frame_hash
from likeness.facesets.records import FaceRecord, SourceFile
from likeness.media.image import encode_png
from likeness.nn.swap import SwapConfig
from likeness.training.swap.faces import Faces, draw_mask
from likeness.types import Floats

from .puppet import HEIGHT, WIDTH, Puppet

TINY = SwapConfig(32, (8, 12, 16), 12, 16, 8, (8,), (1,))
CUT_PX, FACES = 80, 52


def embedding(person: int) -> Floats:
    """What tells a person from others: those of two people are 0.99 apart."""
    vector = np.zeros(128, np.float32)
    vector[person] = 0.7
    return vector


def _record() -> FaceRecord:
    puppet = Puppet(turn_deg=(3.0, -6.0, 0.0))
    image = puppet.draw()
    look = Look(0, 0, Fraction(0), image, (puppet.face,))
    made, _ = measure(look, puppet.face, "000000_0.png", frame_hash(image), CUT_PX, canonical_mesh())
    return made


def make_faces(person: int, count: int = FACES, name: str = "") -> Faces:
    """Cut faces of a person: a head of one colour before a ground of another; the mouth opens and closes."""
    draw = np.random.default_rng(person)
    record = _record()
    points = record.alignment.cut_points(record.points, CUT_PX, zoom=1.25)
    mask = draw_mask(points, CUT_PX)[..., None] / 255
    skin, ground = draw.uniform(60, 200, (2, 3))
    pictures = np.empty((count, CUT_PX, CUT_PX, 3), np.uint8)
    for i in range(count):
        image = skin * mask + ground * (1 - mask)
        mouth = points[[61, 291], :2].mean(0)
        cv2.ellipse(image, (int(mouth[0]), int(mouth[1])), (9, 1 + i % 7), 0, 0, 360, (60, 20, 20), -1)
        cv2.circle(image, (25 + 5 * (person % 3), 30), 4, (20, 20, 60), -1)
        pictures[i] = np.clip(image + draw.normal(0, 2, image.shape), 0, 255)
    known = embedding(person) + draw.normal(0, 0.005, (count, 128)).astype(np.float32)
    return Faces(pictures, np.repeat(points[None], count, 0), 1.25, known, "", name or f"person{person}")


def write_set(faces: Faces, folder: Path) -> Path:
    """The same as a face set on disk."""
    folder.mkdir(parents=True)
    plain = _record()
    records = []
    for i, image in enumerate(faces.pictures):
        assert faces.embeddings is not None
        known = faces.embeddings[i] if np.isfinite(faces.embeddings[i]).all() else None
        records.append(replace(plain, file=f"{i:06}_0.png", frame=i, identity=known, identity_distance=None))
        (folder / records[-1].file).write_bytes(encode_png(image))
    source = SourceFile("talk.mp4", "ab" * 32, WIDTH, HEIGHT, Fraction(25), len(records))
    write_alignments(
        folder / FILE_NAME, Alignments((source,), (), CUT_PX), [one.to_line() for one in records]
    )
    assert len(FaceSet.open(folder)) == len(records)
    return folder


def make_record(person: int, key: ConsentKey, **changes: object) -> ConsentRecord:
    """A person's signed consent to be swapped."""
    said = {"subject": f"Person {person}", "requester": "Studio", "acts": ["swap"], "purposes": ["a film"]}
    request = consent.draft(**{**said, **changes})  # type: ignore[arg-type]
    references = References(face=Embedding.of(FACE_MODEL, embedding(person)))
    return consent.sign(replace(request, references=references), key)


def make_corpus_record(key: ConsentKey) -> ConsentRecord:
    """An evaluator's record for a corpus."""
    return consent.sign(consent.draft_corpus("Noise", licence="CC0", evaluator="Test"), key)
