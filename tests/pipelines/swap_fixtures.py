"""Records, and a model that needs no torch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from likeness import consent
from likeness.consent import ConsentRecord, Permission
from likeness.errors import ConsentMissing
from likeness.types import Floats, ModelRef, Picture

SIZE_PX = 64


def corpus_record(folder: Path, **changes: Any) -> ConsentRecord:
    """An evaluator's record; compares nobody."""
    key_file = folder / "corpus.pem"
    key = consent.load_key(key_file) if key_file.exists() else consent.create_key(key_file)
    said = {"licence": "CC0-1.0", "evaluator": "the tests", **changes}
    return consent.sign(consent.draft_corpus("Puppets", **said), key)


def subject_record(folder: Path, face: Path | None = None, **changes: Any) -> ConsentRecord:
    """Anna's, with her face in it if there is one."""
    key = consent.create_key(folder / f"anna{len(list(folder.iterdir()))}.pem")
    said: dict[str, Any] = {
        "subject": "Anna Beispiel",
        "requester": "Studio Nord",
        "acts": ["swap"],
        "purposes": ["a short film"],
        **changes,
    }
    request = consent.draft(**said)
    return consent.sign(consent.add_references(request, face=face) if face else request, key)


YESTERDAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)


class GreenFace:
    """A "model" that shows every face green, inside a disc. It is a `pipelines.swap.Model`."""

    size_px = SIZE_PX
    refs = (ModelRef("swap-green", "ab" * 32),)
    notes = ("An older model is used.",)

    def __init__(self, permission: Permission, card: dict[str, Any] | None = None) -> None:
        self._permission = permission
        self.card: dict[str, Any] = card or {}
        self.batches: list[int] = []
        self.fill = np.float32(1)

    def permission(self, to: Literal["A", "B"]) -> Permission:
        if to != "B":
            raise ConsentMissing("The model holds no consent of person A.", "Train it with one.")
        return self._permission

    def swap(self, faces: Picture, to: Literal["A", "B"] = "B") -> tuple[Floats, Floats]:
        assert faces.shape[1:] == (SIZE_PX, SIZE_PX, 3)
        self.batches.append(len(faces))
        rgb = np.zeros(faces.shape, np.float32)
        rgb[..., 1] = self.fill
        disc = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
        cv2.circle(disc, (SIZE_PX // 2, SIZE_PX // 2), SIZE_PX // 3, 1, -1)
        return rgb, np.broadcast_to(disc.astype(np.float32), faces.shape[:3])
