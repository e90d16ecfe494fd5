"""The values that flow from one stage to the next. All of them are frozen.

Conventions, everywhere in this package
    picture   `uint8`, shape (height, width, 3), RGB, 0…255
    points    `float32`, shape (n, 3), pixels: x right, y down, z away from the camera, pixel centres at
              integers (the centre of the top left pixel is (0, 0))
    rate      exact frames per second, a `fractions.Fraction` (30000/1001 stays 30000/1001)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        index: position in the constant-rate stream, from 0.
        time_s: `index / rate` of the stream it belongs to, exact.
    """

    image: Picture
    index: int
    time_s: Fraction


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before it is decoded (sizes are after rotation, as shown)."""

    path: Path
    width: int
    height: int
    rate: Fraction
    duration_s: float | None
    has_audio: bool
    rotation: int = 0
    variable_rate: bool = False
    codec: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face found in one picture.

    Attributes:
        points: (478, 3) float32 px; 0…467 face mesh, 468…472 and 473…477 the irises. z has the scale of x.
        blendshapes: (52,) float32, 0…1, in the order of `likeness.faces.BLENDSHAPES`.
        score: 0…1, how sure the mesh model is that this is a face.
        id: stays the same while a face is followed through a video.
    """

    points: Floats
    blendshapes: Floats
    score: float
    id: int = 0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the mesh points, px."""
        low, high = self.points[:468, :2].min(0), self.points[:468, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def size_px(self) -> float:
        """The longer side of `box`."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


Label: TypeAlias = Literal["auto", "none"]
LabelLanguage: TypeAlias = Literal["de", "en", "es", "fr", "it", "nl", "pl", "pt"]
RightsKind: TypeAlias = Literal["public-domain", "synthetic", "self", "licensed"]


@dataclass(frozen=True, slots=True)
class Rights:
    """A person's statement of why they may make this (recorded in the credentials, not checked)."""

    kind: RightsKind
    note: str


Verdict: TypeAlias = Literal["match", "no match", "cannot tell"]
ConsentKind: TypeAlias = Literal["subject", "corpus"]


@dataclass(frozen=True, slots=True)
class ConsentNote:
    """What the credentials of an output say of the consent record it was made under.

    Attributes:
        sha256: of the record's canonical form.
        kind: the consent of a person, or an evaluator's record for a published research corpus.
        record_id: 32 hex digits.
        statement: one plain sentence. It names nobody: outputs travel further than records do.
        may_leave_out_label: whether the record allows an output without the visible label.
    """

    sha256: str
    kind: ConsentKind
    record_id: str
    statement: str
    may_leave_out_label: bool = False


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that an output was made from."""

    path: Path
    role: Literal["source", "driver", "audio"]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model that took part, as recorded in the credentials."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Making:
    """How an output was made: all that the seal needs to say so.

    Attributes:
        act: the field's verb for what was done, such as "animate".
        engine, engine_version: what rendered it.
        ingredients: the files it was made from; the first one is the parent.
        models: the models that took part.
        parameters: settings worth recording; JSON values only.
        rights: the maker's statement, or None ("rights not stated").
        label: "auto", or "none" (which needs `rights`, or a `consent` that allows it).
        tsa_url: the time stamp authority (RFC 3161) that is asked to say when it was signed, or None.
        consent: the consent record it was made under, or None.
        rendered: it was drawn by a program, and nothing that learned took part: its credentials say
            "digitalCreation". Of something with ingredients or models that cannot be said.
    """

    act: str
    engine: str
    engine_version: str
    ingredients: tuple[Ingredient, ...]
    models: tuple[ModelRef, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    rights: Rights | None = None
    label: Label = "auto"
    tsa_url: str | None = None
    consent: ConsentNote | None = None
    rendered: bool = False
