from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from likeness.faces import FaceTracker, find_faces
from likeness.types import Picture

Canvas = Callable[..., Picture]


def test_every_frame_of_carphone(carphone: list[Picture]) -> None:
    tracker = FaceTracker()
    tracks = [tracker.track(frame) for frame in carphone]
    assert [len(faces) for faces in tracks] == [1] * 120
    assert {faces[0].id for faces in tracks} == {0}
    assert all(faces[0].points.dtype == np.float32 for faces in tracks)


def test_a_still_is_tracked_where_it_is_found(hopper: Picture) -> None:
    (found,) = find_faces(hopper)
    tracker = FaceTracker()
    for _ in range(4):
        (tracked,) = tracker.track(hopper)
        assert np.linalg.norm(tracked.points - found.points, axis=1).mean() < 0.01 * found.size_px


def test_nothing_lags(carphone: list[Picture]) -> None:
    """The points of a frame hardly depend on how the face came there."""
    arrived, fresh = FaceTracker(), FaceTracker()
    for frame in carphone[30:40]:
        (seen,) = arrived.track(frame)
    (alone,) = fresh.track(carphone[39])
    assert np.linalg.norm((seen.points - alone.points)[:, :2], axis=1).mean() < 0.02 * alone.size_px


def test_a_face_that_comes_back_keeps_its_id(hopper: Picture) -> None:
    tracker = FaceTracker()
    empty = np.zeros_like(hopper)
    assert [face.id for face in tracker.track(hopper)] == [0]
    for _ in range(25):
        assert tracker.track(empty) == ()
    assert [face.id for face in tracker.track(hopper)] == [0]


def test_a_face_elsewhere_is_another_one(hopper: Picture, on_canvas: Canvas) -> None:
    tracker = FaceTracker()
    small = np.asarray(cv2.resize(hopper, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    assert [face.id for face in tracker.track(on_canvas(600, 900, (small, 0, 0)))] == [0]
    assert [face.id for face in tracker.track(on_canvas(600, 900, (small, 600, 280)))] == [1]


def test_several_faces_keep_their_ids_as_they_pass(hopper: Picture, on_canvas: Canvas) -> None:
    small = np.asarray(cv2.resize(hopper, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
    half = np.asarray(cv2.resize(hopper, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    tracker = FaceTracker(faces=2)
    middles = []
    for step in range(10):
        faces = tracker.track(on_canvas(400, 1000, (small, 20 + 8 * step, 20), (half, 700 - 8 * step, 100)))
        assert [face.id for face in faces] == [0, 1]
        middles.append([face.points[1, 0] for face in faces])
    assert np.diff(np.array(middles), axis=0).mean(0).round().tolist() == [8, -8]


def test_one_face_means_the_largest(hopper: Picture, on_canvas: Canvas) -> None:
    small = np.asarray(cv2.resize(hopper, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    (face,) = FaceTracker(faces=1).track(on_canvas(600, 900, (small, 20, 20), (hopper, 350, 0)))
    assert face.size_px > 150


def test_a_second_face_is_noticed_within_ten_frames(hopper: Picture, on_canvas: Canvas) -> None:
    small = np.asarray(cv2.resize(hopper, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
    tracker = FaceTracker(faces=2)
    tracker.track(on_canvas(400, 800, (small, 20, 20)))
    counts = [len(tracker.track(on_canvas(400, 800, (small, 20, 20), (small, 450, 20)))) for _ in range(11)]
    assert counts[-1] == 2


def test_a_face_too_small_for_the_first_glance_is_found(hopper: Picture, on_canvas: Canvas) -> None:
    tiny = np.asarray(cv2.resize(hopper, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8)
    (face,) = FaceTracker().track(on_canvas(720, 1280, (tiny, 900, 400)))
    assert 40 < face.size_px < 60


def test_odd_frames(hopper: Picture) -> None:
    tracker = FaceTracker()
    for shape in ((1, 1, 3), (2, 900, 3), (600, 4, 3)):
        assert tracker.track(np.zeros(shape, np.uint8)) == ()
    (face,) = tracker.track(hopper)
    (again,) = tracker.track(hopper[:580, :500])  # the size may change, as in a badly cut file
    assert again.id == face.id


def test_trackers_in_threads_do_not_disturb_each_other(carphone: list[Picture]) -> None:
    frames = carphone[:12]

    def follow(_: int) -> np.ndarray:
        tracker = FaceTracker(threads=1)
        return np.stack([tracker.track(frame)[0].points for frame in frames])

    alone = follow(0)
    with ThreadPoolExecutor(3) as pool:
        for together in pool.map(follow, range(3)):
            assert np.array_equal(alone, together)
