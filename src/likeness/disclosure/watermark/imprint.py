"""The imperceptible layer of the seal: what the watermark says, and putting it on frames.

Its 32 bits are a version, the act, and 24 bits that point to the manifest: they are the first six digits of
the manifest's name, so that whoever keeps manifests can find the one a stripped file belongs to. The manifest
in turn states them (`c2pa.soft-binding`, C2PA 2.2, "Soft bindings"), so that the two can be held together.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from likeness.disclosure.credentials.store import Json
from likeness.disclosure.watermark.code import Payload
from likeness.disclosure.watermark.picture import STILL_PSNR_DB, VIDEO_PSNR_DB, PictureMark
from likeness.types import Picture

SOFT_BINDING = "c2pa.soft-binding"
ALGORITHM = "org.likeness.watermark.1"
LAYER = "watermark"
"""What `Sealed.layers` and the credentials call it."""

VERSION = 1
# In the order of their numbers: once released, a name keeps its place.
_ACTS = ("other", "animate", "compare", "swap", "voice", "protect")
_ID_DIGITS = 6


def payload_for(act: str, manifest_id: str) -> int:
    """The payload, 0…2³² − 1, of an output made by `act` (as in `Making`) with this manifest.

    Args:
        act: what was done; one that is not known here counts as "other".
        manifest_id: from `store.new_manifest_id`.
    """
    number = _ACTS.index(act) if act in _ACTS else 0
    digits = manifest_id.rpartition(":")[2][:_ID_DIGITS]
    return Payload(VERSION, number, int(digits, 16)).pack()


def act_of(payload: int) -> str:
    """What was done, or "other"."""
    number = Payload.unpack(payload).act
    return _ACTS[number] if number < len(_ACTS) else "other"


def id_of(payload: int) -> str:
    """How the name of the manifest begins, after "urn:c2pa:"."""
    return f"{Payload.unpack(payload).short_id:0{_ID_DIGITS}x}"


def soft_binding(payload: int) -> Json:
    """The data of the assertion that states the payload."""
    value = base64.b64encode(payload.to_bytes(4, "big")).decode()
    return {"alg": ALGORITHM, "blocks": [{"scope": {}, "value": value}]}


def stated_payload(manifest: Mapping[str, Any]) -> int | None:
    """The payload that a manifest (as c2pa's reader gives it, by a stranger) states, or None."""
    assertions = manifest.get("assertions")
    for one in assertions if isinstance(assertions, list) else ():
        if not (isinstance(one, dict) and one.get("label") == SOFT_BINDING):
            continue
        match one.get("data"):
            case {"alg": alg, "blocks": [{"value": str(value)}, *_]} if alg == ALGORITHM:
                try:
                    data = base64.b64decode(value, validate=True)
                except (binascii.Error, ValueError):
                    continue
                if len(data) == 4:
                    return int.from_bytes(data, "big")
    return None


class Imprint:
    """The watermark as a layer of frames: fitted to the first one, then the same on all.

    Args:
        width, height: of the frames, px.
        payload: see `payload_for`.
        is_still: there will be one picture only, which is marked more faintly.

    Raises:
        SealFailed: the frames are too small to be marked.
    """

    name = LAYER

    def __init__(self, width: int, height: int, payload: int, *, is_still: bool = False) -> None:
        self._payload = payload
        self._psnr_db = STILL_PSNR_DB if is_still else VIDEO_PSNR_DB
        self._mark = PictureMark(width, height, payload, psnr_db=self._psnr_db)
        self._is_fitted = False

    def draw(self, image: Picture) -> None:
        """Marks `image`, (height, width, 3) uint8 RGB, in place."""
        if not self._is_fitted:
            height, width = image.shape[:2]
            self._mark = PictureMark(width, height, self._payload, host=image, psnr_db=self._psnr_db)
            self._is_fitted = True
        self._mark.add(image)
