"""Taking embeddings out of pictures, videos and recordings, and references for a record."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from likeness.consent.parts import NAME_LETTERS, Embedding, HashedFile, Role
from likeness.consent.record import ConsentRecord
from likeness.consent.text import tidy_name
from likeness.errors import FaceTooSmall, NoFace, NoFrames, NoVideo, UsageError
from likeness.faces import find_faces, identity
from likeness.media.files import check_input
from likeness.media.image import read_image
from likeness.media.mono import read_mono
from likeness.media.video import VideoReader, probe
from likeness.speech import speaker
from likeness.types import Floats, Frame, Picture

MOST_FRAMES: Final = 8
_MOST_FACES: Final = 6  # in one frame
_LONGEST_S: Final = 120.0  # of a recording, its beginning


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face in a picture, or in one frame of a video.

    Attributes:
        embedding: (128,) float32.
        at_s: where in the video; 0 in a picture.
    """

    embedding: Floats
    at_s: float


def look_into(path: Path) -> tuple[bool, bool]:
    """Whether there are pictures in a file, and whether there is sound.

    Raises:
        MediaError: it cannot be read.
    """
    if is_still(path):
        return True, False
    try:
        return True, probe(path).has_audio
    except NoVideo:
        return False, True


def is_still(path: Path) -> bool:
    """Whether it is one picture, by its name."""
    return _kind(path).startswith("image/") and path.suffix.lower() != ".gif"


def gather_faces(path: Path, *, offline: bool | None = None) -> list[Seen]:
    """Every face of a picture, or of frames spread over a video, that is large enough to be known.

    Raises:
        MediaError: the file cannot be read.
        ModelError: a network cannot be fetched.
    """
    found = []
    for image, at_s in _look(check_input(path)):
        for face in find_faces(image, limit=_MOST_FACES):
            try:
                found.append(Seen(identity.embed_face(image, face, offline=offline), at_s))
            except FaceTooSmall:
                continue
    return found


def read_voice(path: Path, *, offline: bool | None = None) -> Floats:
    """The embedding of the voice in a recording or a video's sound, (256,) float32; of its first two minutes.

    Raises:
        NoSpeech: there is too little in it.
        MediaError, ModelError
    """
    return speaker.embed_voice(read_sound(path), speaker.RATE_HZ, offline=offline)


def read_sound(path: Path) -> Floats:
    """The first two minutes of a file's sound, (n,) float32 at `speaker.RATE_HZ`.

    Raises:
        MediaError
    """
    return read_mono(path, rate_hz=speaker.RATE_HZ, max_s=_LONGEST_S, cut=True)


def add_references(
    record: ConsentRecord,
    *,
    face: Path | str | None = None,
    voice: Path | str | None = None,
    others: Iterable[Path | str] = (),
    offline: bool | None = None,
) -> ConsentRecord:
    """A request with what the subject looks and sounds like, ready to be signed.

    Args:
        face: a picture or video that shows nobody else.
        voice: a recording, or a video, in which nobody else speaks.
        others: files that the subject wants to name; only their hashes are kept.

    Raises:
        NoFace: no face is large enough.
        UsageError: several people are in it.
        NoSpeech, MediaError, ModelError: it cannot be used; says why.
    """
    references = record.references
    if references.apart:
        raise UsageError(
            "The record keeps its embeddings apart, and none can be added.",
            "Make a new request: `likeness consent new` (consent.draft in Python).",
        )
    files = list(references.files)
    if face is not None:
        embedding = Embedding.of(identity.FACE_MODEL, _one_face(Path(face), offline))
        references = replace(references, face=embedding)
        files.append(_hash(face, "face"))
    if voice is not None:
        references = replace(
            references, voice=Embedding.of(speaker.VOICE_MODEL, read_voice(Path(voice), offline=offline))
        )
        files.append(_hash(voice, "voice"))
    files += [_hash(one, "other") for one in others]
    kept = replace(references, files=tuple(dict.fromkeys(files)))
    return ConsentRecord.from_bytes(replace(record, references=kept).to_bytes())


def _one_face(path: Path, offline: bool | None) -> Floats:
    """The mean embedding of the one person in a picture or video."""
    from likeness.consent.match import tell_apart

    seen = gather_faces(path, offline=offline)
    if not seen:
        raise NoFace(
            f"No face was found in {path.name} that is large enough.",
            "Use a picture that shows the person's face from the front, well lit.",
        )
    if len(persons := tell_apart(seen)) > 1:
        raise UsageError(
            f"{path.name} shows {len(persons)} different people, and a record is for one.",
            "Use a picture of the person alone, or cut the others off.",
        )
    return np.asarray(np.mean([one.embedding for one in seen], axis=0), np.float32)


def _look(path: Path) -> Iterator[tuple[Picture, float]]:
    """The picture, or frames of the video and their times in seconds."""
    if is_still(path):
        yield read_image(path).image, 0.0
        return
    info = probe(path)
    length_s = info.duration_s or 0.0
    if length_s * info.rate < 2 * MOST_FRAMES:
        yield from _thin_out(path)
        return
    # In the middle of equal parts: beginnings and ends are often black.
    for at in range(MOST_FRAMES):
        start = Fraction(length_s * (at + 0.5) / MOST_FRAMES).limit_denominator(1000)
        try:
            with closing(VideoReader(path, start_s=start)) as video:
                frame = next(iter(video))
        except (NoFrames, StopIteration):
            continue
        yield frame.image, float(start)


def _thin_out(path: Path) -> Iterator[tuple[Picture, float]]:
    """Frames spread over a video that is short, or does not say how long it is: all of it is decoded."""
    step, kept = 1, list[Frame]()
    with closing(VideoReader(path)) as video:
        for frame in video:
            if frame.index % step:
                continue
            if len(kept) == MOST_FRAMES:
                step, kept = 2 * step, kept[::2]
            if frame.index % step == 0:
                kept.append(frame)
    for frame in kept:
        yield frame.image, float(frame.time_s)


def _hash(given: Path | str, role: Role) -> HashedFile:
    path = check_input(given)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return HashedFile(tidy_name(path.name, NAME_LETTERS), role, digest, path.stat().st_size)


def _kind(path: Path) -> str:
    return mimetypes.guess_type(path.name, strict=False)[0] or ""
