"""The distributions of distances as an SVG picture: numbers only, no faces."""

from __future__ import annotations

from typing import Any

WIDTH, HEIGHT, MARGIN = 720, 300, 40
UNTIL = 1.3
GENUINE, IMPOSTOR, INK = "#1a7f4b", "#b3412e", "#444"


def plot(histogram: dict[str, Any], match: float, no_match: float) -> str:
    """Two histograms, each with an area of one, and the thresholds.

    Args:
        histogram: counts "genuine" and "impostor" from 0 on, and the width "bin" of each.
    """
    rows = {name: _shares(histogram[name], histogram["bin"]) for name in ("genuine", "impostor")}
    top = max(max(row) for row in rows.values())

    def x(distance: float) -> float:
        return round(MARGIN + distance / UNTIL * (WIDTH - 2 * MARGIN), 1)

    def y(share: float) -> float:
        return round(HEIGHT - MARGIN - share / top * (HEIGHT - 2 * MARGIN), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<rect x="{x(match)}" y="{MARGIN}" width="{x(no_match) - x(match):.1f}" '
        f'height="{HEIGHT - 2 * MARGIN}" fill="#eee"/>',
        _area(rows["genuine"], histogram["bin"], x, y, GENUINE),
        _area(rows["impostor"], histogram["bin"], x, y, IMPOSTOR),
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(UNTIL)}" y2="{y(0)}" stroke="{INK}"/>',
    ]
    for tick in range(14):
        at = x(tick / 10)
        parts.append(f'<text x="{at}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{tick / 10:.1f}</text>')
    labels = (
        (match / 2, MARGIN - 22, INK, "match"),
        ((match + no_match) / 2, MARGIN - 22, INK, "cannot tell"),
        ((no_match + UNTIL) / 2, MARGIN - 22, INK, "no match"),
        (0.24, MARGIN - 4, GENUINE, "two pictures of one person"),
        (0.95, MARGIN - 4, IMPOSTOR, "pictures of two people"),
    )
    parts += [
        f'<text x="{x(at)}" y="{height}" text-anchor="middle" fill="{ink}">{text}</text>'
        for at, height, ink, text in labels
    ]
    parts += [
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">distance</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _shares(counts: list[int], width: float) -> list[float]:
    return [count / sum(counts) / width for count in counts]


def _area(row: list[float], width: float, x: Any, y: Any, colour: str) -> str:
    corners = [f"{x(0)},{y(0)}"]
    for index, share in enumerate(row[: round(UNTIL / width)]):
        corners += [f"{x(index * width)},{y(share)}", f"{x((index + 1) * width)},{y(share)}"]
    corners.append(f"{x(UNTIL)},{y(0)}")
    return f'<polygon points="{" ".join(corners)}" fill="{colour}" fill-opacity="0.55" stroke="{colour}"/>'
