"""Moving heads of nobody: a few ellipsoids, ray-traced with numpy. For experiments that need no person.

head = Head.draw(np.random.default_rng(0))
image = render(head, Pose(yaw=0.4, jaw=0.6), side_px=64)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SUPERSAMPLING = 2
VIEW = 0.78
"""Half the side of what is seen: smaller is closer."""


@dataclass(frozen=True, slots=True)
class Pose:
    """What changes from frame to frame.

    Attributes:
        yaw, pitch, roll: how the head is turned, radians.
        x, y: where it is, in half pictures.
        jaw: how far the mouth is open, 0 … 1.
        smile: how wide it is, -1 … 1.
        lids: how far the eyes are closed, 0 … 1.
        gaze: left or right, -1 … 1.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    jaw: float = 0.0
    smile: float = 0.0
    lids: float = 0.0
    gaze: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Whose head it is; colours are RGB, 0 … 1, lengths in half pictures."""

    skin: Array
    hair: Array
    iris: Array
    shirt: Array
    lips: Array
    backdrop: Array
    light: Array
    size: Array
    hairline: float
    hair_back: float
    eye_x: float
    eye_size: float
    mouth_width: float
    nose: float
    brow: float

    @classmethod
    def draw(cls, chance: np.random.Generator) -> Head:
        """A random one."""
        tone = chance.uniform(0.25, 1.0)
        skin = np.array([0.95, 0.76, 0.65]) * tone + np.array([0.02, 0.0, -0.02])
        light = np.array([chance.uniform(-0.8, 0.8), chance.uniform(-0.9, -0.2), -1.0])
        return cls(
            skin=np.clip(skin, 0.05, 1),
            hair=_hair(chance),
            iris=chance.uniform([0.1, 0.15, 0.1], [0.45, 0.5, 0.7]),
            shirt=chance.uniform(0.05, 0.95, 3),
            lips=np.clip(skin * [0.95, 0.6, 0.6] + [0.05, 0, 0], 0, 1),
            backdrop=chance.uniform(0.1, 0.9, (2, 3)),
            light=light / np.linalg.norm(light),
            size=np.array(
                [chance.uniform(0.36, 0.44), chance.uniform(0.48, 0.58), chance.uniform(0.40, 0.46)]
            ),
            hairline=chance.uniform(-0.62, -0.38),
            hair_back=chance.uniform(-0.1, 0.3),
            eye_x=chance.uniform(0.30, 0.38),
            eye_size=chance.uniform(0.12, 0.16),
            mouth_width=chance.uniform(0.24, 0.34),
            nose=chance.uniform(0.09, 0.13),
            brow=chance.uniform(0.025, 0.05),
        )


def move(chance: np.random.Generator, frames: int) -> list[Pose]:
    """A clip's poses: every part swings at its own pace, and the eyes blink."""
    time = np.linspace(0, 1, frames)

    def swing(most: float) -> Array:
        first, second = chance.uniform(0.5, 1.5), chance.uniform(1.5, 3)
        wave = np.sin(2 * np.pi * (first * time + chance.random()))
        return most * (0.7 * wave + 0.3 * np.sin(2 * np.pi * (second * time + chance.random())))

    yaw, pitch, roll = swing(0.6), swing(0.3), swing(0.25)
    x, y, gaze, smile = swing(0.2), swing(0.12), swing(1.0), swing(1.0)
    jaw = np.clip(0.4 + swing(0.8), 0, 1)
    lids = np.exp(-(((time - chance.random()) / 0.06) ** 2))
    names = ("yaw", "pitch", "roll", "x", "y", "jaw", "smile", "lids", "gaze")
    values = np.stack([yaw, pitch, roll, x, y, jaw, smile, lids, gaze], 1)
    return [Pose(**dict(zip(names, map(float, row), strict=True))) for row in values]


def render(head: Head, pose: Pose, side_px: int) -> NDArray[np.uint8]:
    """(side_px, side_px, 3) uint8 RGB."""
    full = side_px * SUPERSAMPLING
    at = ((np.arange(full) + 0.5) / full * 2 - 1) * VIEW
    x, y = np.meshgrid(at, at - 0.08)
    share = ((y / VIEW + 1) / 2)[..., None]
    image = head.backdrop[0] * (1 - share) + head.backdrop[1] * share
    turn = _rotation(pose)
    middle = np.array([pose.x, pose.y - 0.12, 0.0])
    still = np.eye(3)
    shoulders = np.array([0.4 * pose.x, 1.05, 0.12])
    neck = np.array([0.7 * pose.x, 0.45, 0.1])
    canvas = _Canvas(image, np.full(x.shape, np.inf), x, y, head.light)

    def plain(colour: Array) -> Callable[[Array], Array]:
        return lambda u: np.broadcast_to(colour, u.shape)

    nose = middle + turn @ (head.size * [0, 0.12, -0.98])
    ears = [middle + turn @ (head.size * [side, 0.05, 0.1]) for side in (1.0, -1.0)]
    ear = head.size * [0.1, 0.2, 0.15]
    for part in (
        _Ellipsoid(shoulders, np.array([0.85, 0.42, 0.4]), still, plain(head.shirt)),
        _Ellipsoid(neck, np.array([0.2, 0.45, 0.2]), still, plain(head.skin * 0.9)),
        _Ellipsoid(middle, head.size, turn, lambda u: _paint_face(head, pose, u)),
        _Ellipsoid(nose, head.size * [head.nose, 0.2, 0.28], turn, plain(head.skin)),
        *(_Ellipsoid(centre, ear, turn, plain(head.skin * 0.92)) for centre in ears),
        _Ellipsoid(middle, head.size * 1.1, turn, lambda u: _paint_hair(head, u)),
    ):
        _draw(canvas, part)
    small = cv2.resize(image.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(small * 255), 0, 255).astype(np.uint8)


class _Ellipsoid(NamedTuple):
    """A part of the picture. `frame` has its axes' directions as columns; `paint` colours its unit sphere."""

    centre: Array
    axes: Array
    frame: Array
    paint: Callable[[Array], Array]


class _Canvas(NamedTuple):
    """What was drawn, and how deep each pixel lies; where the pixels are; where the light comes from."""

    image: Array
    depth: Array
    x: Array
    y: Array
    light: Array


def _draw(canvas: _Canvas, part: _Ellipsoid) -> None:
    """One ellipsoid, seen along z without perspective, over what lies behind it.

    In its own frame, scaled to a unit sphere, a ray is o + t d with |o + t d| = 1.
    """
    image, depth, x, y, light = canvas
    centre, axes, frame, paint = part
    reach = np.abs(frame) @ axes
    rows = np.abs(y[:, 0] - centre[1]) <= reach[1]
    columns = np.abs(x[0] - centre[0]) <= reach[0]
    box = np.ix_(rows, columns)
    if not rows.any() or not columns.any():
        return
    offset = np.stack([x[box] - centre[0], y[box] - centre[1], np.zeros_like(x[box])], -1)
    o = (offset @ frame) / axes
    d = frame[2] / axes
    a, b, c = d @ d, o @ d, (o * o).sum(-1) - 1
    root = b * b - a * c
    hit = root > 0
    t = (-b - np.sqrt(np.where(hit, root, 0))) / a
    u = o + t[..., None] * d
    colour = paint(u)
    there = hit & (t + centre[2] < depth[box]) & ~np.isnan(colour[..., 0])
    normal = (u / axes) @ frame.T
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    shade = 0.45 + 0.65 * np.clip(normal @ light, 0, 1)
    seen, behind = image[box], depth[box]
    seen[there] = (colour * shade[..., None])[there]
    behind[there] = (t + centre[2])[there]
    image[box], depth[box] = seen, behind


def _paint_face(head: Head, pose: Pose, u: Array) -> Array:
    """Colours on the unit sphere: x to the side, y down, z away; eyes, brows and mouth on the front."""
    colour = np.broadcast_to(head.skin, u.shape).copy()
    x, y, front = u[..., 0], u[..., 1], u[..., 2] < 0
    for side in (-1, 1):
        ex, ey = x - side * head.eye_x, y + 0.08
        size = head.eye_size
        socket = (ex / (1.25 * size)) ** 2 + (ey / (0.85 * size)) ** 2 < 1
        opening = 0.75 * size * (1 - 0.95 * pose.lids)
        inside = (ex / (1.1 * size)) ** 2 + (ey / max(opening, 1e-3)) ** 2 < 1
        reach = np.hypot(ex - 0.4 * size * pose.gaze, ey)
        brow = (np.abs(ey + 2.0 * size) < head.brow) & (np.abs(ex) < 1.4 * size)
        for where, what in (
            (socket, head.skin * 0.8),
            (inside, np.array([0.95, 0.95, 0.95])),
            (inside & (reach < 0.5 * size), head.iris),
            (inside & (reach < 0.24 * size), np.zeros(3)),
            (brow, head.hair),
        ):
            colour[where & front] = what
    width = head.mouth_width * (1 + 0.25 * pose.smile)
    mouth_y = y - 0.52 - 0.1 * pose.jaw + 0.5 * pose.smile * x**2
    height = 0.03 + 0.13 * pose.jaw
    lips = (x / (width + 0.04)) ** 2 + (mouth_y / (height + 0.05)) ** 2 < 1
    hole = (x / width) ** 2 + (mouth_y / height) ** 2 < 1
    teeth = hole & (mouth_y < -0.35 * height)
    for where, what in (
        (lips, head.lips), (hole, np.array([0.2, 0.03, 0.04])), (teeth, np.array([0.92, 0.9, 0.85]))
    ):  # fmt: skip
        colour[where & front] = what
    return colour


def _paint_hair(head: Head, u: Array) -> Array:
    """Hair above the hairline and behind; nan where there is none."""
    is_hair = (u[..., 1] < head.hairline - 0.3 * u[..., 2] - 0.3 + 0.25 * u[..., 0] ** 2) | (
        (u[..., 2] > head.hair_back) & (u[..., 1] < 0.5)
    )
    streaks = 1 + 0.15 * np.sin(40 * u[..., 0] + 6 * u[..., 1])
    return np.where(is_hair[..., None], head.hair * streaks[..., None], np.nan)


def _hair(chance: np.random.Generator) -> Array:
    natural = np.array(
        [[0.1, 0.07, 0.05], [0.35, 0.2, 0.1], [0.75, 0.58, 0.3], [0.6, 0.25, 0.1], [0.7, 0.7, 0.7]]
    )
    return np.clip(natural[chance.integers(len(natural))] * chance.uniform(0.8, 1.2), 0, 1)


def _rotation(pose: Pose) -> Array:
    """Columns: where the head's x, y, z point."""
    cy, sy, cp, sp = np.cos(pose.yaw), np.sin(pose.yaw), np.cos(pose.pitch), np.sin(pose.pitch)
    cr, sr = np.cos(pose.roll), np.sin(pose.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return roll @ yaw @ pitch
