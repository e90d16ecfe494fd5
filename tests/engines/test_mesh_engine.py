"""The mesh engine as a whole: what it paints when a face made by hand, or the demo's photo, is to move."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from likeness.config import AnimateConfig, Region
from likeness.engines.base import Performer, Source
from likeness.engines.mesh import MeshEngine
from likeness.engines.mesh import performer as module
from likeness.faces import find_faces
from likeness.faces.pose import euler_deg, eye_openness, head_pose
from likeness.faces.topology import EYES, INNER_MOUTH, LIPS, canonical_mesh
from likeness.models import info
from likeness.motion.appearance import Unwrapper, skin_colour
from likeness.motion.frame import MotionFrame
from likeness.types import Face, Floats, Picture

from ..puppet import HEIGHT, WIDTH, Puppet, learn, look

STILL = Puppet()
REGIONS: tuple[Region, ...] = ("all", "expression", "pose", "lips", "eyes")
# Each example prepares a source: a failing one is not made smaller, which would take minutes.
few = settings(deadline=None, max_examples=10, phases=[Phase.explicit, Phase.generate])


@functools.lru_cache(64)
def source_of(puppet: Puppet) -> Source:
    return Source(puppet.draw(), puppet.face, puppet.mask())


def perform(source: Source, frames: list[MotionFrame], **options: Any) -> Performer:
    """A performer for whom the first frame stands for the source, unless told otherwise."""
    config = AnimateConfig(**{"best_frame": "first", **options})
    performer = MeshEngine().prepare(source, config)
    performer.begin(learn(frames, source.face, config.best_frame))
    return performer


def difference(one: Picture, other: Picture) -> Floats:
    """The largest difference of any colour at each pixel, (h, w)."""
    return np.abs(one.astype(np.float32) - other).max(2)


def around(points: Floats, which: tuple[int, ...], grow_px: int, shape: tuple[int, ...]) -> np.ndarray:
    """The part of the picture that these points span, and a little more, (h, w) bool."""
    area = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(np.round(points[list(which), :2]).astype(np.int32))
    cv2.fillConvexPoly(area, hull, 1)
    return cv2.dilate(area, np.ones((3, 3), np.uint8), iterations=grow_px) > 0


# Nothing to do


@pytest.mark.parametrize(
    "puppet",
    [
        Puppet(),
        Puppet(lips=0.01),
        Puppet(lips=0.02),
        Puppet(lips=0.09),
        Puppet(blink=0.5),
        Puppet(blink=1.0),
        Puppet(turn_deg=(5, 30, 10), smile=0.6),
        Puppet(turn_deg=(-10, -35, -20), gaze=0.15),
        Puppet(px_per_cm=3.0),
        Puppet(px_per_cm=14, y=90),
        Puppet(x=20, y=30),
        Puppet(x=185, y=215),
        Puppet(px_per_cm=8.55, x=123.1435, y=98.0266, turn_deg=(-2.20486, 29, 0.45)),  # 0.3 px from the edge
    ],
    ids=str,
)
def test_standing_still_returns_the_picture(puppet: Puppet) -> None:
    """Whatever it shows: open mouths, closed eyes, turned heads, faces cut by the picture's edge."""
    source, frame = source_of(puppet), look(puppet)
    performer = perform(source, [frame] * 3)
    for _ in range(3):
        assert difference(performer.render(frame), source.image).max() <= 1


@few
@given(
    st.builds(
        Puppet,
        px_per_cm=st.floats(3, 10),
        x=st.floats(40, 150),
        y=st.floats(40, 180),
        turn_deg=st.tuples(st.floats(-15, 15), st.floats(-30, 30), st.floats(-40, 40)),
        lips=st.floats(0, 0.12),
        blink=st.floats(0, 1),
        smile=st.floats(-0.5, 1),
    ),
    arrays.arrays(np.float32, (7, 6), elements=st.floats(0, 1, width=32)),
    st.sampled_from(REGIONS),
)
def test_standing_still_returns_any_picture(puppet: Puppet, person: Floats, region: Region) -> None:
    """Whatever the mask makes of it, too."""
    alpha = np.clip(cv2.resize(person, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 1)
    source, frame = Source(puppet.draw(), puppet.face, alpha), look(puppet)
    rendered = perform(source, [frame] * 3, region=region).render(frame)
    assert difference(rendered, source.image).max() <= 1


def see(source: Source) -> MotionFrame:
    """A driver who is the source itself."""
    unwrapper, face = Unwrapper(canonical_mesh()), source.face
    return MotionFrame(
        face.points,
        face.blendshapes,
        unwrapper.shading(source.image, face.points),
        unwrapper.mouth(source.image, face.points),
        skin_colour(source.image, face.points),
    )


@pytest.mark.parametrize("strength", [0.3, 1.0, 2.0])
def test_standing_still_returns_the_photo(hopper: Source, strength: float) -> None:
    rendered = perform(hopper, [see(hopper)] * 3, strength=strength).render(see(hopper))
    assert difference(rendered, hopper.image).max() <= 1


def test_another_driver_standing_still_returns_the_photo(hopper: Source) -> None:
    # A tracker reads closed lips as a small gap.
    frame = look(Puppet(px_per_cm=5, x=80, turn_deg=(4, -12, 3), lips=0.004))
    assert difference(perform(hopper, [frame] * 3).render(frame), hopper.image).max() <= 1


def test_no_strength_returns_the_photo(hopper: Source) -> None:
    frame = look(Puppet(lips=0.1, blink=1.0, smile=1, turn_deg=(9, 20, 15)))
    performer = perform(hopper, [look(STILL), frame], strength=0.0)
    assert difference(performer.render(frame), hopper.image).max() <= 1


# The contract of an engine


def test_it_says_what_it_is() -> None:
    engine = MeshEngine()
    assert engine.name == "mesh"
    assert engine.version
    assert engine.needs == {"appearance"}
    assert [(model.name, model.sha256) for model in engine.models()] == [
        (name, info(name).sha256) for name in ("face-landmarker", "selfie-segmentation")
    ]


def test_a_rendered_picture_is_the_callers() -> None:
    source, frame = source_of(STILL), look(STILL)
    performer = perform(source, [frame] * 2)
    first = performer.render(frame)
    assert first.shape == source.image.shape
    assert first.dtype == np.uint8
    first[:] = 0
    assert difference(performer.render(frame), source.image).max() <= 1


def test_source_and_driver_are_left_as_they_are() -> None:
    source, frames = source_of(STILL), [look(STILL), look(replace(STILL, lips=0.1, blink=1.0))]
    assert source.alpha is not None
    kept = [value.copy() for value in (source.image, source.alpha, source.face.points)]
    stored = [
        name.name for name in fields(MotionFrame) if isinstance(getattr(frames[1], name.name), np.ndarray)
    ]
    before = {name: getattr(frames[1], name).copy() for name in stored}
    perform(source, frames).render(frames[1])
    for value, was in zip((source.image, source.alpha, source.face.points), kept, strict=True):
        assert np.array_equal(value, was)
    for name, was in before.items():
        assert np.array_equal(getattr(frames[1], name), was)


def test_geometry_alone_is_enough() -> None:
    """A `.motion` file may hold nothing of the driver's look."""
    source, moved = source_of(STILL), replace(STILL, lips=0.1)
    performer = perform(source, [STILL.frame, moved.frame])
    assert difference(performer.render(STILL.frame), source.image).max() <= 1
    assert difference(performer.render(moved.frame), source.image).max() > 40


def test_a_mask_that_the_picture_brings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(image: Picture, *, around: Face) -> Floats:
        raise AssertionError("the picture says itself where the person is")

    monkeypatch.setattr(module, "person_mask", nobody)
    source, frame = source_of(STILL), look(STILL)
    perform(source, [frame] * 2).render(frame)
    with pytest.raises(AssertionError):
        perform(replace(source, alpha=None), [frame] * 2)


MOVES = [Puppet(lips=0.02 * n, blink=0.2 * (n % 4), turn_deg=(n, 3.0 * n, 0), x=96 + n) for n in range(6)]


def render_all(source: Source, smooth: float) -> list[Picture]:
    performer = perform(source, [look(move) for move in MOVES], smooth=smooth)
    return [performer.render(look(move)) for move in MOVES]


def test_two_threads_with_an_engine_each_are_as_good_as_one() -> None:
    sources = [source_of(STILL), source_of(Puppet(px_per_cm=6, turn_deg=(0, 15, 0)))]
    alone = [render_all(source, 0.5) for source in sources]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(render_all, sources, [0.5] * 2))
    for pictures, expected in zip(together, alone, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(pictures, expected, strict=True))


# The picture around the person


@few
@given(
    st.tuples(st.floats(-15, 15), st.floats(-25, 25), st.floats(-15, 15)),
    st.floats(-8, 8),
    st.floats(-8, 8),
    st.floats(0, 0.1),
    st.floats(0, 1),
)
def test_the_rest_of_the_photo_stays_the_photo(
    turn: tuple[float, float, float], dx: float, dy: float, lips: float, blink: float
) -> None:
    """The head is put back into the picture: out of its reach, not a bit changes."""
    small = Puppet(px_per_cm=4.5, x=80, y=120)
    source = source_of(small)
    moved = replace(small, turn_deg=turn, x=small.x + dx, y=small.y + dy, lips=lips, blink=blink)
    rendered = perform(source, [small.frame, moved.frame]).render(moved.frame)
    assert source.alpha is not None
    far = cv2.dilate((source.alpha > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=30) == 0
    assert far.sum() > 500
    assert np.array_equal(rendered[far], source.image[far])
    assert np.array_equal(rendered[-1], source.image[-1]), "shoulders stay at the picture's edge"


def test_where_the_head_was_there_is_background() -> None:
    source = source_of(STILL)
    moved = replace(STILL, x=STILL.x + 25)
    rendered = perform(source, [STILL.frame, moved.frame]).render(moved.frame)
    # At the left of the head: hair before, wall now.
    x, y = 33, 80
    assert source.image[y, x].mean() < 75
    assert rendered[y, x].mean() > 100


def test_a_head_far_outside_leaves_the_background() -> None:
    source = source_of(STILL)
    gone = replace(STILL, x=2000, y=-3000)
    rendered = perform(source, [STILL.frame, gone.frame]).render(gone.frame)
    assert rendered.shape == source.image.shape


# Head


@pytest.mark.parametrize("turn", [(0, 15, 0), (0, -15, 0), (10, 0, 0), (0, 0, 20)], ids=str)
def test_the_painted_head_turns_as_asked(hopper: Source, turn: tuple[float, float, float]) -> None:
    """Told by the tracker on what was painted."""
    moved = replace(STILL, turn_deg=turn)
    rendered = perform(hopper, [STILL.frame, moved.frame]).render(moved.frame)
    mesh = canonical_mesh()
    before = head_pose(hopper.face.points, mesh).rotation
    after = head_pose(find_faces(rendered)[0].points, mesh).rotation
    seen = euler_deg(after @ before.T)
    for asked, angle in zip(turn, seen, strict=True):
        # A flat picture cannot show all of a turn.
        assert 0.45 * abs(asked) - 5 <= angle * np.sign(asked or 1) <= 1.3 * abs(asked) + 5


def test_a_turn_that_is_softened_is_told() -> None:
    source = source_of(STILL)
    turns = [replace(STILL, turn_deg=(0, yaw, 0)).frame for yaw in (0, 10, 70)]
    performer = perform(source, turns)
    performer.render(turns[0])
    performer.render(turns[1])
    assert performer.warnings() == ()
    performer.render(turns[2])
    (warning,) = performer.warnings()
    assert "°" in warning
    performer.render(turns[0])
    assert performer.warnings() == (warning,), "it stays true"


# Regions


def regions_changed(source: Source, rendered: Picture) -> dict[str, float]:
    """How much the eyes and the lips change, at most."""
    points, changed = source.face.points, difference(rendered, source.image)
    shape = changed.shape
    lips = around(points, LIPS, 2, shape)
    eyes = np.any([around(points, (*eye.outline, *eye.brow), 1, shape) for eye in EYES], axis=0)
    return {"lips": float(changed[lips].max()), "eyes": float(changed[eyes].max())}


EXPRESSION = Puppet(lips=0.1, blink=1.0, smile=0.5, gaze=0.1)


def test_lips_move_no_eye_and_eyes_no_lip() -> None:
    source, frames = source_of(STILL), [look(STILL), look(EXPRESSION)]
    lips = regions_changed(source, perform(source, frames, region="lips").render(frames[1]))
    eyes = regions_changed(source, perform(source, frames, region="eyes").render(frames[1]))
    assert lips["eyes"] <= 2
    assert lips["lips"] > 40
    assert eyes["lips"] <= 2
    assert eyes["eyes"] > 40


def test_pose_leaves_the_expression_alone() -> None:
    source, frames = source_of(STILL), [look(STILL), look(EXPRESSION)]
    rendered = perform(source, frames, region="pose").render(frames[1])
    # A face that opens its mouth is not held still to the last hundredth of a degree.
    assert np.percentile(difference(rendered, source.image), 99) <= 12
    assert max(regions_changed(source, rendered).values()) < 60
    assert difference(perform(source, frames).render(frames[1]), source.image).max() > 120


def test_expression_leaves_the_head_in_place() -> None:
    source = source_of(STILL)
    frames = [STILL.frame, replace(STILL, turn_deg=(0, 0, 20), x=110, px_per_cm=8).frame]
    assert difference(perform(source, frames, region="expression").render(frames[1]), source.image).max() <= 3


# Eyes and lips


@pytest.mark.parametrize("source", [STILL, replace(STILL, blink=0.4), replace(STILL, px_per_cm=10)], ids=str)
def test_a_drivers_blink_closes_and_opens_the_painted_eye(source: Puppet) -> None:
    blinks = [0, 0.2, 0.4, 0.6, 0.8, 1, 0.8, 0.6, 0.4, 0.2, 0]
    frames = [replace(STILL, blink=blink).frame for blink in blinks]
    picture = source_of(source)
    performer = perform(picture, frames)
    rendered = [performer.render(frame) for frame in frames]
    eyes = np.any([around(source.points, eye.outline, 1, (HEIGHT, WIDTH)) for eye in EYES], axis=0)
    areas = [int((difference(now, rendered[5])[eyes] > 30).sum()) for now in rendered]
    slack = 0.05 * max(areas)
    assert (np.diff(areas[:6]) <= slack).all(), areas
    assert (np.diff(areas[5:]) >= -slack).all(), areas
    assert areas[5] == 0 < areas[0]
    assert areas[0] == pytest.approx(areas[-1], abs=slack), "open again, as it was"


def test_the_tracker_sees_the_photo_blink(hopper: Source) -> None:
    frames = [replace(STILL, blink=blink).frame for blink in (0, 0.3, 1)]
    performer = perform(hopper, frames)
    seen = [find_faces(performer.render(frame))[0] for frame in frames]
    opened = [sum(eye_openness(face.points, eye) for eye in EYES) for face in seen]
    assert opened[0] > opened[1] > opened[2]
    assert opened[2] < 0.65 * opened[0]


def dark_mouth(picture: Picture, points: Floats) -> int:
    """Pixels that are as dark as the inside of the puppet's mouth."""
    inside = around(points, INNER_MOUTH, 2, picture.shape)
    return int((picture[inside].max(1) < 100).sum())


def test_closed_lips_close_an_open_mouth() -> None:
    source = replace(STILL, lips=0.08)
    frames = [look(replace(STILL, lips=lips)) for lips in (0.08, 0.0, 0.04)]
    performer = perform(source_of(source), frames)
    opened, closed, half = (dark_mouth(performer.render(frame), source.points) for frame in frames)
    assert opened > 100
    assert closed < 0.08 * opened
    assert closed < half < opened


def test_an_open_mouth_shows_the_drivers_inside() -> None:
    """What a closed mouth in the picture cannot show."""
    opened = look(replace(STILL, lips=0.1))
    assert opened.mouth is not None
    green = np.full_like(opened.mouth, (0, 255, 0))
    frame = replace(opened, mouth=green)
    rendered = perform(source_of(STILL), [look(STILL), frame]).render(frame)
    inside = around(replace(STILL, lips=0.1).points, INNER_MOUTH, 0, rendered.shape)
    shown = rendered[inside].astype(int)
    assert (shown[:, 1] - shown[:, 0] > 60).mean() > 0.4


def test_a_mouth_opens_however_strange_the_light_on_it() -> None:
    """A hand before the face changes the shading, which then says nothing; the lips part all the same."""
    closed, opened = look(Puppet()), look(Puppet(lips=0.1))
    assert opened.shading is not None
    at = Puppet(lips=0.1).points
    x, y = np.round((at[13, :2] + at[14, :2]) / 2).astype(int)
    for covered in (np.full_like(opened.shading, 5), 255 - opened.shading):
        performer = perform(source_of(STILL), [closed] * 3)
        out = performer.render(replace(opened, shading=covered))
        assert out[y - 3 : y + 4, x - 4 : x + 5].mean() < 70


def test_a_fold_of_the_driver_shows_only_with_its_region() -> None:
    frame = look(STILL)
    assert frame.shading is not None
    folded = frame.shading.copy()
    folded[22:25, 40:88] = folded[22:25, 40:88] * 0.6
    changes = {}
    for region in REGIONS:
        performer = perform(source_of(STILL), [frame] * 2, region=region)
        changes[region] = difference(
            performer.render(replace(frame, shading=folded)), source_of(STILL).image
        ).max()
    assert changes["all"] > 8
    assert changes["expression"] > 8
    assert max(changes[region] for region in ("pose", "lips", "eyes")) <= 1


# Anything at all


@settings(few, max_examples=12)
@given(
    st.integers(0, 10**6),
    st.floats(0, 200),
    st.lists(st.tuples(st.integers(0, 477), *[st.floats(-1e5, 1e5)] * 3), max_size=12),
    st.booleans(),
    st.booleans(),
    st.floats(0, 1),
)
def test_any_motion_can_be_rendered(
    seed: int,
    noise_px: float,
    astray: list[tuple[int, float, float, float]],
    is_reference: bool,
    relative: bool,
    smooth: float,
) -> None:
    """A `.motion` file may hold any points: the result may be ugly, but it is a picture."""
    points = STILL.points + np.random.default_rng(seed).normal(0, noise_px, (478, 3)).astype(np.float32)
    for point, *where in astray:
        points[point] = where
    points[152] = points[10] + 50
    wild = MotionFrame(points, np.ones(52, np.float32))
    frames = [wild, STILL.frame] if is_reference else [STILL.frame, wild]
    source = source_of(STILL)
    performer = perform(source, frames, relative=relative, smooth=smooth)
    for frame in frames:
        assert performer.render(frame).shape == source.image.shape


def test_a_small_person_in_a_large_photo_moves_too(hopper: Source) -> None:
    """The network that tells person from wall sees 256 pixels: it looks around the face, not at all of it."""
    canvas = np.empty((700, 1000, 3), np.uint8)
    canvas[:] = np.linspace(60, 180, 1000, dtype=np.uint8)[None, :, None]
    canvas[250:506, 400:618] = hopper.image
    face = replace(hopper.face, points=hopper.face.points + np.array([400, 250, 0], np.float32))
    still = replace(STILL, lips=0.004)
    moved = replace(still, x=still.x + 12)
    performer = perform(Source(canvas, face), [still.frame, moved.frame])
    rendered = performer.render(moved.frame)
    assert difference(performer.render(still.frame), canvas).max() <= 1
    seen = find_faces(rendered)[0]
    shift_px = 12 * head_pose(face.points, canonical_mesh()).scale / still.px_per_cm
    assert seen.points[:468, 0].mean() - face.points[:468, 0].mean() == pytest.approx(shift_px, abs=2)
