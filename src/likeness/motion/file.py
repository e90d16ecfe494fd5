"""The `.motion` file: a driver without its video.

A zip archive with one JSON entry and plain NumPy arrays; nothing in it can run.

    motion.json               {"format": "likeness motion", "version": 1, "rate": "30000/1001", "width": …,
                               "height": …, "frames": …, "chunk": 64, "fields": ["points", …]}
    points/00000.npy          (64, 478, 3) float32, frames 0 to 63
    blendshapes/00000.npy     (64, 52) float32
    held/00000.npy            (64,) bool
    shading/00000.npy         (64, 128, 128) uint8     | left out when recorded
    mouth/00000.npy           (64, 48, 96, 3) uint8    | with geometry only
    skin/00000.npy            (64, 3) float32          |

Every entry carries a CRC-32 (part of the zip format), so damage is noticed. Sizes are checked before anything
is unpacked, and values before they are used: whatever a file holds, it is read or refused.
"""

from __future__ import annotations

import io
import json
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import MediaNotFound, ModelFormat
from likeness.faces.topology import CHIN, FOREHEAD_TOP
from likeness.motion.frame import MOUTH_PX, SHADING_PX, DriverInfo, MotionFrame
from likeness.types import Floats

SUFFIX = ".motion"
FORMAT, VERSION, CHUNK = "likeness motion", 1, 64
MAX_FRAMES = 10_000_000
MAX_HEADER_BYTES = 65_536
SMALLEST_FACE_PX = 1.0

# What zipfile, json and NumPy raise on damaged or hostile files; they know no common base. NumPy takes array
# headers apart as Python source.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    MemoryError,
    EOFError,
    OSError,
)


# The header of an array as we write it. NumPy's reader also takes headers of Python 2, with a warning.
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '[<|][a-z]\d', 'fortran_order': False, 'shape': \([\d, ]*\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Field:
    shape: tuple[int, ...]
    dtype: type[np.generic]
    required: bool = True
    limits: tuple[float, float] = (0, 255)

    def max_bytes(self, frames: int) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize * frames + 512


FIELDS = {
    "points": _Field((478, 3), np.float32, limits=(-1e5, 1e5)),
    "blendshapes": _Field((52,), np.float32, limits=(-0.01, 1.01)),
    "held": _Field((), np.bool_),
    "shading": _Field((SHADING_PX, SHADING_PX), np.uint8, required=False),
    "mouth": _Field((*MOUTH_PX, 3), np.uint8, required=False),
    "skin": _Field((3,), np.float32, required=False),
}


def write_motion(path: Path, frames: Iterable[MotionFrame], driver: DriverInfo) -> int:
    """Write frames as they come, in constant memory; the caller sees to temporary names.

    Returns:
        how many frames were written.
    """
    count = 0
    names: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, chunk in enumerate(_in_chunks(frames)):
            if not names:
                names = [name for name in FIELDS if getattr(chunk[0], name) is not None]
            for name in names:
                data = io.BytesIO()
                array = np.array([getattr(frame, name) for frame in chunk], FIELDS[name].dtype)
                np.lib.format.write_array(data, array, allow_pickle=False)
                archive.writestr(f"{name}/{number:05d}.npy", data.getvalue())
            count += len(chunk)
        header = {
            "format": FORMAT,
            "version": VERSION,
            "rate": str(driver.rate),
            "width": driver.width,
            "height": driver.height,
            "frames": count,
            "chunk": CHUNK,
            "fields": names,
        }
        archive.writestr("motion.json", json.dumps(header, indent=1))
    return count


class MotionFile:
    """A `.motion` file opened for reading.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, not such a file, or of a newer version.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MediaNotFound(f"There is no motion file {path}.", "Check the name and the folder.")
        self._path = path
        with self._open() as archive:
            self._fields, self.info = self._read_header(archive)

    def frames(self) -> Iterator[MotionFrame]:
        """The frames in order, a chunk in memory at a time."""
        total = self.info.frames or 0
        with self._open() as archive:
            for start in range(0, total, CHUNK):
                size = min(CHUNK, total - start)
                arrays = {
                    name: self._read_chunk(archive, name, start // CHUNK, size) for name in self._fields
                }
                for n in range(size):
                    values: dict[str, Any] = {name: array[n] for name, array in arrays.items()}
                    values["held"] = bool(values["held"])
                    yield MotionFrame(**values)

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._path)
        except _DAMAGE as error:
            raise self._damaged("it is not a zip archive or was cut off") from error

    def _read_header(self, archive: zipfile.ZipFile) -> tuple[list[str], DriverInfo]:
        try:
            header = json.loads(self._read_entry(archive, "motion.json", MAX_HEADER_BYTES))
            if header["format"] != FORMAT:
                raise self._damaged("its header is of another format")
            if header["version"] != VERSION:
                raise ModelFormat(
                    f"{self._path.name} is of version {header['version']}; this program reads {VERSION}.",
                    "Update likeness, or record the driver again.",
                )
            if not re.fullmatch(r"[0-9]{1,9}(/[0-9]{1,9})?", header["rate"]):
                raise self._damaged("its rate makes no sense")
            fields = [name for name in FIELDS if name in header["fields"]]
            info = DriverInfo(
                Fraction(header["rate"]), int(header["width"]), int(header["height"]), int(header["frames"])
            )
        except _DAMAGE as error:
            raise self._damaged("its header cannot be read") from error
        missing = [name for name, field in FIELDS.items() if field.required and name not in fields]
        plausible = 0 < info.rate <= 1000 and info.width > 0 and info.height > 0
        if missing or not plausible or not 0 < (info.frames or 0) <= MAX_FRAMES:
            raise self._damaged("its header makes no sense")
        return fields, info

    def _read_entry(self, archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
        """One entry, if it is packed as we pack and no larger than it may be."""
        entry = archive.getinfo(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._damaged(f"{name} is packed in a way that is not ours")
        if entry.file_size > max_bytes:
            raise self._damaged(f"{name} is too large")
        return archive.read(entry)

    def _read_chunk(
        self, archive: zipfile.ZipFile, name: str, number: int, size: int
    ) -> np.ndarray[Any, Any]:
        field = FIELDS[name]
        try:
            data = self._read_entry(archive, f"{name}/{number:05d}.npy", field.max_bytes(size))
            if not _begins_as_ours(data):
                raise ValueError("an array that was written by something else")
            array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        except _DAMAGE as error:
            raise self._damaged(f"frames from {number * CHUNK} cannot be read") from error
        if array.shape != (size, *field.shape) or array.dtype != field.dtype:
            raise self._damaged(f"{name} has the wrong shape")
        # Comparing so refuses what is not a number too.
        if not ((array >= field.limits[0]) & (array <= field.limits[1])).all():
            raise self._damaged(f"{name} holds impossible values")
        if name == "points" and _face_heights_px(array).min() < SMALLEST_FACE_PX:
            raise self._damaged("a face in it has no size")
        return array

    def _damaged(self, why: str) -> ModelFormat:
        return ModelFormat(
            f"{self._path.name} is not a usable .motion file: {why}.",
            "Record it again with `likeness motion record VIDEO -o FILE.motion`.",
        )


def _begins_as_ours(npy: bytes) -> bool:
    head = _NPY.match(npy)
    return head is not None and head.end() == 10 + int.from_bytes(npy[8:10], "little")


def _face_heights_px(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(points[:, CHIN] - points[:, FOREHEAD_TOP], axis=1), np.float32)


def _in_chunks(frames: Iterable[MotionFrame]) -> Iterator[list[MotionFrame]]:
    chunk: list[MotionFrame] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
