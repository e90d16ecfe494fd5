"""Drawing the surface, against what is known beforehand or written plainly in NumPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.engines.mesh.raster import STRIP, draw_surface, paired
from likeness.engines.mesh.shade_kernel import shade
from likeness.types import Floats, Picture

HEIGHT, WIDTH = 2 * STRIP + 9, 60
Y, X = np.mgrid[:HEIGHT, :WIDTH]
few = settings(deadline=None, max_examples=25)
RECTANGLE = np.array([[-1, -1], [WIDTH, -1], [WIDTH, HEIGHT], [-1, HEIGHT]], np.float32)
TWO = [[0, 1, 2], [0, 2, 3]]


def words(picture: Picture) -> np.ndarray:
    return np.ascontiguousarray(picture).view(np.uint32)[:, :, 0]


def draw(
    target: Floats,
    source: Floats,
    triangles: list[list[int]],
    texture: Picture,
    backdrop: Picture,
    *,
    longest_gap: int = 0,
    jump: float = 1e9,
) -> Picture:
    """Draw (n, 2 or 3) vertices; without depth all lie at the same."""
    vertices = np.zeros((len(target), 3), np.float32)
    vertices[:, : np.shape(target)[1]] = target
    out = np.full((HEIGHT, WIDTH, 3), 7, np.uint8)
    draw_surface(
        vertices,
        np.ascontiguousarray(source, np.float32),
        np.array(triangles, np.int32).reshape(-1, 3),
        paired(texture),
        words(backdrop),
        out,
        longest_gap=longest_gap,
        jump=jump,
        seams=(0, 0, WIDTH, HEIGHT),
    )
    return out


def plain(colour: tuple[int, int, int], alpha: int = 255) -> Picture:
    return np.full((HEIGHT, WIDTH, 4), (*colour, alpha), np.uint8)


def place() -> Picture:
    """Opaque; red says the column, green the row."""
    return np.dstack([4 * X, 5 * Y, 0 * X, 0 * X + 255]).astype(np.uint8)


def random_texture(rng: np.random.Generator) -> Picture:
    alpha = rng.integers(0, 256, (HEIGHT, WIDTH, 1))
    return np.concatenate([rng.integers(0, 256, (HEIGHT, WIDTH, 3)) * alpha // 255, alpha], 2).astype(
        np.uint8
    )


WALL = plain((10, 20, 250), 0)


def is_wall(out: Picture) -> np.ndarray:
    return (out == WALL[..., :3]).all(2)


@few
@given(st.integers(0, 10**6))
def test_without_movement_it_is_the_texture_over_the_backdrop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texture, backdrop = random_texture(rng), random_texture(rng)
    out = draw(RECTANGLE, RECTANGLE, TWO, texture, backdrop)
    expected = texture[..., :3] + (1 - texture[..., 3:] / 255) * backdrop[..., :3]
    assert np.abs(out - expected).max() <= 1


corners = st.lists(
    st.tuples(st.floats(-20, WIDTH + 20), st.floats(-20, HEIGHT + 20), st.floats(-50, 50)),
    min_size=3,
    max_size=8,
)


@few
@given(corners)
def test_any_mesh_that_does_not_move_shows_each_pixel_in_its_place(
    points: list[tuple[float, float, float]],
) -> None:
    target = np.array(points, np.float32)
    fan = [[0, k, k + 1] for k in range(1, len(points) - 1)]
    out = draw(target, target[:, :2], fan, place(), WALL)
    drawn = ~is_wall(out)
    assert np.abs(out.astype(int) - place()[..., :3])[drawn].max(initial=0) <= 1


@few
@given(corners)
def test_triangles_cover_what_lies_inside_and_nothing_else(
    points: list[tuple[float, float, float]],
) -> None:
    target = np.array(points[:3], np.float32)
    area = np.linalg.det(target[1:, :2].astype(float) - target[0, :2])
    drawn = ~is_wall(draw(target, target[:, :2], [[0, 1, 2]], plain((255, 0, 0)), WALL))
    outline = target[:, None, :2]
    for row, column in np.ndindex(HEIGHT, WIDTH):
        distance = cv2.pointPolygonTest(outline, (float(column), float(row)), True)
        if abs(area) > 1 and distance > 0.1:
            assert drawn[row, column]
        if distance < -0.3:
            assert not drawn[row, column]


def test_a_movement_is_interpolated_across_a_triangle() -> None:
    source = np.array([[0, 0], [50, 0], [0, HEIGHT - 4]], float)
    out = draw(source * [1.1, 0.9] + [3, 1], source, [[0, 1, 2]], place(), WALL)
    drawn = ~is_wall(out)
    assert drawn.sum() > 800
    assert np.abs(out[..., 0] - 4 * (X - 3) / 1.1)[drawn].max() < 1.5
    assert np.abs(out[..., 1] - 5 * (Y - 1) / 0.9)[drawn].max() < 1.5


@few
@given(st.floats(0, WIDTH - 1.01), st.floats(0, HEIGHT - 1.01), st.integers(0, 1000))
def test_sampling_is_bilinear(x: float, y: float, seed: int) -> None:
    texture = random_texture(np.random.default_rng(seed))
    texture[..., 3] = 255
    source = np.array([[x, y], [x + 1e-3, y], [x + 1e-3, y + 1e-3], [x, y + 1e-3]])
    out = draw(RECTANGLE, source, TWO, texture, WALL)
    left, top = int(x), int(y)
    fx, fy = x - left, y - top
    around = texture[top : top + 2, left : left + 2, :3].astype(float)
    expected = np.einsum("y,x,yxc->c", [1 - fy, fy], [1 - fx, fx], around)
    assert np.abs(out[HEIGHT // 2, WIDTH // 2] - expected).max() <= 3


@few
@given(st.floats(-3000, 3000), st.floats(-3000, 3000), st.floats(0.01, 100))
def test_the_texture_may_be_asked_for_anywhere(x: float, y: float, zoom: float) -> None:
    """What lies outside repeats its border; nothing else is ever read."""
    out = draw(RECTANGLE, RECTANGLE * np.float32(zoom) + (x, y), TWO, plain((77, 77, 77)), WALL)
    assert ((out == 77).all(2) | is_wall(out)).all()


@few
@given(
    st.lists(
        st.tuples(*[st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])] * 3),
        min_size=3,
        max_size=6,
    )
)
def test_vertices_may_be_anywhere_or_nowhere(points: list[tuple[float, float, float]]) -> None:
    target = np.array(points, np.float32)
    triangles = [[a, b, c] for a in range(3) for b in range(3) for c in range(len(points))]
    source = np.abs(np.nan_to_num(target[:, :2])) % 60
    assert draw(target, source, triangles, plain((77, 77, 77)), WALL, longest_gap=9, jump=3).shape


SQUARE = np.array([[5, 3], [35, 3], [35, 33], [5, 33]], float)


@pytest.mark.parametrize("nearer", [0, 1])
@pytest.mark.parametrize("order", [1, -1])
def test_what_is_nearer_hides_what_is_behind(nearer: int, order: int) -> None:
    """Two squares that overlap, one 10 px further right and down, drawn in either order."""
    depth = np.repeat([5.0, 5.0], 4)
    depth[4 * nearer : 4 * nearer + 4] = 1.0
    target = np.c_[np.vstack([SQUARE, SQUARE + 6]), depth]
    source = np.vstack([SQUARE, SQUARE + 6 - 2])
    triangles = [[k + i for i in three] for k in (0, 4) for three in TWO][::order]
    out = draw(target, source, triangles, place(), WALL)
    shift = (0, 2)
    assert out[20, 20, 0] == pytest.approx(4 * (20 - shift[nearer]), abs=1)
    assert out[5, 7, 0] == 28
    assert out[38, 40, 0] == pytest.approx(4 * 38, abs=1)


def test_what_turns_its_back_is_not_drawn() -> None:
    mirrored = SQUARE * [-1, 1] + [40, 0]
    assert is_wall(draw(mirrored, SQUARE, TWO, plain((255, 0, 0)), WALL)).all()


def two_halves(gap: float) -> tuple[Floats, Floats, list[list[int]]]:
    """The texture torn apart along column 30."""
    left = np.array([[-1, -1], [30, -1], [30, HEIGHT], [-1, HEIGHT]], float)
    right = np.array([[30, -1], [60, -1], [60, HEIGHT], [30, HEIGHT]], float)
    target = np.vstack([left, right + np.array([gap, 0])])
    return target, np.vstack([left, right]), [[k + i for i in three] for k in (0, 4) for three in TWO]


def test_a_short_gap_is_bridged_and_a_long_one_shows_the_backdrop() -> None:
    target, source, triangles = two_halves(5)
    bridged = draw(target, source, triangles, place(), WALL, longest_gap=6)
    assert not is_wall(bridged).any()
    assert (np.diff(bridged[:, :60, 0].astype(int)) >= 0).all()
    torn = is_wall(draw(target, source, triangles, place(), WALL, longest_gap=3))
    assert torn[:, 31:35].all()
    assert not torn[:, :30].any()
    assert not torn[:, 36:].any()


def test_what_is_beside_the_head_is_no_gap() -> None:
    out = draw(SQUARE, SQUARE, TWO, plain((255, 0, 0)), WALL, longest_gap=1000)
    assert is_wall(out)[:, :4].all()
    assert is_wall(out)[:, 37:].all()


def test_seams_are_softened_where_the_map_jumps_and_nowhere_else() -> None:
    texture = plain((0, 0, 0))
    texture[:, 15:] = (200, 200, 200, 255)
    still = draw(SQUARE, SQUARE, TWO, texture, WALL, jump=4)
    assert np.array_equal(still, draw(SQUARE, SQUARE, TWO, texture, WALL)), "no edge of picture or head"
    # The right half shows what is 12 px further right.
    left = np.array([[-1, -1], [12, -1], [12, HEIGHT], [-1, HEIGHT]], float)
    right = np.array([[12, -1], [40, -1], [40, HEIGHT], [12, HEIGHT]], float)
    target, source = np.vstack([left, right]), np.vstack([left, right + np.array([12, 0])])
    triangles = [[k + i for i in three] for k in (0, 4) for three in TWO]
    row = draw(target, source, triangles, texture, WALL, jump=4)[STRIP]
    seam = row[10:15, 0].astype(int)
    assert (np.diff(seam) >= 0).all()
    assert ((seam > 0) & (seam < 200)).sum() == 2
    assert (row[:10, 0] == 0).all()
    assert (row[15:38, 0] == 200).all()


@pytest.mark.parametrize("gain", [1.0, 0.8, 1.2])
def test_shading_multiplies_the_face_alone(gain: float) -> None:
    texture = random_texture(np.random.default_rng(3))
    out = texture.copy()
    map_u = np.full((20, 30), 12.5, np.float32)
    map_u[:, :10] = -1
    ratio = np.full((128, 128), gain, np.float32)
    shade(words(texture), words(out), ratio, map_u, np.full_like(map_u, 40.25), 7, 11)
    expected = texture.astype(float)
    box = expected[11:31, 17:37]
    box[..., :3] = np.minimum(box[..., :3] * gain, box[..., 3:])
    assert np.abs(out - expected).max() <= 1
    if gain == 1:
        assert np.array_equal(out, texture)
