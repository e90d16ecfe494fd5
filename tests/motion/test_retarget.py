"""What a driver's frame asks of a source, told on faces made by hand, whose movements are known exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.config import AnimateConfig, Region
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import CHIN, EYES, FOREHEAD_TOP, LIPS, MOUTH_CORNERS, canonical_mesh
from likeness.motion.frame import MotionFrame
from likeness.motion.retarget import Retargeter, Target
from likeness.types import Floats

from ..puppet import HEIGHT, WIDTH, Puppet, learn, retarget

SOURCE = Puppet()
DRIVER = Puppet(px_per_cm=4.5, x=200, y=150)
REGIONS: tuple[Region, ...] = ("all", "expression", "pose", "lips", "eyes")
LIP_MIDDLES = (13, 14)
few = settings(deadline=None, max_examples=40)

angles = st.tuples(st.floats(-15, 15), st.floats(-20, 20), st.floats(-30, 30))
puppets = st.builds(
    Puppet,
    px_per_cm=st.floats(3, 20),
    x=st.floats(-200, 800),
    y=st.floats(-200, 800),
    turn_deg=angles,
    lips=st.floats(0, 0.12),
    blink=st.floats(0, 0.4),
    gaze=st.floats(-0.2, 0.2),
    smile=st.floats(-0.5, 1),
)


def ask(source: Puppet, reference: Puppet, moved: Puppet, **options: Any) -> Target:
    """What `moved` asks of the source, where `reference` stands for the source's own picture."""
    return retarget(source.face, [reference.frame, moved.frame], **options)(moved.frame)


def change_px(target: Target, source: Puppet = SOURCE) -> Floats:
    """How far each point of the face moves within the head, (468,)."""
    return np.linalg.norm(target.points - source.points[:468], axis=1)


def gap(points: Floats) -> float:
    """Between the lips' middles, in heights of the face."""
    height = np.linalg.norm(points[CHIN] - points[FOREHEAD_TOP])
    return float(np.linalg.norm(points[LIP_MIDDLES[0]] - points[LIP_MIDDLES[1]]) / height)


def is_still(target: Target, source: Puppet = SOURCE, tolerance_px: float = 0.02) -> bool:
    """Nothing of the source moves."""
    head = target.head
    return bool(
        change_px(target, source).max() < tolerance_px
        and np.abs(head(source.points) - source.points).max() < tolerance_px
        and all(
            np.abs(eye.openness - 1).max() < 2e-3
            and np.abs(eye.lower_shift).max() < 2e-3
            and np.abs(eye.gaze).max() < 2e-3
            for eye in target.eyes
        )
    )


# Nothing to do


@few
@given(puppets, st.sampled_from(REGIONS), st.floats(0, 2), st.booleans())
def test_a_driver_that_does_what_the_source_shows_moves_nothing(
    source: Puppet, region: Region, strength: float, adapt_scale: bool
) -> None:
    frame = source.frame
    options: dict[str, Any] = {"region": region, "strength": strength, "adapt_scale": adapt_scale}
    assert is_still(retarget(source.face, [frame] * 3, **options)(frame), source)


@few
@given(puppets, puppets)
def test_the_reference_frame_leaves_the_head_and_the_eyes_as_they_are(source: Puppet, driver: Puppet) -> None:
    """Whoever the driver is. Only lips are absolute: they may have to close or open."""
    source = replace(source, lips=0.0, smile=0.0)
    driver = replace(driver, lips=0.0, smile=0.0)
    target = retarget(source.face, [driver.frame] * 3)(driver.frame)
    assert is_still(target, source, tolerance_px=0.05)


@few
@given(puppets, puppets, st.sampled_from(REGIONS), st.booleans())
def test_no_strength_is_no_movement(source: Puppet, moved: Puppet, region: Region, relative: bool) -> None:
    target = ask(source, DRIVER, moved, strength=0.0, region=region, relative=relative)
    assert is_still(target, source)


# The head


@few
@given(angles, st.floats(-20, 20))
def test_the_head_turns_by_as_much_as_the_drivers(turn: tuple[float, float, float], own_roll: float) -> None:
    source = replace(SOURCE, turn_deg=(0, 0, own_roll))
    target = ask(source, DRIVER, replace(DRIVER, turn_deg=turn))
    assert euler_deg(target.head.rotation) == pytest.approx(turn, abs=0.1)
    assert target.turned_deg == pytest.approx(np.stack([turn, turn]), abs=0.1)
    assert change_px(target, source).max() < 0.3, "turning is no expression"


@few
@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(0.7, 1.4))
def test_the_head_moves_and_grows_as_the_drivers(dx: float, dy: float, growth: float) -> None:
    moved = replace(DRIVER, x=DRIVER.x + dx, y=DRIVER.y + dy, px_per_cm=DRIVER.px_per_cm * growth)
    head = ask(SOURCE, DRIVER, moved).head
    ratio = SOURCE.px_per_cm / DRIVER.px_per_cm
    assert head.scale == pytest.approx(growth, rel=1e-3)
    # Wherever the puppet's own middle is put, it moves as the driver's.
    middle = np.array([[SOURCE.x, SOURCE.y, 0]])
    assert (head(middle) - middle)[0, :2] == pytest.approx([dx * ratio, dy * ratio], abs=0.3)


def test_movement_is_as_large_as_the_face_or_as_in_the_drivers_picture() -> None:
    moved = replace(DRIVER, x=DRIVER.x + 9)
    adapted, plain = (ask(SOURCE, DRIVER, moved, adapt_scale=yes).head for yes in (True, False))
    assert (adapted.centre - adapted.origin)[0] == pytest.approx(
        9 * SOURCE.px_per_cm / DRIVER.px_per_cm, rel=0.01
    )
    # The driver's picture is as large as the source's here.
    assert (plain.centre - plain.origin)[0] == pytest.approx(9, rel=0.01)


@pytest.mark.parametrize("own_yaw", [-35, -20, 0, 20, 35])
def test_a_turn_beyond_what_a_picture_can_show_is_softened(own_yaw: float) -> None:
    source = replace(SOURCE, turn_deg=(0, own_yaw, 0))
    yaws = np.arange(-80, 81, 5)
    retargeter = retarget(source.face, [DRIVER.frame])
    targets = [retargeter(replace(DRIVER, turn_deg=(0, float(yaw), 0)).frame) for yaw in yaws]
    given_deg = np.array([euler_deg(target.head.rotation)[1] for target in targets])
    assert (np.diff(given_deg) > -1e-6).all(), "further is never less far"
    assert np.diff(given_deg).max() <= 5.01, "nowhere a jump"
    assert given_deg[yaws == 0] == pytest.approx(0, abs=1e-3)
    seen_deg = own_yaw + given_deg
    assert np.abs(seen_deg).max() < 60, "never so far that the side of the head would show"
    asked = np.array([target.turned_deg for target in targets])
    assert asked[:, 0, 1] == pytest.approx(yaws, abs=0.5)
    assert asked[:, 1, 1] == pytest.approx(given_deg, abs=1e-6)


def test_pitch_and_roll_are_softened_too() -> None:
    pitched = ask(SOURCE, DRIVER, replace(DRIVER, turn_deg=(60, 0, 0)))
    rolled = ask(SOURCE, DRIVER, replace(DRIVER, turn_deg=(0, 0, 85)))
    assert 15 < euler_deg(pitched.head.rotation)[0] < 35
    assert 30 < euler_deg(rolled.head.rotation)[2] < 50


def test_absolute_takes_over_the_drivers_pose() -> None:
    source = replace(SOURCE, turn_deg=(0, -8, 5))
    driver = replace(DRIVER, turn_deg=(0, 9, -4))
    relative, absolute = (ask(source, driver, driver, relative=yes) for yes in (True, False))
    assert euler_deg(relative.head.rotation) == pytest.approx([0, 0, 0], abs=0.01)
    shown = absolute.head.rotation @ head_pose(source.points, canonical_mesh()).rotation
    mesh = canonical_mesh()
    assert euler_deg(shown) == pytest.approx(euler_deg(head_pose(driver.points, mesh).rotation), abs=0.1)


def test_absolute_takes_over_the_drivers_expression() -> None:
    """Measured from the driver's usual face, not from the reference frame."""
    smiling = replace(DRIVER, smile=0.9)
    frames = [smiling.frame, *[DRIVER.frame] * 6]
    corners = list(MOUTH_CORNERS)
    relative, absolute = (
        change_px(retarget(SOURCE.face, frames, relative=yes)(smiling.frame))[corners].mean()
        for yes in (True, False)
    )
    assert relative < 0.05
    assert absolute > 0.5 * 0.9 * SOURCE.px_per_cm


# Strength


MOVED = replace(DRIVER, lips=0.06, smile=0.7, blink=0.5, gaze=0.1, turn_deg=(4, 12, 6), x=206)


def test_more_strength_is_more_movement() -> None:
    targets = [ask(SOURCE, DRIVER, MOVED, strength=s) for s in (0, 0.25, 0.5, 1, 1.5, 2)]
    for measured in (
        [change_px(target).mean() for target in targets],
        [gap(target.points) for target in targets],
        [float(np.abs(euler_deg(target.head.rotation)).sum()) for target in targets],
        [-float(target.eyes[0].openness.mean()) for target in targets[:4]],
    ):
        assert (np.diff(measured) > 0).all(), measured


@settings(few, max_examples=10)
@given(st.floats(0, 2), st.floats(0, 2))
def test_pose_strength_is_the_heads_alone(strength: float, pose_strength: float) -> None:
    both = ask(SOURCE, DRIVER, MOVED, strength=strength, pose_strength=pose_strength)
    only_expression = ask(SOURCE, DRIVER, MOVED, strength=strength)
    only_pose = ask(SOURCE, DRIVER, MOVED, strength=pose_strength)
    assert both.points == pytest.approx(only_expression.points)
    assert both.head.rotation == pytest.approx(only_pose.head.rotation)
    assert both.head.centre == pytest.approx(only_pose.head.centre)
    assert both.head.scale == pytest.approx(only_pose.head.scale)


# Regions


def parts(target: Target) -> dict[str, float]:
    """How much the eyes, the lips, the brows and the head move."""
    moved = change_px(target)
    brows = [point for eye in EYES for point in eye.brow]
    openness = max(float(np.abs(eye.openness - 1).max()) for eye in target.eyes)
    gaze = max(float(np.abs(eye.gaze).max()) for eye in target.eyes)
    return {
        "lips": float(moved[list(LIPS)].max()),
        "brows": float(moved[brows].max()),
        "eyes": openness + gaze,
        "head": float(np.abs(target.head(SOURCE.points) - SOURCE.points).max()),
    }


def raised_brows(puppet: Puppet) -> MotionFrame:
    frame = puppet.frame
    points = frame.points.copy()
    points[[point for eye in EYES for point in eye.brow], 1] -= 0.6 * puppet.px_per_cm
    return replace(frame, points=points)


@pytest.mark.parametrize(
    ("region", "moving"),
    [
        ("all", {"lips", "brows", "eyes", "head"}),
        ("expression", {"lips", "brows", "eyes"}),
        ("pose", {"head"}),
        ("lips", {"lips"}),
        ("eyes", {"brows", "eyes"}),
    ],
)
def test_a_region_moves_and_the_others_do_not(region: Region, moving: set[str]) -> None:
    frame = raised_brows(MOVED)
    target = retarget(SOURCE.face, [DRIVER.frame, frame], region=region)(frame)
    for part, amount in parts(target).items():
        assert (amount > 0.3) if part in moving else (amount < 0.06), (part, amount)


# Lids


def openness(target: Target) -> float:
    return float(np.mean([eye.openness.mean() for eye in target.eyes]))


def blinking(source: Puppet, **options: Any) -> list[float]:
    blinks = np.linspace(0, 1, 11)
    frames = [replace(DRIVER, blink=float(b)).frame for b in blinks]
    retargeter = retarget(source.face, frames, **options)
    return [openness(retargeter(frame)) for frame in frames]


@pytest.mark.parametrize(
    "source", [SOURCE, replace(SOURCE, blink=0.5), replace(SOURCE, turn_deg=(0, 25, 10))]
)
def test_a_blink_closes_and_opens(source: Puppet) -> None:
    """From what the source shows to entirely closed, and never back on the way."""
    values = blinking(source)
    assert values[0] == pytest.approx(1, abs=1e-3)
    assert values[-1] == 0
    assert (np.diff(values) <= 1e-6).all()


def test_a_blink_closes_whatever_the_reference_showed() -> None:
    frames = [replace(DRIVER, blink=b).frame for b in (0.2, 0, 0, 0, 1)]
    retargeter = retarget(SOURCE.face, frames)
    assert openness(retargeter(frames[-1])) == 0
    assert openness(retargeter(frames[1])) > 1, "wider open than in the reference"


def test_the_points_alone_leave_a_lid_open_where_the_coefficient_is_sure() -> None:
    """A tracker's points stay a little open in a blink that its coefficient sees."""
    frames = [replace(DRIVER, blink=b).frame for b in (0, 0.3)]
    sure, unsure = frames[1].blendshapes.copy(), np.zeros(52, np.float32)
    sure[9:11] = 0.9
    retargeter = retarget(SOURCE.face, frames)
    assert openness(retargeter(replace(frames[1], blendshapes=sure))) < openness(
        retargeter(replace(frames[1], blendshapes=unsure))
    )


def test_one_eye_blinks_alone() -> None:
    frame = DRIVER.frame
    points = frame.points.copy()
    eye = EYES[0]
    points[list(eye.upper)] = points[list(eye.lower)]
    winking = replace(frame, points=points)
    right, left = retarget(SOURCE.face, [frame, winking])(winking).eyes
    assert right.openness.max() == 0
    assert left.openness == pytest.approx(np.ones(7), abs=0.02)


def test_the_gaze_follows_and_keeps_its_side() -> None:
    for gaze in (-0.15, 0.15):
        target = ask(SOURCE, DRIVER, replace(DRIVER, gaze=gaze))
        for eye in target.eyes:
            assert eye.gaze == pytest.approx([gaze, 0], abs=0.02)


# Lips


@pytest.mark.parametrize("reference_lips", [0.0, 0.02, 0.08])
@pytest.mark.parametrize("source_lips", [0.0, 0.03, 0.08])
def test_closed_lips_close_and_open_lips_open(source_lips: float, reference_lips: float) -> None:
    """Whatever the source shows, and whatever stands for it."""
    source = replace(SOURCE, lips=source_lips)
    frames = [replace(DRIVER, lips=lips).frame for lips in (reference_lips, 0.0, 0.05, 0.1)]
    retargeter = retarget(source.face, frames)
    closed, half, opened = (gap(retargeter(frame).points) for frame in frames[1:])
    assert closed < 0.004
    assert half == pytest.approx(0.05, abs=0.012)
    assert opened == pytest.approx(0.1, abs=0.02)


@few
@given(st.floats(0, 0.1), st.floats(0, 0.1), st.floats(0, 0.15), st.floats(0, 2))
def test_lips_never_cross(source_lips: float, reference: float, lips: float, strength: float) -> None:
    source, moved = replace(SOURCE, lips=source_lips), replace(DRIVER, lips=lips)
    target = ask(source, replace(DRIVER, lips=reference), moved, strength=strength)
    upper, lower = (target.points[point, 1] for point in LIP_MIDDLES)
    assert lower - upper > -0.1, "px"


def test_the_gap_grows_evenly_with_the_drivers() -> None:
    """Without jumps, where "closed" becomes "open" too, for closed and open sources alike."""
    amounts = np.linspace(0, 0.1, 41)
    frames = [replace(DRIVER, lips=float(lips) + 0.004).frame for lips in amounts]
    for source_lips in (0.0, 0.004, 0.006, 0.01, 0.03, 0.08):
        retargeter = retarget(replace(SOURCE, lips=source_lips).face, frames)
        gaps = np.array([gap(retargeter(frame).points) for frame in frames])
        steps = np.diff(gaps) / np.diff(amounts)
        assert (steps > -1e-3).all()
        assert steps.max() < 2.2


def test_the_chin_goes_with_the_lower_lip() -> None:
    target = ask(SOURCE, DRIVER, replace(DRIVER, lips=0.1))
    down = target.points[:, 1] - SOURCE.points[:468, 1]
    assert down[CHIN] > 0.5 * down[LIP_MIDDLES[1]] > 0
    nose_tip = 1
    assert abs(down[nose_tip]) < 0.1 * down[CHIN]


# Calm


def noisy(puppet: Puppet, rng: np.random.Generator, noise_px: float) -> MotionFrame:
    frame = puppet.frame
    return replace(frame, points=(frame.points + rng.normal(0, noise_px, (478, 3))).astype(np.float32))


def test_smooth_calms_face_and_head_and_leaves_lids_and_gaze_alone() -> None:
    rng = np.random.default_rng(2)
    frames = [noisy(replace(DRIVER, turn_deg=(0, rng.normal(0, 1), 0)), rng, 0.15) for _ in range(60)]
    unrest, eyes = [], []
    for smooth in (0.0, 0.5, 1.0):
        retargeter = retarget(SOURCE.face, frames, smooth=smooth)
        targets = [retargeter(frame) for frame in frames]
        points = np.array([target.points for target in targets])
        yaw = np.array([euler_deg(target.head.rotation)[1] for target in targets])
        unrest.append((np.diff(points, axis=0).std(), np.diff(yaw).std()))
        eyes.append([(eye.openness, eye.lower_shift, eye.gaze) for target in targets for eye in target.eyes])
    for calmer, wilder in ((1, 0), (2, 1)):
        assert unrest[calmer][0] < unrest[wilder][0]
        assert unrest[calmer][1] < unrest[wilder][1]
    for calm in eyes[1:]:
        for one, other in zip(calm, eyes[0], strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_head_follows_the_steadied_points_and_the_face_the_tracked_ones() -> None:
    turned = replace(DRIVER, turn_deg=(0, 10, 0), smile=0.5)
    steadied = replace(DRIVER, turn_deg=(0, 6, 0)).points
    reference = replace(DRIVER.frame, steady=DRIVER.points)
    frame = replace(turned.frame, steady=steadied)
    target = retarget(SOURCE.face, [reference])(frame)
    assert euler_deg(target.head.rotation)[1] == pytest.approx(6, abs=0.1)
    plain = retarget(SOURCE.face, [DRIVER.frame])(turned.frame)
    assert target.points == pytest.approx(plain.points, abs=1e-3)


def test_retargeters_know_nothing_of_each_other() -> None:
    frames = [replace(DRIVER, turn_deg=(0, float(n), 0), lips=0.01 * n).frame for n in range(8)]
    config = AnimateConfig(smooth=0.7, best_frame="first")
    calibration = learn(frames, SOURCE.face)

    def fresh() -> Retargeter:
        return Retargeter(SOURCE.face, (WIDTH, HEIGHT), calibration, canonical_mesh(), config)

    alone = fresh()
    expected = [alone(frame).points for frame in frames]
    one, other = fresh(), fresh()
    for frame, points in zip(frames, expected, strict=True):
        assert np.array_equal(one(frame).points, points)
        assert np.array_equal(other(frame).points, points)
