"""A person's head, ready to be posed, lit and seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic_people.anatomy import Anatomy, Floats
from synthetic_people.person import Traits, shape
from synthetic_people.raster import NOTHING, draw, point_normals, shade
from synthetic_people.skin import Canvas, hairiness, paint, place

SUPERSAMPLING = 2
DISTANCE, MIDDLE_Y, VISIBLE_DM = 9.0, 7.12, 3.3
"""The camera: how far from the face, what height it looks at, and how much the picture's height shows, dm."""

HEAD_PIVOT, NECK_PIVOT = np.array([0, 6.35, 0.1], np.float32), np.array([0, 5.7, 0.0], np.float32)
DIRECTIONS = 64
"""From which it is asked what each vertex sees of the sky."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Everything but the person. Colours are linear.

    Attributes:
        lights: (k, 6), see `raster.shade`.
        backdrop: (h, w, 3) float32, stretched over the picture.
        shirt: (3,)
    """

    lights: Floats
    backdrop: Floats
    shirt: Floats

    @classmethod
    def of(cls, seed: int) -> Scene:
        chance = np.random.default_rng([seed, 2])
        key = np.array([chance.uniform(-0.8, 0.8), chance.uniform(0.1, 0.7), 1.0])
        fill = np.array([-key[0] * 0.9, 0.0, 0.8])
        warmth = chance.normal(0, 0.05)
        rows = []
        for direction, strength in ((key, chance.uniform(0.8, 1.05)), (fill, chance.uniform(0.1, 0.25))):
            colour = strength * np.array([1 + warmth, 1.0, 1 - warmth])
            rows.append([*direction / np.linalg.norm(direction), *colour])
        rows.append([0, 1, 0, *(chance.uniform(0.22, 0.34) * np.array([1 - warmth, 1.0, 1 + warmth]))])
        backdrop = np.ones((64, 64, 3), np.float32) * chance.uniform(0.05, 0.4, 3)
        for grains in (3, 6, 12):
            blobs = chance.normal(0, 0.25 / grains**0.5, (grains, grains, 1))
            backdrop *= np.exp(cv2.resize(blobs, (64, 64), interpolation=cv2.INTER_CUBIC))[..., None]
        shirt = chance.uniform(0.03, 0.5, 3).astype(np.float32)
        return cls(np.array(rows, np.float32), np.clip(backdrop, 0, 1).astype(np.float32), shirt)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What a face does at one time.

    Attributes:
        units: how much of each of ARKit's units, 0…1.
        yaw, pitch, roll: of the head, radians: to the person's left, down, to the person's right shoulder.
        x, y: where the person is, dm.
    """

    units: dict[str, float]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0


class Head:
    """Someone in a scene.

    Args:
        seed: of the person.
        scene: with its light, its background and the shirt to wear.
    """

    def __init__(self, anatomy: Anatomy, seed: int, scene: Scene, canvas: Canvas | None = None) -> None:
        self._anatomy, self._scene = anatomy, scene
        self.traits = Traits.draw(seed, anatomy)
        rest = shape(self.traits, anatomy)
        average = anatomy.vertices
        skin = np.isin(np.arange(len(rest)), anatomy.of_part("skin"))
        hair = hairiness(self.traits, *(average[:, n] for n in range(3))) * skin
        self._triangles = anatomy.triangles
        normals = point_normals(rest, self._triangles)
        self._rest = rest + normals * (hair * self.traits.hair_thickness)[:, None]
        self._at = place(anatomy)
        self._atlas = paint(self.traits, canvas or Canvas.of(anatomy), scene.shirt)
        self._openness = self._see_sky()

    def render(self, moment: Moment, width: int, height: int) -> NDArray[np.uint8]:
        """A picture, (height, width, 3) uint8 sRGB."""
        wide, high = width * SUPERSAMPLING, height * SUPERSAMPLING
        vertices = self.pose(moment)
        backdrop = cv2.resize(self._scene.backdrop, (wide, high), interpolation=cv2.INTER_CUBIC)
        image = np.clip(backdrop, 0, None).astype(np.float32)
        depth, seen = np.full((high, wide), np.inf, np.float32), np.full((high, wide), NOTHING, np.int32)
        weights = np.empty((high, wide, 2), np.float32)
        draw(project(vertices, wide, high), self._triangles, depth, seen, weights)
        normals = point_normals(vertices, self._triangles)
        shade(
            image,
            seen,
            weights,
            self._triangles,
            normals,
            self._at,
            self._openness,
            self._atlas,
            self._scene.lights,
        )
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(small, 0, 1) ** (1 / 2.2) * 255 + 0.5, np.uint8)

    def pose(self, moment: Moment) -> Floats:
        """The vertices at that moment, dm."""
        moved = self._rest.copy()
        for name, share in moment.units.items():
            if share:
                moved += np.float32(share) * self._anatomy.units[name]
        angles = np.array([moment.yaw, moment.pitch, moment.roll])
        neck, head = _rotation(*(0.4 * angles)), _rotation(*(0.6 * angles))
        with_head, with_neck = self._followers
        nodded = (moved - HEAD_PIVOT) @ head.T + HEAD_PIVOT
        moved += with_head[:, None] * (nodded - moved)
        bent = (moved - NECK_PIVOT) @ neck.T + NECK_PIVOT
        moved += with_neck[:, None] * (bent - moved)
        return np.asarray(moved + np.array([moment.x, moment.y, 0], np.float32), np.float32)

    @cached_property
    def _followers(self) -> tuple[Floats, Floats]:
        """How far each vertex follows the head and the neck."""
        average = self._anatomy.vertices
        # The neck ends where the skull begins, which is lower behind the chin than behind the ears.
        line = 6.25 - 0.25 * np.clip(average[:, 2] - 0.3, 0, 1)
        head = np.clip((average[:, 1] - line + 0.3) / 0.5, 0, 1)
        inside = np.isin(np.arange(len(average)), self._anatomy.of_part("teeth", "tongue", "mouth", "eye"))
        head[inside] = 1
        return head.astype(np.float32), np.clip((average[:, 1] - 5.6) / 0.6, 0, 1).astype(np.float32)

    def _see_sky(self) -> Floats:
        """How much of the sky each vertex sees with the face at rest, 0…1, by z-buffers from all round."""
        normals = point_normals(self._rest, self._triangles)
        free, all_of_it = np.zeros(len(normals)), np.full(len(normals), 1e-6)
        for direction in _sphere(DIRECTIONS):
            facing = np.clip(normals @ direction, 0, None)
            all_of_it += facing
            free += facing * self._is_lit(direction)
        openness = free / all_of_it
        anatomy = self._anatomy
        eyes, teeth = anatomy.of_part("eye"), anatomy.of_part("teeth", "tongue")
        lids = np.clip((anatomy.vertices[eyes, 1] - 7.26) / 0.1, 0, 1)
        openness[eyes] = 0.85 - 0.45 * lids
        depth = np.clip((anatomy.vertices[teeth, 2] - 1.1) / 0.4, 0, 1)
        openness[teeth] = 0.03 + 0.42 * depth**2
        return openness.astype(np.float32)

    def _is_lit(self, direction: Floats) -> NDArray[np.bool_]:
        """Which vertices a light from far away in this direction reaches."""
        side = np.cross(direction, [0.3, 1.0, 0.2])
        side /= np.linalg.norm(side)
        up = np.cross(direction, side)
        size, scale = 320, 70.0
        middle = np.array([0, 7.0, 0.4])
        flat = (self._rest - middle) @ np.column_stack([side, -up, -direction])
        points = (flat * [scale, scale, 1] + [size / 2, size / 2, 0]).astype(np.float32)
        depth, seen = np.full((size, size), np.inf, np.float32), np.full((size, size), NOTHING, np.int32)
        draw(points, self._triangles, depth, seen, np.empty((size, size, 2), np.float32))
        columns, rows = (np.clip(np.rint(points[:, n]).astype(int), 0, size - 1) for n in (0, 1))
        return points[:, 2] <= depth[rows, columns] + 0.035


def project(vertices: Floats, width: int, height: int) -> Floats:
    """Seen by the camera: x and y in px, and the distance."""
    away = DISTANCE + 1.5 - vertices[:, 2]
    scale = height / VISIBLE_DM * DISTANCE / away
    x = (width - 1) / 2 + vertices[:, 0] * scale
    y = (height - 1) / 2 - (vertices[:, 1] - MIDDLE_Y) * scale
    return np.column_stack([x, y, away]).astype(np.float32)


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (turn @ nod @ tilt).astype(np.float32)


def _sphere(count: int) -> Floats:
    """Directions spread evenly (a Fibonacci lattice), (count, 3)."""
    n = np.arange(count) + 0.5
    z, angle = 1 - 2 * n / count, np.pi * (1 + 5**0.5) * n
    return np.column_stack([np.sqrt(1 - z * z) * np.cos(angle), np.sqrt(1 - z * z) * np.sin(angle), z])
