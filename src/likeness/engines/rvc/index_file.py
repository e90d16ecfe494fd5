"""The files of an index: what faiss writes for RVC ("added_IVF…_Flat….index"), or the bare vectors as `.npy`.

They are read here and not by faiss: of its hundred kinds of index RVC writes one, which a page of code reads
strictly, with every size held against the file's before anything is taken from it; faiss is written for files
that one made oneself, and would bring a second copy of OpenMP. Vectors stay on the disk until they are looked
at, so that an index of half a gigabyte takes hardly any memory.

The format, little-endian, is that of faiss/impl/index_write.cpp (Meta, MIT; read at commit 014960d): an
"IwFl" with its header, the flat index of the lists' centres ("IxF2"), the direct map, and the lists ("ilar").
"""

from __future__ import annotations

import struct
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness.engines.rvc.strangers import check_kind
from likeness.errors import ModelFormat
from likeness.types import Floats

LARGEST_BYTES = 4 << 30
"""An hour of speech has 180,000 vectors: 0.6 GB. RVC thins out what is more than 200,000."""

_MOST_LISTS = 1 << 17
_FLOAT, _WORD = 4, 8
_LARGEST = 1e4
_HINT = "Give the file that RVC calls added_IVF…_Flat….index, or the vectors themselves as total_fea.npy."


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Vectors of content, in lists of what is alike.

    Attributes:
        centres: (lists, channels) float32; None where there is one list only.
        vectors: of each list, (n, channels) float32; they are read from the disk when they are looked at.
        probes: how many lists are searched for each frame.
    """

    centres: Floats | None
    vectors: tuple[Floats, ...]
    probes: int

    @property
    def count(self) -> int:
        """Of all vectors."""
        return sum(map(len, self.vectors))


def are_content(values: Floats) -> bool:
    """Whether they are numbers, and none is beyond all that a content model gives (some tens)."""
    return bool(np.abs(values).max(initial=0) <= _LARGEST)  # this way round, so that NaN is caught


def read_lists(path: Path, channels: int) -> Lists:
    """The vectors of a file, not looked at yet.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is of another kind or size, damaged, or holds no vectors.
    """
    check_kind(path, "index", largest_bytes=LARGEST_BYTES, hint=_HINT)
    with path.open("rb") as file:
        is_array = file.read(6) == b"\x93NUMPY"
    lists = _read_npy(path) if is_array else _Reader(path).lists()
    found = lists.vectors[0].shape[1]
    if found != channels:
        fits = {256: " (of version 1)", 768: " (of version 2)"}
        raise ModelFormat(
            f"{path.name} holds vectors of {found} numbers{fits.get(found, '')}, and the voice listens to "
            f"{channels}{fits.get(channels, '')}.",
            "Give the index that was made with this voice.",
        )
    if not lists.count:
        raise ModelFormat(
            f"{path.name} holds no vectors: it is what RVC calls trained_….index, which it writes before "
            "they are added.",
            "Give the file beside it that begins with added_.",
        )
    return lists


def _read_npy(path: Path) -> Lists:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # as numpy warns of headers that Python 2 wrote
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (  # numpy takes headers apart as Python source
        ValueError, EOFError, OSError, ArithmeticError, LookupError, MemoryError, SyntaxError, TypeError,
        RuntimeError, struct.error, tokenize.TokenError, Warning,
    ) as error:  # fmt: skip
        raise ModelFormat(f"{path.name} is no array of numpy, or a damaged one.", _HINT) from error
    is_table = isinstance(array, np.ndarray) and array.ndim == 2 and array.dtype in (np.float32, np.float16)
    if not is_table or not array.shape[1]:
        raise ModelFormat(f"{path.name} is no table of float32 with a row for each frame.", _HINT)
    return Lists(None, (array,), 1)


class _Reader:
    """Goes through the file; every read first asks whether so much is left."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._bytes = np.memmap(path, np.uint8, "r")
        self._at = 0

    def lists(self) -> Lists:
        if self._tag() != b"IwFl":
            raise self._refuse("is no index of the kind that RVC makes (IVF…,Flat)")
        channels, count = self._header()
        lists, probes = self._word(), self._word()
        if not 1 <= lists <= _MOST_LISTS or not probes:
            raise self._refuse("is damaged")
        centres = self._centres(lists, channels)
        self._skip_direct_map()
        vectors = self._vectors(lists, channels, count)
        return Lists(centres, vectors, min(probes, lists))

    def _header(self) -> tuple[int, int]:
        """Numbers a vector, and how many vectors."""
        channels, count, _, _, _, metric = struct.unpack("<iqqq?i", self._take(33).tobytes())
        if not 1 <= channels <= 1 << 14 or count < 0:
            raise self._refuse("is damaged")
        if metric != 1:
            raise self._refuse("does not measure the distances that RVC does (L2)")
        return channels, count

    def _centres(self, lists: int, channels: int) -> Floats:
        if self._tag() not in (b"IxF2", b"IxFl") or self._header() != (channels, lists):
            raise self._refuse("does not hold the centres of its lists")
        if self._word() != lists * channels:
            raise self._refuse("is damaged")
        centres = self._floats(lists, channels).copy()
        if not are_content(centres):
            raise self._refuse("holds what is no content")
        return centres

    def _skip_direct_map(self) -> None:
        """Where each vector is found by its number, which nobody asks for here."""
        kind = int(self._take(1)[0])
        self._skip(self._word(), _WORD)
        if kind == 2:
            self._skip(self._word(), 2 * _WORD)
        elif kind > 2:
            raise self._refuse("is damaged")

    def _vectors(self, lists: int, channels: int, count: int) -> tuple[Floats, ...]:
        if self._tag() != b"ilar" or self._word() != lists or self._word() != _FLOAT * channels:
            raise self._refuse("does not hold its vectors as RVC keeps them")
        sizes = self._sizes(lists)
        if sum(sizes) != count:
            raise self._refuse("is damaged")
        vectors = []
        for size in sizes:
            vectors.append(self._floats(size, channels))
            self._skip(size, _WORD)  # the numbers of the vectors
        return tuple(vectors)

    def _sizes(self, lists: int) -> list[int]:
        """How many vectors each list has."""
        kind, entries = self._tag(), self._word()
        if kind not in (b"full", b"sprs") or entries > 2 * lists:
            raise self._refuse("is damaged")
        values: list[int] = self._take(entries * _WORD).view("<u8").tolist()
        if kind == b"full":
            numbers, sizes = list(range(lists)), values
        else:  # number and size of each list that is not empty
            numbers, sizes = values[::2], values[1::2]
        if (
            len(numbers) != len(sizes)
            or len(set(numbers)) != len(numbers)
            or max(numbers, default=0) >= lists
        ):
            raise self._refuse("is damaged")
        known = dict(zip(numbers, sizes, strict=True))
        return [known.get(number, 0) for number in range(lists)]

    def _tag(self) -> bytes:
        return self._take(4).tobytes()

    def _word(self) -> int:
        return int.from_bytes(self._take(_WORD).tobytes(), "little")

    def _floats(self, rows: int, columns: int) -> Floats:
        """A view into the file."""
        taken = self._take(rows * columns * _FLOAT)
        # Whether it is aligned is the file's affair: numpy copies where it has to.
        return taken.view(np.ndarray).view("<f4").reshape(rows, columns)

    def _skip(self, count: int, size: int) -> None:
        self._take(count * size)

    def _take(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        if not 0 <= count <= len(self._bytes) - self._at:
            raise self._refuse("is cut off or damaged")
        taken = self._bytes[self._at : self._at + count]
        self._at += count
        return taken

    def _refuse(self, why: str) -> ModelFormat:
        return ModelFormat(f"{self._name} {why}.", _HINT)
