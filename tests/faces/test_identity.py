from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likeness.errors import ChecksumMismatch, FaceTooSmall, ModelFormat, ModelMissing, UsageError
from likeness.faces import find_faces, identity
from likeness.faces.identity import (
    FACE_MODEL,
    MATCH,
    MIN_SIZE_PX,
    NO_MATCH,
    TEMPLATE_PX,
    distance,
    embed_face,
    embed_faces,
    face_chip,
    verdict,
)
from likeness.faces.resnet import FaceNet, read_dlib
from likeness.faces.sampling import transform
from likeness.models import converted, fetch
from likeness.types import Face, Floats, Picture

with np.load(Path(__file__).parent / "golden" / "identity.npz") as data:
    CHIPS, EMBEDDINGS, HOPPER = data["chips"], data["embeddings"], data["hopper"]


def moved(face: Face, scale: float, shift: tuple[float, float] = (0, 0)) -> Face:
    """The face after its picture was enlarged and shifted."""
    points = face.points * np.float32(scale)
    points[:, :2] += (scale - 1) / 2 + np.array(shift)
    return Face(points.astype(np.float32), face.blendshapes, face.score)


def resized(picture: Picture, scale: float) -> Picture:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method), np.uint8)


@pytest.fixture(scope="session")
def hopper_face(hopper: Picture) -> Face:
    return find_faces(hopper)[0]


@pytest.fixture(scope="session")
def hopper_embedding(hopper: Picture, hopper_face: Face) -> Floats:
    return embed_face(hopper, hopper_face)


@pytest.fixture(scope="session")
def carphone_faces(carphone: list[Picture]) -> list[tuple[Picture, Face]]:
    return [(frame, find_faces(frame)[0]) for frame in carphone[::24]]


@pytest.fixture
def no_network_yet() -> Iterator[None]:
    """As in a fresh process."""
    identity._network.cache_clear()
    yield
    identity._network.cache_clear()


def test_it_computes_what_dlib_computes() -> None:
    net = FaceNet(converted(identity.MODEL, read_dlib, revision=identity.REVISION))
    found = net.run(CHIPS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, EMBEDDINGS, rtol=0, atol=1e-4)
    np.testing.assert_allclose(net.run(np.repeat(CHIPS, 4, 0))[::4], EMBEDDINGS, rtol=0, atol=1e-4)


def test_our_alignment_is_as_good_as_dlibs(hopper_embedding: Floats) -> None:
    """Different landmarks, so not the same numbers: but far closer than two pictures of one person."""
    assert distance(hopper_embedding, HOPPER) < 0.15


def test_several_at_once_and_none(hopper: Picture, hopper_face: Face, hopper_embedding: Floats) -> None:
    several = embed_faces([(hopper, hopper_face), (hopper[:, ::-1].copy(), hopper_face)])
    assert several.shape == (2, 128)
    np.testing.assert_allclose(several[0], hopper_embedding, rtol=0, atol=1e-5)
    assert embed_faces([]).shape == (0, 128)


def test_one_person_matches(carphone_faces: list[tuple[Picture, Face]]) -> None:
    found = embed_faces(carphone_faces)
    assert {verdict(distance(found[0], other)) for other in found} == {"match"}


def test_two_people_do_not(hopper_embedding: Floats, carphone_faces: list[tuple[Picture, Face]]) -> None:
    assert {verdict(distance(hopper_embedding, other)) for other in embed_faces(carphone_faces)} == {
        "no match"
    }


def test_the_portraits_are_all_strangers(shared: Path) -> None:
    pictures = []
    for path in sorted((shared / "media" / "portraits").iterdir()):
        with Image.open(path) as picture:
            picture.thumbnail((600, 600))
            pictures.append(np.asarray(picture.convert("RGB")))
    found = embed_faces([(picture, find_faces(picture)[0]) for picture in pictures])
    verdicts = [verdict(distance(a, b)) for i, a in enumerate(found) for b in found[:i]]
    assert "match" not in verdicts
    assert verdicts.count("no match") > 0.8 * len(verdicts)


@settings(max_examples=12)
@given(gain=st.floats(0.5, 1.3), offset=st.floats(-20, 40), gamma=st.floats(0.6, 1.6))
def test_brightness_does_not_matter(
    hopper: Picture, hopper_face: Face, hopper_embedding: Floats, gain: float, offset: float, gamma: float
) -> None:
    light = 255 * (hopper / 255) ** gamma * gain + offset
    changed = embed_face(np.clip(light, 0, 255).astype(np.uint8), hopper_face)
    assert verdict(distance(hopper_embedding, changed)) == "match"


@settings(max_examples=10)
@given(scale=st.floats(0.35, 3))
def test_size_does_not_matter(
    hopper: Picture, hopper_face: Face, hopper_embedding: Floats, scale: float
) -> None:
    changed = embed_face(resized(hopper, scale), moved(hopper_face, scale))
    assert distance(hopper_embedding, changed) < 0.25


def test_a_mirror_does_not_matter(hopper: Picture, hopper_embedding: Floats) -> None:
    mirrored = np.ascontiguousarray(hopper[:, ::-1])
    assert verdict(distance(hopper_embedding, embed_face(mirrored, find_faces(mirrored)[0]))) == "match"


def test_strong_compression_does_not_matter(
    hopper: Picture, hopper_face: Face, hopper_embedding: Floats
) -> None:
    file = io.BytesIO()
    Image.fromarray(hopper).save(file, "JPEG", quality=15)
    with Image.open(file) as picture:
        changed = embed_face(np.asarray(picture.convert("RGB")), hopper_face)
    assert distance(hopper_embedding, changed) < 0.3


@given(
    st.floats(0.2, 5), st.floats(-np.pi, np.pi), st.floats(-500, 500), st.floats(-500, 500)
)  # fmt: skip
def test_the_fit_finds_any_similarity(scale: float, angle_rad: float, x: float, y: float) -> None:
    cos, sin = scale * np.cos(angle_rad), scale * np.sin(angle_rad)
    expected = np.array([[cos, -sin, x], [sin, cos, y]])
    found = identity._similarity(TEMPLATE_PX, transform(TEMPLATE_PX, expected))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_aligned_face_is_its_own_chip() -> None:
    points = np.full((478, 3), 75, np.float32)
    points[list(identity.POINTS), :2] = TEMPLATE_PX
    face = Face(points, np.zeros(52, np.float32), 1.0)
    np.testing.assert_allclose(face_chip(CHIPS[1], face).astype(int), CHIPS[1], atol=1)
    beside = face_chip(CHIPS[1], moved(face, 1, (-75, 0)))
    np.testing.assert_allclose(beside[:, 76:].astype(int), CHIPS[1][:, 1:75], atol=1)
    assert not beside[:, :74].any(), "black outside the picture"


def test_a_face_that_is_too_small(hopper: Picture, hopper_face: Face) -> None:
    enough = (MIN_SIZE_PX + 1) / hopper_face.size_px
    assert face_chip(resized(hopper, enough), moved(hopper_face, enough)).shape == (150, 150, 3)
    few = (MIN_SIZE_PX - 1) / hopper_face.size_px
    with pytest.raises(FaceTooSmall) as caught:
        embed_face(resized(hopper, few), moved(hopper_face, few))
    assert caught.value.hint


def test_the_verdicts() -> None:
    assert MATCH < NO_MATCH
    assert verdict(0.0) == "match"
    assert verdict(MATCH) == verdict(NO_MATCH) == "cannot tell"
    assert verdict(1.0) == "no match"
    assert verdict(float("nan")) == "cannot tell"


@pytest.mark.parametrize(
    "wrong", [np.zeros(127, np.float32), np.zeros((1, 128), np.float32), np.full(128, np.nan, np.float32)]
)
def test_only_embeddings_can_be_compared(wrong: Floats) -> None:
    for pair in ((wrong, EMBEDDINGS[0]), (EMBEDDINGS[0], wrong)):
        with pytest.raises(UsageError):
            distance(*pair)


@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_a_distance_is_a_distance(a: int, b: int, c: int) -> None:
    first, second, third = EMBEDDINGS[[a, b, c]]
    assert distance(first, second) == distance(second, first) >= 0
    assert distance(first, first) == 0
    assert distance(first, third) <= distance(first, second) + distance(second, third) + 1e-9


def test_the_thresholds_are_those_that_were_measured(repository: Path) -> None:
    """Whoever changes network, alignment or thresholds measures again (`benchmarks/face_identity.py`)."""
    report = json.loads((repository / "benchmarks/results/face_identity.json").read_text(encoding="utf-8"))
    assert (report["model"], report["match"], report["no_match"]) == (FACE_MODEL, MATCH, NO_MATCH)
    listed = (repository / "benchmarks/face_identity_media.py").read_text(encoding="utf-8")
    people = re.findall(r' Person\("(.+?)"', listed)
    assert list(report["people"]) == people, "nobody beside those who may be used"
    assert len(people) >= 20
    genuine, impostor = (report["overall"][kind] for kind in ("genuine", "impostor"))
    assert impostor["match"] < 1e-4 * impostor["pairs"]
    assert genuine["no match"] < 3e-3 * genuine["pairs"]
    told = (repository / "docs/identity.md").read_text(encoding="utf-8")
    assert f"Measured on {len(people)} people" in told
    for rates in (report["overall"], report["clips"], *report["sets"].values()):
        for counts in filter(lambda counts: counts["pairs"], (rates["genuine"], rates["impostor"])):
            row = [f"{counts[key]:,}" for key in ("pairs", "match", "cannot tell", "no match")]
            assert f"| {' | '.join(row)} |" in told


def test_offline_without_the_network(
    no_network_yet: None, tmp_path: Path, hopper: Picture, hopper_face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path))
    monkeypatch.delenv("LIKENESS_MODELS")
    with pytest.raises(ModelMissing) as caught:
        embed_face(hopper, hopper_face, offline=True)
    assert "models pull face-identity" in caught.value.hint


def test_it_is_read_once_whatever_may_be_fetched(
    no_network_yet: None, hopper: Picture, hopper_face: Face
) -> None:
    for offline in (None, False, True):
        embed_face(hopper, hopper_face, offline=offline)
    assert identity._network.cache_info().misses == 1


def test_a_damaged_network(
    no_network_yet: None, tmp_path: Path, hopper: Picture, hopper_face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(fetch(identity.MODEL).read_bytes())
    data[1_000_000] ^= 1
    (tmp_path / fetch(identity.MODEL).name).write_bytes(data)
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path))
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path))
    with pytest.raises(ChecksumMismatch):
        embed_face(hopper, hopper_face)


@pytest.mark.parametrize("length", [0, 100, 400, 20_000, 22_000_000])
def test_half_a_network(length: int) -> None:
    with pytest.raises(ModelFormat):
        read_dlib(fetch(identity.MODEL).read_bytes()[:length])


@given(st.binary(max_size=200), st.integers(0, 3))
def test_bytes_that_are_no_network(data: bytes, layers: int) -> None:
    with pytest.raises(ModelFormat):
        read_dlib(b"\x01\x05con_4".join([data] * (layers + 1)))
