"""The `.voice` file: one safetensors file with a person's voice and all that belongs to it.

Its header (JSON, under "likeness" in the metadata) says which engine learned it, from which recordings
(hashes), under whose consent, and a model card. The consent record travels inside and is checked before any
array is read: a voice whose record is missing, altered, expired or revoked does not load.

Open source can be patched, and so can this check. It is a default and evidence, not prevention.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from likeness.consent import Permission, check
from likeness.consent.match import Comparison
from likeness.errors import ConsentMissing, MediaNotFound, ModelFormat, SubjectMismatch
from likeness.media.files import temporary_beside, write_error
from likeness.speech.speaker_weights import SIZE
from likeness.types import ModelRef
from likeness.voices.voice import Arrays, Learnt, PitchRange, Recording, Voice

FORMAT: Final = "likeness-voice"
VERSION: Final = 1
SUFFIX: Final = ".voice"
LARGEST_BYTES: Final = 1 << 30
_MOST_ARRAYS, _MOST_RECORDINGS, _LONGEST_TEXT = 1000, 10_000, 200
_KINDS: Final = frozenset(map(np.dtype, ("f2", "f4", "i2", "i4", "i8", "u1")))
_KEY = re.compile(r"(pool|decoder)\.[A-Za-z0-9_.]{1,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_AGAIN = "Copy it again from where it was made, or make it again with `likeness voice enroll`."


def write_voice(voice: Voice, path: Path) -> str:
    """Write a voice completely or not at all; whatever was there is replaced.

    Returns:
        The file's SHA-256.

    Raises:
        OutputError: it cannot be written.
    """
    arrays = _flatten(voice)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "name": voice.name,
        "engine": {"name": voice.learnt.engine, "version": voice.learnt.version},
        "pitch": asdict(voice.pitch),
        "settings": dict(voice.learnt.settings),
        "models": [asdict(one) for one in voice.learnt.models],
        "recordings": [asdict(one) for one in voice.recordings],
        "consent": {
            "record": voice.permission.to_bytes().decode("utf-8"),
            "compared": [asdict(one) for one in voice.permission.compared],
        },
        "card": dict(voice.card),
        "arrays_sha256": _digest(arrays),
    }
    data = save(arrays, {"likeness": json.dumps(header)})
    try:
        with temporary_beside(path) as pending:
            pending.path.write_bytes(data)
            pending.commit()
    except OSError as error:
        raise write_error(path, error) from error
    return hashlib.sha256(data).hexdigest()


def open_voice(path: Path | str, *, revocations: Iterable[Path | str] = ()) -> Voice:
    """A voice from its file, once its consent record was checked.

    Args:
        revocations: files, or folders of them, besides those in the user's folder and those that lie where
            the voice does.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, too large, or no voice of ours.
        ConsentError: there is no record in it that allows this now.
    """
    path = Path(path)
    if not path.is_file():
        raise MediaNotFound(
            f"There is no voice {path}.",
            "Check the path; `likeness voice enroll` (voice.enroll in Python) makes one.",
        )
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelFormat(f"{path.name} is larger than any voice of ours.", "Check that it is one.")
    try:
        with safe_open(path, framework="numpy") as file:
            values = _read_header(file.metadata(), path.name)
            permission = _read_permission(values, path.name, (*revocations, path.parent))
            names = file.keys()
            if len(names) > _MOST_ARRAYS:
                raise ModelFormat(f"{path.name} holds more than any voice of ours.", _AGAIN)
            arrays = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, TypeError, OverflowError) as error:
        raise ModelFormat(f"{path.name} is damaged, or no voice of ours.", _AGAIN) from error
    if values.get("arrays_sha256") != _digest(arrays):
        raise ModelFormat(f"{path.name} is damaged: its content was changed since it was written.", _AGAIN)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return _build(values, permission, arrays, path.name, sha256)


def _flatten(voice: Voice) -> dict[str, NDArray[Any]]:
    arrays = {"speaker": np.asarray(voice.speaker, np.float32)}
    arrays |= {f"pool.{name}": np.ascontiguousarray(array) for name, array in voice.pool.items()}
    arrays |= {f"decoder.{name}": np.ascontiguousarray(array) for name, array in voice.decoder.items()}
    return arrays


def _read_header(metadata: Mapping[str, str] | None, name: str) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads((metadata or {})["likeness"])
        known, version = values["format"], values["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFormat(f"{name} is no voice of ours.", _AGAIN) from error
    if known != FORMAT:
        raise ModelFormat(f"{name} is no voice, but a {str(known)[:40]!r}.", "Give a .voice file.")
    if version != VERSION:
        raise ModelFormat(f"{name} is of a version that this program does not know.", "Update likeness.")
    return values


def _read_permission(values: Mapping[str, Any], name: str, revocations: Iterable[Path | str]) -> Permission:
    """The record inside, checked again: the signature, the days, the act, and whether it was taken back."""
    try:
        given = values["consent"]
        record = str(given["record"]).encode("utf-8")
        compared = [Comparison.read(one) for one in given["compared"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ConsentMissing(
            f"{name} holds no consent record that can be read.", "Use a voice that was made with one."
        ) from error
    permission = check(record, act="voice", revocations=tuple(revocations))
    if permission.record.kind == "subject" and not compared:
        raise SubjectMismatch(
            f"{name} holds a consent record that the voice was never compared with.",
            "Use a voice that `likeness voice enroll` (voice.enroll in Python) made.",
        )
    for found in compared:
        permission = permission.compare(found, must_match=True)
    return permission


def _build(
    values: Mapping[str, Any], permission: Permission, arrays: Arrays, name: str, sha256: str
) -> Voice:
    try:
        _check_arrays(arrays)
        pitch = PitchRange(_number(values["pitch"]["median_hz"]), _number(values["pitch"]["spread"]))
        if not (20 < pitch.median_hz < 2000 and 0 <= pitch.spread < 2):
            raise ValueError("no voice lies there")
        recordings = values["recordings"]
        if len(recordings) > _MOST_RECORDINGS:
            raise ValueError("too many recordings")
        learnt = Learnt(
            engine=_text(values["engine"]["name"]),
            version=_text(values["engine"]["version"]),
            pitch=pitch,
            pool=_under("pool.", arrays),
            decoder=_under("decoder.", arrays),
            settings=dict(values["settings"]),
            models=tuple(ModelRef(_text(one["name"]), _sha256(one["sha256"])) for one in values["models"]),
        )
        return Voice(
            name=_text(values["name"]),
            permission=permission,
            speaker=arrays["speaker"],
            learnt=learnt,
            recordings=tuple(
                Recording(_text(one["name"]), _sha256(one["sha256"]), _number(one["used_s"]))
                for one in recordings
            ),
            card=dict(values["card"]),
            sha256=sha256,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelFormat(f"{name} is damaged: {error}.", _AGAIN) from error


def _check_arrays(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if name != "speaker" and not _KEY.fullmatch(name):
            raise ValueError(f"it holds {name[:40]!r}, which no voice has")
        if array.dtype not in _KINDS:
            raise ValueError(f"{name} is of a kind that no voice has")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds what is no number")
    if arrays["speaker"].shape != (SIZE,) or arrays["speaker"].dtype != np.float32:
        raise ValueError("its speaker vector is none")


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a name in its header is no text")
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST_TEXT]


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("a hash in its header is none")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a figure in its header is no number")
    return float(value)


def _digest(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
