"""What an alignments file says of a source and of a face: read strictly, every value before it is used."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from likeness.faces.aligned import Alignment
from likeness.facesets.strict import DocumentError, Fields
from likeness.types import Floats

MAX_SOURCES: Final = 10_000

_FAR = 1e6  # px
_FACE_FILE = re.compile(r"(?:\d{1,5}_)?\d{6,9}_\d{1,9}\.png", re.ASCII)
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HASH = re.compile(r"[0-9a-f]{16}")
_RATE = re.compile(r"[0-9]{1,9}(/[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A video or picture that faces were cut from.

    Attributes:
        name: its file name, without folders.
        sha256: of the file.
        width, height: px, upright.
        rate: frames a second; None for a picture.
        frames: how many the file holds, or None where nobody knows.
    """

    name: str
    sha256: str
    width: int
    height: int
    rate: Fraction | None
    frames: int | None

    @classmethod
    def read(cls, fields: Fields) -> SourceFile:
        """From JSON; raises `DocumentError`."""
        rate = None if fields.is_null("rate") else _read_rate(fields.text("rate", _RATE))
        return cls(
            fields.text("name", _NAME),
            fields.text("sha256", _SHA256),
            fields.whole("width", 1, 10**6),
            fields.whole("height", 1, 10**6),
            rate,
            None if fields.is_null("frames") else fields.whole("frames", 1, 10**9),
        )

    def to_json(self) -> dict[str, Any]:
        """As `read` takes it."""
        rate = None if self.rate is None else str(self.rate)
        return {
            "name": self.name,
            "sha256": self.sha256,
            "width": self.width,
            "height": self.height,
            "rate": rate,
            "frames": self.frames,
        }


@dataclass(frozen=True, slots=True)
class Pose:
    """How the head is turned, degrees: chin down, towards the picture's left, clockwise as seen."""

    pitch_deg: float
    yaw_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceRecord:
    """What is known of one face.

    Attributes:
        file: the name of its picture in the folder.
        source: which of the sources, from 0.
        frame: which frame of it, from 0 at the file's beginning.
        face: which face; stays the same while a face is followed through a source.
        time_s: of the frame, from the file's beginning.
        box: left, top, right, bottom of the face in the source, px.
        score: 0…1, how sure the mesh model is that this is a face.
        pose: how the head is turned.
        alignment: the square that was cut.
        points: (478, 3) float32 px of the source.
        blendshapes: (52,) float32, 0…1.
        blur: sharpness of the cut, higher is sharper (`measure.sharpness`).
        identity: (128,) float32, whose face it is (`faces.identity`), or None where it is too small.
        identity_distance: from the reference or the set's median face, or None.
        frame_hash: 16 hex digits that the frame is known by (`measure.frame_hash`).
    """

    file: str
    source: int
    frame: int
    face: int
    time_s: float
    box: tuple[float, float, float, float]
    score: float
    pose: Pose
    alignment: Alignment
    points: Floats
    blendshapes: Floats
    blur: float
    identity: Floats | None
    identity_distance: float | None
    frame_hash: str

    @property
    def size_px(self) -> float:
        """The longer side of `box`."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @classmethod
    def read(cls, fields: Fields) -> FaceRecord:
        """From JSON; raises `DocumentError`."""
        pose, square = fields.inner("pose"), fields.inner("square")
        left, top, right, bottom = fields.numbers("box", (4,), -_FAR, _FAR).tolist()
        if not (left < right and top < bottom):
            raise DocumentError("has a “box” without a size")
        identity = None if fields.is_null("identity") else fields.numbers("identity", (128,), -10, 10)
        distance = fields.is_null("identity_distance")
        return cls(
            file=fields.text("file", _FACE_FILE),
            source=fields.whole("source", 0, MAX_SOURCES - 1),
            frame=fields.whole("frame", 0, 10**9),
            face=fields.whole("face", 0, 10**9),
            time_s=fields.number("time_s", 0, 10**9),
            box=(left, top, right, bottom),
            score=fields.number("score", 0, 1),
            pose=Pose(*(pose.number(name, -180, 180) for name in ("pitch", "yaw", "roll"))),
            alignment=Alignment(
                square.number("x", -_FAR, _FAR),
                square.number("y", -_FAR, _FAR),
                square.number("side_px", 1, _FAR),
                square.number("roll_deg", -360, 360),
            ),
            points=fields.numbers("points", (478, 3), -_FAR, _FAR).astype(np.float32),
            blendshapes=fields.numbers("blendshapes", (52,), -0.01, 1.01).astype(np.float32),
            blur=fields.number("blur", 0, 1e9),
            identity=None if identity is None else identity.astype(np.float32),
            identity_distance=None if distance else fields.number("identity_distance", 0, 100),
            frame_hash=fields.text("frame_hash", _HASH),
        )

    def to_json(self) -> dict[str, Any]:
        """As `read` takes it."""
        square, pose = self.alignment, self.pose
        distance = self.identity_distance
        return {
            "file": self.file,
            "source": self.source,
            "frame": self.frame,
            "face": self.face,
            "time_s": round(self.time_s, 6),
            "box": [round(side, 1) for side in self.box],
            "score": round(self.score, 3),
            "pose": {
                "pitch": round(pose.pitch_deg, 2),
                "yaw": round(pose.yaw_deg, 2),
                "roll": round(pose.roll_deg, 2),
            },
            "square": {
                "x": square.x,
                "y": square.y,
                "side_px": square.side_px,
                "roll_deg": square.roll_deg,
            },
            "blur": round(self.blur, 4),
            "identity_distance": None if distance is None else round(distance, 4),
            "frame_hash": self.frame_hash,
            "points": _rounded(self.points, 1),
            "blendshapes": _rounded(self.blendshapes, 3),
            "identity": None if self.identity is None else _rounded(self.identity, 5),
        }

    def to_line(self) -> str:
        """The same on one line."""
        return json.dumps(self.to_json(), allow_nan=False)


def rounded_square(square: Alignment) -> Alignment:
    """The square as the file will hold it. What is cut by it can be cut anew from the file, to the bit."""
    return Alignment(
        round(square.x, 2), round(square.y, 2), round(square.side_px, 2), round(square.roll_deg, 3)
    )


def _read_rate(text: str) -> Fraction:
    over, _, under = text.partition("/")
    if int(under or 1) == 0 or not 0 < Fraction(int(over), int(under or 1)) <= 1000:
        raise DocumentError("has a “rate” that makes no sense")
    return Fraction(int(over), int(under or 1))


def _rounded(values: Floats, digits: int) -> list[Any]:
    found: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return found
