"""Triangles to pictures: a z-buffer that notes which triangle is seen where, and light on what it noted."""

from __future__ import annotations

import numpy as np

from likeness.compiled import compiled
from synthetic_people.anatomy import Floats, Indices

NOTHING = -1


@compiled
def draw(points: Floats, triangles: Indices, depth: Floats, seen: Indices, weights: Floats) -> None:
    """Note for every pixel the triangle in front.

    Args:
        points: (n, 3) x, y px and depth; the smaller is in front.
        triangles: (m, 3) that go clockwise as seen where they show their front.
        depth, seen: (h, w), begun with infinity and `NOTHING`.
        weights: (h, w, 2) how much the second and the third corner count.
    """
    height, width = depth.shape
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[i, 0], points[i, 1]
        bx, by = points[j, 0] - ax, points[j, 1] - ay
        cx, cy = points[k, 0] - ax, points[k, 1] - ay
        area = bx * cy - cx * by
        if area >= -1e-9:
            continue
        left = max(int(np.ceil(ax + min(0.0, bx, cx))), 0)
        right = min(int(np.floor(ax + max(0.0, bx, cx))), width - 1)
        top = max(int(np.ceil(ay + min(0.0, by, cy))), 0)
        bottom = min(int(np.floor(ay + max(0.0, by, cy))), height - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x - ax, y - ay
                v = (px * cy - cx * py) / area
                w = (bx * py - px * by) / area
                if v < 0 or w < 0 or v + w > 1:
                    continue
                z = (1 - v - w) * points[i, 2] + v * points[j, 2] + w * points[k, 2]
                if z < depth[y, x]:
                    depth[y, x], seen[y, x] = z, t
                    weights[y, x, 0], weights[y, x, 1] = v, w


@compiled
def shade(
    image: Floats,
    seen: Indices,
    weights: Floats,
    triangles: Indices,
    normals: Floats,
    at: Floats,
    openness: Floats,
    atlas: Floats,
    lights: Floats,
) -> None:
    """Colour what was drawn.

    Args:
        image: (h, w, 3) linear light, written where something is seen.
        normals: (n, 3) of length 1, z to the camera.
        at: (n, 2) px in the atlas.
        openness: (n,) 0…1, how much of the sky each vertex sees.
        atlas: (h, w, 4) linear red, green, blue, and gloss.
        lights: (k, 6) direction towards it, of length 1, and colour; the last is the sky, from above.
    """
    height, width = seen.shape
    last_y, last_x = atlas.shape[0] - 2, atlas.shape[1] - 2
    texel = np.empty(4, np.float32)
    for y in range(height):
        for x in range(width):
            t = seen[y, x]
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            v, w = weights[y, x, 0], weights[y, x, 1]
            s = 1 - v - w
            column = s * at[i, 0] + v * at[j, 0] + w * at[k, 0]
            row = s * at[i, 1] + v * at[j, 1] + w * at[k, 1]
            c, r = max(min(int(column), last_x), 0), max(min(int(row), last_y), 0)
            fx, fy = column - c, row - r
            for n in range(4):
                above = atlas[r, c, n] * (1 - fx) + atlas[r, c + 1, n] * fx
                below = atlas[r + 1, c, n] * (1 - fx) + atlas[r + 1, c + 1, n] * fx
                texel[n] = above * (1 - fy) + below * fy
            nx = s * normals[i, 0] + v * normals[j, 0] + w * normals[k, 0]
            ny = s * normals[i, 1] + v * normals[j, 1] + w * normals[k, 1]
            nz = s * normals[i, 2] + v * normals[j, 2] + w * normals[k, 2]
            length = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-6)
            nx, ny, nz = nx / length, ny / length, nz / length
            free = s * openness[i] + v * openness[j] + w * openness[k]
            for n in range(3):
                image[y, x, n] = 0
            for m in range(len(lights)):
                dx, dy, dz = lights[m, 0], lights[m, 1], lights[m, 2]
                cosine = nx * dx + ny * dy + nz * dz
                if m == len(lights) - 1:  # the sky
                    for n in range(3):
                        image[y, x, n] += texel[n] * lights[m, 3 + n] * (0.65 + 0.35 * cosine) * free
                    continue
                # Light goes a little way through skin, red the farthest: it wraps round what turns away.
                blocked = 0.35 + 0.65 * free
                for n in range(3):
                    wrap = 0.30 if n == 0 else 0.18
                    fall = max((cosine + wrap) / (1 + wrap), 0.0)
                    image[y, x, n] += texel[n] * lights[m, 3 + n] * fall * blocked
                hx, hy, hz = dx, dy, dz + 1
                halfway = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz)
                gleam = texel[3] * max(halfway, 0.0) ** 24 * free
                for n in range(3):
                    image[y, x, n] += gleam * lights[m, 3 + n]


@compiled
def point_normals(vertices: Floats, triangles: Indices) -> Floats:
    """Of (n, 3) vertices: the mean of their triangles' normals, weighed by area, of length 1."""
    normals = np.zeros_like(vertices)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        b, c = vertices[j] - vertices[i], vertices[k] - vertices[i]
        nx = b[1] * c[2] - b[2] * c[1]
        ny = b[2] * c[0] - b[0] * c[2]
        nz = b[0] * c[1] - b[1] * c[0]
        for n in (i, j, k):
            normals[n, 0] += nx
            normals[n, 1] += ny
            normals[n, 2] += nz
    for n in range(len(normals)):
        length = np.sqrt(normals[n, 0] ** 2 + normals[n, 1] ** 2 + normals[n, 2] ** 2)
        for a in range(3):
            normals[n, a] /= max(length, 1e-9)
    return normals
