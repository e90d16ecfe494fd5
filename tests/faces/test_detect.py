from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.faces.detect import (
    STRIDES,
    FaceDetector,
    anchor_centres,
    coverage,
    decode,
    merge_overlapping,
    overlap,
)
from likeness.types import Picture

corner = st.floats(-50, 50, width=32)
side = st.floats(1, 60, width=32)
box = st.tuples(corner, corner, side, side).map(
    lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]], np.float32)
)


def test_anchors() -> None:
    anchors = anchor_centres(128, STRIDES)
    assert anchors.shape == (16 * 16 * 2 + 8 * 8 * 6, 2)
    assert anchors[0] == pytest.approx([0.5 / 16, 0.5 / 16])
    assert anchors[1] == pytest.approx(anchors[0])
    assert anchors[2] == pytest.approx([1.5 / 16, 0.5 / 16])
    assert anchors[512] == pytest.approx([0.5 / 8, 0.5 / 8])
    assert anchors[-1] == pytest.approx([7.5 / 8, 7.5 / 8])


def test_decode_places_boxes_at_their_anchors() -> None:
    raw = np.zeros((3, 16), np.float32)
    raw[:, 2:4] = 64, 32
    raw[2, 4:6] = 16, -16
    anchors = np.array([[0.25, 0.25], [0.5, 0.5], [0.5, 0.75]], np.float32)
    rows, scores = decode(raw, np.array([-200, -1, 200], np.float32), anchors, 128, 0.2)
    assert scores == pytest.approx([1.0, 1 / (1 + np.e)])
    assert rows[0, :4] == pytest.approx([0.25, 0.625, 0.75, 0.875])
    assert rows[0, 4:8] == pytest.approx([0.625, 0.625, 0.5, 0.75])
    assert rows[1, :4] == pytest.approx([0.25, 0.375, 0.75, 0.625])


def test_boxes_without_area_are_dropped() -> None:
    raw = np.zeros((2, 16), np.float32)
    raw[:, 2:4] = [[-5, 5], [5, 0]]
    rows, scores = decode(raw, np.full(2, 9, np.float32), np.zeros((2, 2), np.float32), 128, 0.5)
    assert len(rows) == len(scores) == 0


def test_overlapping_boxes_are_averaged_by_their_scores() -> None:
    rows = np.zeros((3, 16), np.float32)
    rows[:, :4] = [[0, 0, 4, 4], [0, 0, 4, 5], [50, 50, 60, 60]]
    rows[:, 4] = 1, 4, 9
    found = merge_overlapping(rows, np.array([0.9, 0.3, 0.2], np.float32))
    assert [score for _, score in found] == pytest.approx([0.9, 0.2])
    assert found[0][0][:5] == pytest.approx([0, 0, 4, 4.25, 1.75])
    assert found[1][0][4] == 9


@given(box, box)
def test_overlap_is_symmetric_and_a_share(a: np.ndarray, b: np.ndarray) -> None:
    there, back = overlap(a, b[None])[0], overlap(b, a[None])[0]
    assert there == pytest.approx(back, abs=1e-5)
    assert 0 <= there <= coverage(a, b[None])[0] + 1e-5 <= 1.001
    assert overlap(a, a[None])[0] == pytest.approx(1, abs=1e-5)


def test_coverage_is_whole_where_one_box_holds_the_other() -> None:
    assert coverage(np.float32([2, 2, 3, 3]), np.float32([[0, 0, 10, 10]]))[0] == 1
    assert overlap(np.float32([2, 2, 3, 3]), np.float32([[0, 0, 10, 10]]))[0] == pytest.approx(0.01)


def test_keypoints_lie_on_the_face(detector: FaceDetector, hopper: Picture) -> None:
    (found,) = detector.detect(hopper)
    right_eye, left_eye, nose, mouth, right_ear, left_ear = found.keypoints
    assert np.linalg.norm(right_eye - (222, 190)) < 12
    assert np.linalg.norm(left_eye - (305, 187)) < 12
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert nose[1] < mouth[1]
