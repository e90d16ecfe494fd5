"""Skin, hair, eyes and clothes, painted: one picture for all of a head, wrapped round it like a label."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthetic_people.anatomy import Anatomy, Floats
from synthetic_people.person import Traits
from synthetic_people.raster import NOTHING, draw

WIDTH, HEIGHT = 1536, 1152
PX_PER_RADIAN, PX_PER_DM = 320.0, 330.0
TOP = 8.55
"""Height of the first row, dm."""

AXIS_Z = 0.3
"""The head's upright axis, dm."""

EYE_PX = 256
PATCH_PX = 16
COLLAR = 5.75
"""Where the shirt begins, dm."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The average head, unrolled: what each texel of the label shows.

    Attributes:
        x, y, z: (HEIGHT, WIDTH) of its surface, dm.
        lips: (HEIGHT, WIDTH) 0…1.
    """

    x: Floats
    y: Floats
    z: Floats
    lips: Floats

    @classmethod
    def of(cls, anatomy: Anatomy) -> Canvas:
        at = unroll(anatomy.vertices)
        radius = np.hypot(anatomy.vertices[:, 0], anatomy.vertices[:, 2] - AXIS_Z)
        skin = anatomy.triangles[anatomy.parts == "skin"]
        depth, seen = (
            np.full((HEIGHT, WIDTH), np.inf, np.float32),
            np.full((HEIGHT, WIDTH), NOTHING, np.int32),
        )
        weights = np.zeros((HEIGHT, WIDTH, 2), np.float32)
        draw(np.column_stack([at, -radius]).astype(np.float32), skin, depth, seen, weights)
        corners = skin[np.maximum(seen, 0)]
        share = np.concatenate([1 - weights.sum(2, keepdims=True), weights], 2)
        volumes = [anatomy.target(f"mouth/mouth-{lip}lip-volume-incr") for lip in ("upper", "lower")]
        lips = sum(np.linalg.norm(move, axis=1) / np.linalg.norm(move, axis=1).max() for move in volumes)
        values = np.column_stack([anatomy.vertices, np.clip(lips, 0, 1)]).astype(np.float32)
        maps = np.einsum("hwkc,hwk->chw", values[corners], share).astype(np.float32)
        maps[:3, seen < 0] = 99.0
        return cls(maps[0], maps[1], maps[2], maps[3] * (seen >= 0))


def unroll(vertices: Floats) -> Floats:
    """Where each vertex is on the label, (n, 2) px."""
    angle = np.arctan2(vertices[:, 0], vertices[:, 2] - AXIS_Z)
    column = WIDTH / 2 + angle * PX_PER_RADIAN
    return np.column_stack([column, (TOP - vertices[:, 1]) * PX_PER_DM]).astype(np.float32)


def place(anatomy: Anatomy) -> Floats:
    """Where each vertex is in the atlas that `paint` makes, (n, 2) px."""
    at = unroll(anatomy.vertices)
    for name in ("eye", "teeth", "tongue", "mouth"):
        part = anatomy.of_part(name)
        if name == "eye":
            for side in (part[anatomy.vertices[part, 0] > 0], part[anatomy.vertices[part, 0] < 0]):
                eye = anatomy.vertices[side]
                ball = (eye[:, :2] - eye[:, :2].mean(0)) / 0.14 * [1, -1]
                at[side] = [EYE_PX / 2, HEIGHT + EYE_PX / 2] + ball * EYE_PX / 2
        else:
            column = EYE_PX + PATCH_PX * (("teeth", "tongue", "mouth").index(name) + 0.5)
            # The mouth's rim belongs to the lips as well; it keeps its place there.
            own = np.setdiff1d(part, anatomy.of_part("skin"))
            at[own] = [column, HEIGHT + PATCH_PX / 2]
    return at


def paint(traits: Traits, canvas: Canvas, shirt: Floats) -> Floats:
    """The atlas, (HEIGHT + EYE_PX, WIDTH, 4) float32: linear red, green, blue and gloss."""
    chance = np.random.default_rng([traits.seed, 1])
    label = _skin(traits, canvas, chance)
    _stubble(label, traits, canvas, chance)
    _lips(label, traits, canvas, chance)
    _brows(label, traits, canvas, chance)
    _hair(label, traits, canvas, chance)
    weave = 1 + 0.12 * _noise(chance, 3)
    is_shirt = (canvas.y < COLLAR)[..., None]
    cloth = np.concatenate([shirt * weave[..., None], np.zeros((HEIGHT, WIDTH, 1), np.float32)], 2)
    label = np.where(is_shirt, cloth, label)
    foot = np.zeros((EYE_PX, WIDTH, 4), np.float32)
    foot[:, :EYE_PX] = _eye(traits, chance)
    for n, colour in enumerate(([0.60, 0.55, 0.45, 0.2], [0.28, 0.09, 0.08, 0.1], [0.13, 0.03, 0.03, 0.05])):
        foot[: PATCH_PX + 1, EYE_PX + n * PATCH_PX : EYE_PX + (n + 1) * PATCH_PX] = colour
    return np.ascontiguousarray(np.clip(np.concatenate([label, foot]), 0, 1), np.float32)


def _skin(traits: Traits, canvas: Canvas, chance: np.random.Generator) -> Floats:
    x, y, z = np.abs(canvas.x), canvas.y, canvas.z
    tone = np.ones((HEIGHT, WIDTH, 3), np.float32) * traits.skin
    blotches = 0.5 * _noise(chance, 60) + 0.35 * _noise(chance, 22) + 0.25 * _noise(chance, 8)
    tone *= 1 + traits.mottling * 0.16 * blotches[..., None] * np.array([0.7, 1.0, 1.0], np.float32)
    pores = _noise(chance, 2.0) * (0.05 + 0.05 * np.exp(-((x / 0.45) ** 2) - ((y - 7.0) / 0.35) ** 2))
    tone *= 1 + pores[..., None]
    red = np.exp(-((x - 0.42) ** 2 + (y - 6.95) ** 2) / 0.03) + np.exp(-(x**2 + (y - 6.95) ** 2) / 0.012)
    tone *= 1 - (0.08 + 0.28 * traits.redness) * red[..., None] * np.array([0.1, 1.0, 0.9], np.float32)
    shadow = np.exp(-(((x - 0.30) / 0.2) ** 2) - ((y - 7.13) / 0.09) ** 2)
    tone *= 1 - (0.1 + 0.3 * traits.old) * shadow[..., None] * np.array([0.8, 1.0, 0.9], np.float32)
    for _ in range(int(900 * traits.freckles)):
        _dot(tone, chance, x_dm=0.75, y_dm=(6.6, 7.45), size_px=(1.2, 3.2), strength=(0.15, 0.5))
    for _ in range(int(chance.integers(0, 8))):  # moles
        _dot(tone, chance, x_dm=0.8, y_dm=(6.2, 7.9), size_px=(3.0, 6.0), strength=(0.5, 0.85))
    wrinkles = _wrinkles(canvas, chance) * (0.05 + 0.3 * traits.old)
    tone *= 1 - wrinkles[..., None]
    shine = np.exp(-((x / 0.25) ** 2)) * np.exp(-(((y - 7.4) / 0.7) ** 2))
    gloss = (0.05 + 0.05 * shine) * (1 + 0.4 * _noise(chance, 4))
    # The rim of the lids, with lashes.
    ball = np.sqrt((x - 0.308) ** 2 + (y - 7.284) ** 2 + (z - 1.245) ** 2)
    rim = np.clip(1 - (ball - 0.150) / 0.02, 0, 1) * (ball < 0.3)
    tone *= 1 - (0.55 * rim * np.where(y > 7.27, 1.35, 0.8))[..., None]
    return np.concatenate([tone, gloss[..., None]], 2).astype(np.float32)


def _stubble(label: Floats, traits: Traits, canvas: Canvas, chance: np.random.Generator) -> None:
    x, y = np.abs(canvas.x), canvas.y
    jaw = _step(6.75 + 0.35 * x - y, 0.08) * _step(y - 6.0, 0.15) * _step(canvas.z - 0.2, 0.2)
    moustache = np.exp(-((x / 0.26) ** 4) - (((y - 6.80) / 0.065) ** 4))
    area = np.clip(np.maximum(jaw, moustache), 0, 1) * (1 - _step(canvas.lips - 0.15, 0.1))
    hairs = np.clip(0.55 + 0.6 * _noise(chance, 1.6), 0, 1)
    amount = (area * hairs * 0.9 * traits.stubble**1.3)[..., None]
    label[..., :3] = label[..., :3] * (1 - amount) + traits.brows * amount


def _lips(label: Floats, traits: Traits, canvas: Canvas, chance: np.random.Generator) -> None:
    amount = _step(canvas.lips - 0.22, 0.14)[..., None]
    lines = cv2.resize(chance.normal(size=(HEIGHT // 24, WIDTH // 3)).astype(np.float32), (WIDTH, HEIGHT))
    colour = traits.lips * (1 + 0.10 * lines[..., None])
    label[..., :3] = label[..., :3] * (1 - amount) + colour * amount
    label[..., 3] += 0.12 * amount[..., 0]


def _brows(label: Floats, traits: Traits, canvas: Canvas, chance: np.random.Generator) -> None:
    """Strokes along an arc over each eye."""
    layer = np.zeros((HEIGHT, WIDTH), np.float32)
    strokes = int(5200 * traits.brow_thickness * traits.brow_length / 0.4)
    for side in (-1, 1):
        for _ in range(strokes):
            along, off = float(chance.random()), float(chance.normal(0, 0.45))
            taper = 1 - 0.65 * along
            x = 0.10 + traits.brow_length * along
            arc = 7.475 + traits.brow_height + 0.10 * np.sin(np.pi * min(along * 0.75 + 0.05, 1.0))
            y = arc + (traits.brow_tilt - 0.02) * along**2 + off * traits.brow_thickness * taper
            lean = np.radians(70 - 75 * along + chance.normal(0, 12))
            length = 0.05 * (1 - 0.3 * along)
            ends = [(x, y), (x + length * np.cos(lean), y + length * np.sin(lean) * 0.6)]
            start, stop = (_texel(canvas, side * a, b) for a, b in ends)
            cv2.line(layer, start, stop, float(chance.uniform(0.5, 0.9)), 1, cv2.LINE_AA)
    layer = np.clip(cv2.GaussianBlur(layer, (0, 0), 0.8) * 1.2, 0, 0.93)[..., None]
    label[..., :3] = label[..., :3] * (1 - layer) + traits.brows * layer
    label[..., 3:] *= 1 - layer


def _texel(canvas: Canvas, x: float, y: float) -> tuple[int, int]:
    """Where the front of the face at x, y is on the label."""
    row = int(np.clip((TOP - y) * PX_PER_DM, 0, HEIGHT - 1))
    front = slice(WIDTH // 4, 3 * WIDTH // 4)
    return int(np.abs(canvas.x[row, front] - x).argmin()) + WIDTH // 4, row


def hairiness(traits: Traits, x: Floats, y: Floats, z: Floats) -> Floats:
    """0…1: how much of the scalp's hair grows at these places of the average head."""
    angle = np.abs(np.arctan2(x, z - AXIS_Z))
    # From the forehead down before the ear, behind it and to the neck.
    angles = [0.0, 0.35, 0.75, 1.05, 1.35, 1.75, 2.1, 3.2]
    heights = np.interp(angle, angles, [0.0, -0.02, -0.12, -0.6, -0.95, -0.9, -1.5, -1.75])
    is_ear = (np.abs(x) > 0.70) & (np.abs(z - 0.25) < 0.32) & (np.abs(y - 7.15) < 0.36)
    return _step(y - (traits.hairline + heights), 0.06) * ~is_ear


def _hair(label: Floats, traits: Traits, canvas: Canvas, chance: np.random.Generator) -> None:
    tips = cv2.resize(chance.normal(size=(HEIGHT // 60, WIDTH // 3)).astype(np.float32), (WIDTH, HEIGHT))
    rough = canvas.y + 0.03 * _noise(chance, 30) + 0.03 * tips
    amount = hairiness(traits, canvas.x, rough, canvas.z)[..., None] * (canvas.y < 90)[..., None]
    strands = cv2.resize(chance.normal(size=(HEIGHT // 40, WIDTH // 2)).astype(np.float32), (WIDTH, HEIGHT))
    colour = traits.hair * np.clip(1 + 0.45 * strands[..., None], 0.2, 3)
    label[..., :3] = label[..., :3] * (1 - amount) + colour * amount
    label[..., 3:] = label[..., 3:] * (1 - amount) + 0.06 * amount


def _eye(traits: Traits, chance: np.random.Generator) -> Floats:
    """An eyeball from the front, (EYE_PX, EYE_PX, 4)."""
    rows, columns = np.mgrid[:EYE_PX, :EYE_PX].astype(np.float32)
    x, y = (columns - EYE_PX / 2) / (EYE_PX / 2), (rows - EYE_PX / 2) / (EYE_PX / 2)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    white = np.array([0.66, 0.61, 0.57], np.float32) * (1 - 0.35 * _step(radius - 0.75, 0.3))[..., None]
    white *= 1 - np.array([0.0, 0.12, 0.12], np.float32) * _step(np.abs(x) - 0.6, 0.2)[..., None]
    spokes = chance.normal(size=96)[((angle + np.pi) / (2 * np.pi) * 95.99).astype(int)]
    iris = traits.iris * (1 + 0.25 * spokes)[..., None] * (1.3 - 0.6 * radius / 0.45)[..., None]
    iris *= 1 - 0.75 * _step(radius - 0.41, 0.03)[..., None]
    amount = 1 - _step(radius - 0.46, 0.025)[..., None]
    eye = white * (1 - amount) + iris * amount
    eye *= _step(radius - 0.19, 0.02)[..., None]
    glint = np.exp(-((x + 0.16) ** 2 + (y + 0.2) ** 2) / 0.006)
    eye += 0.8 * glint[..., None]
    return np.concatenate([eye, np.full((EYE_PX, EYE_PX, 1), 0.2, np.float32)], 2).astype(np.float32)


def _wrinkles(canvas: Canvas, chance: np.random.Generator) -> Floats:
    """0…1: lines over the forehead, beside the eyes, and from the nose to the mouth's corners."""
    x, y = np.abs(canvas.x), canvas.y + 0.015 * _noise(chance, 30)
    lines = np.zeros((HEIGHT, WIDTH), np.float32)
    for height in chance.uniform(7.65, 7.95, 3):
        lines += np.exp(-(((y - height + 0.1 * x**2) / 0.008) ** 2)) * np.exp(-((x / 0.4) ** 4))
    for slope in chance.uniform(-0.6, 0.5, 3):
        lines += np.exp(-(((y - 7.27 - slope * (x - 0.48)) / 0.006) ** 2)) * np.exp(
            -(((x - 0.57) / 0.06) ** 4)
        )
    fold = 0.17 + 0.18 * np.clip((6.98 - y) / 0.35, 0, 1)
    lines += 1.3 * np.exp(-(((x - fold) / 0.012) ** 2)) * np.exp(-(((y - 6.82) / 0.16) ** 4))
    return np.clip(lines, 0, 1).astype(np.float32)


def _dot(
    tone: Floats,
    chance: np.random.Generator,
    *,
    x_dm: float,
    y_dm: tuple[float, float],
    size_px: tuple[float, float],
    strength: tuple[float, float],
) -> None:
    """A brown dot somewhere on the face."""
    angle = np.arcsin(np.clip(chance.uniform(-x_dm, x_dm), -1, 1))
    column, row = WIDTH / 2 + angle * PX_PER_RADIAN, (TOP - chance.uniform(*y_dm)) * PX_PER_DM
    size, most = chance.uniform(*size_px), chance.uniform(*strength)
    top, left = int(row) - 12, int(column) - 12
    rows, columns = np.mgrid[top : top + 25, left : left + 25]
    spot = most * np.exp(-(((rows - row) ** 2 + (columns - column) ** 2) / size**2))
    tone[top : top + 25, left : left + 25] *= 1 - spot[..., None] * np.array([0.6, 0.85, 1.0], np.float32)


def _noise(chance: np.random.Generator, size_px: float) -> Floats:
    """(HEIGHT, WIDTH) of mean 0 and deviation of about 1, with grains of this size."""
    rows, columns = max(int(HEIGHT / size_px), 2), max(int(WIDTH / size_px), 2)
    grains = chance.normal(size=(rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(grains, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _step(value: Floats, width: float) -> Floats:
    """From 0 to 1 over this width, smoothly, half at 0."""
    t = np.clip(value / width + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
