"""The demo's page: one file, nothing loaded from anywhere, readable in light and in dark."""

from __future__ import annotations

import base64
import mimetypes
import os
import platform
from html import escape
from importlib import metadata, resources
from pathlib import Path
from string import Template

import numpy as np

from likeness.demo.posted import CRF, Copy
from likeness.demo.tracked import Tracked
from likeness.models import info
from likeness.pipelines.animation import Animation
from likeness.types import Floats
from likeness.verification import Verification

_CHART = (600, 90)
# Green is for those whom the owner of this computer chose to trust.
_VERDICTS = {"valid": "good", "untrusted": "unknown", "tampered": "bad", "none": "bad"}


def build_page(animation: Animation, tracked: Tracked, copies: tuple[Copy, ...], seconds: float) -> str:
    """The HTML of the page, with pictures and videos inside it.

    Args:
        animation: what was made.
        tracked: what the tracker saw in its driver.
        copies: the result, and copies of it that were compressed, from `post`.
        seconds: what making it took.
    """
    template = Template(resources.files("likeness.demo").joinpath("page.html").read_text(encoding="utf-8"))
    length_s = animation.frames / animation.rate
    verification = copies[0].verification
    return template.substitute(
        portrait=_data_uri(animation.source),
        driver=_data_uri(animation.driving),
        result=_data_uri(animation.path),
        portrait_rights=escape(_rights("grace-hopper")),
        driver_rights=escape(_rights("carphone")),
        portrait_aspect=f"{animation.width / animation.height:.4f}",
        driver_aspect=f"{tracked.aspect:.4f}",
        result_facts=f"{animation.width}×{animation.height} px, {float(length_s):.1f} s",
        tracked_pictures="\n".join(_tracked_picture(picture) for picture in tracked.pictures),
        charts="\n".join(
            (
                _chart("Mouth", "opening, per cent of the face’s height", 100 * tracked.mouth),
                _chart(
                    "Eyes", "opening, per cent of an eye’s width; the dips are blinks", 100 * tracked.eyes
                ),
                _chart("Head", "turn to the side, degrees", tracked.turn_deg),
            )
        ),
        duration_s=f"{float(length_s):.4f}",
        verdict=_VERDICTS[verification.credentials_state],
        answer=escape(verification.answer),
        reasons="\n".join(f"<p>{escape(reason)}</p>" for reason in verification.reasons),
        marks=_marks(animation, verification),
        copies=_copies(copies),
        crf=str(CRF),
        making=_making(animation, seconds),
        warnings="".join(f"<li>{escape(warning)}</li>" for warning in animation.warnings),
        version=escape(metadata.version("likeness")),
    )


def _data_uri(path: Path) -> str:
    return _inline(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream")


def _inline(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _rights(name: str) -> str:
    entry = info(name)
    return f"{entry.attribution[0].upper()}{entry.attribution[1:]} ({entry.licence})"


def _tracked_picture(data: bytes) -> str:
    return (
        f'<img src="{_inline(data, "image/jpeg")}" alt="A frame of the driver with the tracked points on it">'
    )


def _chart(name: str, unit: str, values: Floats) -> str:
    """One curve as an SVG that stretches to the width of the page."""
    width, height = _CHART
    seen = values[np.isfinite(values)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    span = max(high - low, 1e-6)
    x = np.linspace(0, width, len(values))
    y = height - 6 - (values - low) / span * (height - 12)
    path, pen_is_down = [], False
    for across, down in zip(x, y, strict=True):
        if np.isfinite(down):
            path.append(f"{'L' if pen_is_down else 'M'}{across:.1f} {down:.1f}")
        pen_is_down = bool(np.isfinite(down))
    return (
        f'<figure class="chart"><figcaption><b>{name}</b> <span>{unit}</span>'
        f'<span class="range">{low:.0f} to {high:.0f}</span></figcaption>'
        f'<div class="plot"><svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'role="img" aria-label="{name}: {unit}"><path d="{"".join(path)}"/></svg>'
        '<i class="playhead"></i></div></figure>'
    )


def _marks(animation: Animation, verification: Verification) -> str:
    made_from = ", ".join(one.describe() for one in verification.ingredients)
    rows = {
        "Visible label": verification.label,
        "Kind": verification.digital_source_type,
        "Made by": " with ".join(filter(None, (verification.act, verification.engine))),
        "Made from": made_from,
        "Signed by": verification.signer,
        "Rights": verification.rights,
        "Training and mining": verification.training_mining,
        "Layers of the seal": ", ".join(animation.sealed.layers),
        "SHA-256 of the file": verification.sha256,
    }
    return _table(rows)


def _copies(copies: tuple[Copy, ...]) -> str:
    """A row of pictures, then one for each layer: how it stands in each copy."""
    pictures = [
        f'<img src="{_inline(copy.picture, "image/jpeg")}" alt="A frame of this copy, with its label">'
        for copy in copies
    ]
    found = [copy.verification for copy in copies]
    rows = {
        # Nothing reads it but eyes.
        "Visible label": pictures,
        "Watermark": [escape(_watermark(one)) for one in found],
        "Content Credentials": [_CREDENTIALS[one.state] for one in found],
    }
    return "\n".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows.items()
    )


_CREDENTIALS = {"valid": "there, and they hold", "invalid": "there, but they do not hold", "absent": "gone"}


def _watermark(found: Verification) -> str:
    mark = found.watermark
    if mark.confidence is None:
        return "not looked for"
    if not mark.found:
        return "not found: too little of it is left"
    return f"found: {mark.act}, manifest {mark.manifest}…, confidence {mark.confidence:.2f}"


def _making(animation: Animation, seconds: float) -> str:
    rate = float(animation.rate)
    processor = platform.processor() or platform.machine()
    rows = {
        "Frames": f"{animation.frames} at {rate:.6g} a second ({animation.rate})",
        "Time": f"{seconds:.1f} s, {animation.frames / seconds:.0f} frames a second, everything included",
        "Machine": f"{os.cpu_count()} processors ({processor}), {platform.system()}, no graphics card needed",
        "Best frame": f"number {animation.best_frame} of the driver looks most like the portrait",
        "Face lost": f"in {animation.held_frames} frames",
    }
    return _table(rows)


def _table(rows: dict[str, str]) -> str:
    return "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items() if value
    )
