"""The seal: whatever shows a person leaves the program through here, or not at all.

The layers, in this order:

    1  label         on every frame, visible        `label.py`
    2  watermark     on every frame, imperceptible  `watermark/imprint.py`; covers the label too
       encode        `media.writer`, which nothing else may import
    3  credentials   on the file, last, since any later change breaks them  `credentials/`

An output appears under its name only when every layer is on; if one fails, nothing is written.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from likeness.disclosure.credentials.signed_file import SignedFile
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.credentials.store import new_manifest_id
from likeness.disclosure.label import Box, Label
from likeness.disclosure.rights import check_rights
from likeness.disclosure.signer import identity
from likeness.disclosure.sinks import KINDS, FileSink, FolderSink, Sink, save_signed
from likeness.disclosure.watermark.audio import AudioMark
from likeness.disclosure.watermark.imprint import Imprint, payload_for
from likeness.errors import NoFrames, OutputExists, SealFailed, Unsupported
from likeness.media.audio import AudioSource
from likeness.media.files import check_output, format_of, temporary_beside, write_error
from likeness.media.image import encode_jpeg, encode_png
from likeness.types import Making, Picture

_JPEG_QUALITY = 95


class FrameLayer(Protocol):
    """A layer that is put on each frame before it is encoded."""

    @property
    def name(self) -> str:
        """What `Sealed.layers` and the credentials call it."""

    def draw(self, image: Picture) -> None:
        """Changes `image`, (height, width, 3) uint8, in place."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a finished output carries.

    Attributes:
        path: the file, or the folder of pictures.
        layers: names of the layers, in the order in which they were put on.
        manifest_id: the name of its manifest, to which the watermark points; of a folder, that of the first
            picture's, to which the watermark of all of them points.
        notes: what a person should know, one sentence each.
        sidecar: the file that holds the credentials where the container cannot.
        frames: how many pictures.
    """

    path: Path
    layers: tuple[str, ...]
    manifest_id: str
    notes: tuple[str, ...]
    sidecar: Path | None
    frames: int


class SealedVideo:
    """A video, or a folder of PNGs, that is sealed as it is written.

    ::

        with SealedVideo(out, making, width=512, height=512, rate=Fraction(25)) as video:
            for image in images:
                video.write(image)
        print(video.sealed)

    Args:
        out: `.mp4`, `.webm`, `.gif`, or a folder for PNGs.
        making: how it is made, as the credentials will say.
        width, height: of the frames, px.
        rate: frames per second, exact.
        audio: the sound it gets, or None.
        mark_sound: the sound is synthetic too, and gets the watermark as well. Otherwise it stays as it is:
            to call the genuine voice of a driver synthetic would be false.
        overwrite: an output that is there may be replaced.
        face_box: left, top, right, bottom of the face, px, which the label stays clear of.
        language: of the label's text, a key of `label.TEXTS`.

    Attributes:
        sealed: what was made; there once the block has ended without an exception.

    Raises:
        RightsMissing: at once, where the label is left out without a statement of rights.
        OutputError, MediaNotFound, DisclosureError: on entering, before any work.
        SealFailed, OutputError: later; nothing is written then.
        NoFrames: on leaving without a single frame.
    """

    sealed: Sealed

    def __init__(
        self,
        out: str | os.PathLike[str],
        making: Making,
        *,
        width: int,
        height: int,
        rate: Fraction,
        audio: AudioSource | None = None,
        mark_sound: bool = False,
        overwrite: bool = False,
        face_box: Box | None = None,
        language: str = "en",
    ) -> None:
        check_rights(making)
        self._out = Path(out)
        self._format = format_of(os.fspath(out))
        self._making = making
        self._shape = (height, width, 3)
        self._rate = rate
        self._audio = audio
        self._mark_sound = mark_sound and audio is not None and self._format in ("mp4", "webm")
        self._overwrite = overwrite
        self._manifest_id = new_manifest_id()
        self._payload = payload_for(making.act, self._manifest_id)
        self._layers = (
            *_label(making, width, height, face_box, language),
            Imprint(width, height, self._payload),
        )
        self._names = _name_all(self._layers, sound=self._mark_sound)
        self._frames = 0

    def __enter__(self) -> Self:
        self._check_output()
        self._credentials = _state(self._making, self._layers, self._names, self._payload)
        with ExitStack() as stack:
            self._sink: Sink = stack.enter_context(self._open())
            self._stack = stack.pop_all()
        return self

    def write(self, image: Picture) -> None:
        """Seals and writes the next frame, (height, width, 3) uint8 RGB. The caller's array stays as it is.

        Raises:
            SealFailed: a layer failed, or the frame is of another size.
            OutputError: it cannot be written.
        """
        self._sink.write(_put_on(self._layers, image, self._shape))
        self._frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            if self._frames == 0:
                raise NoFrames("There was no frame to write.", "Check the start and end of the driver.")
            self._sink.finish()
            self._check_output()  # somebody else may have been faster
            sidecar = self._sink.commit()
            notes = (*self._credentials.notes, *self._sink.notes)
            self.sealed = Sealed(self._out, self._names, self._manifest_id, notes, sidecar, self._frames)

    def _open(self) -> Sink:
        if self._format == "png":
            return FolderSink(self._out, self._credentials, self._manifest_id)
        height, width, _ = self._shape
        return FileSink(
            self._out,
            self._format,
            self._credentials,
            self._manifest_id,
            width=width,
            height=height,
            rate=self._rate,
            audio=self._audio,
            make_sound_layer=self._make_sound_mark if self._mark_sound else None,
        )

    def _make_sound_mark(self, rate_hz: int, channels: int) -> AudioMark:
        return AudioMark(rate_hz, channels, self._payload)

    def _check_output(self) -> None:
        inputs = [ingredient.path for ingredient in self._making.ingredients]
        check_output(self._out, overwrite=self._overwrite, inputs=inputs)
        if self._format != "png":
            SignedFile(self._out, KINDS[self._format], overwrite=self._overwrite).check()


def seal_image(
    image: Picture,
    out: str | os.PathLike[str],
    making: Making,
    *,
    overwrite: bool = False,
    face_box: Box | None = None,
    language: str = "en",
) -> Sealed:
    """Seals one picture, (h, w, 3) uint8 RGB, and writes it to `out`, a `.png` or `.jpg`.

    Args and errors as in `SealedVideo`; the caller's array stays as it is.
    """
    check_rights(making)
    out = Path(out)
    kind = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}.get(out.suffix.lower())
    if kind is None:
        raise Unsupported(f"{out} is no name for a picture written here.", "Use .png or .jpg.")
    if out.exists() and (out.is_dir() or not overwrite):
        raise OutputExists(
            f"{out} is already there.", "Give another name, or add --overwrite (overwrite=True in Python)."
        )
    height, width, _ = image.shape
    manifest_id = new_manifest_id()
    payload = payload_for(making.act, manifest_id)
    imprint = Imprint(width, height, payload, is_still=True)
    layers = (*_label(making, width, height, face_box, language), imprint)
    credentials = _state(making, layers, _name_all(layers), payload)
    marked = _put_on(layers, image, image.shape)
    data = encode_png(marked) if kind == "image/png" else encode_jpeg(marked, _JPEG_QUALITY)
    with temporary_beside(out) as pending:
        try:
            save_signed(data, pending.path, credentials, kind, out.name, manifest_id)
        except OSError as error:
            raise write_error(out, error) from error
        pending.commit()
    return Sealed(out, _name_all(layers), manifest_id, credentials.notes, None, 1)


def _label(
    making: Making, width: int, height: int, face_box: Box | None, language: str
) -> tuple[FrameLayer, ...]:
    """The visible label, or nothing where it is left out."""
    if making.label == "none":
        return ()
    return (Label(width, height, face_box=face_box, language=language),)


def _name_all(layers: tuple[FrameLayer, ...], *, sound: bool = False) -> tuple[str, ...]:
    return (*(layer.name for layer in layers), *(["sound watermark"] if sound else []), "credentials")


def _state(
    making: Making, layers: tuple[FrameLayer, ...], names: tuple[str, ...], payload: int
) -> Credentials:
    text = next((layer.text for layer in layers if isinstance(layer, Label)), None)
    return Credentials(making, identity.load_or_create(), label_text=text, layers=names, payload=payload)


def _put_on(layers: tuple[FrameLayer, ...], image: Picture, shape: tuple[int, ...]) -> Picture:
    """A copy of `image` with the layers on it."""
    if image.shape != shape or image.dtype != np.uint8:
        raise SealFailed(
            f"A frame of {image.shape} {image.dtype} came where {shape} uint8 was announced.",
            "This is a mistake in the program that called: please report it.",
        )
    marked = image.copy()
    for layer in layers:
        layer.draw(marked)
    return marked
