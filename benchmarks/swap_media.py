"""Whose faces the swap benchmark swaps: synthetic people with ground truth, and speakers of GRID.

A pair is two clips. The first 85 % of each are trained on; the rest is held out, and judged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.faces.aligned import Alignment
from likeness.faces.identity import embed_faces
from likeness.faces.topology import canonical_mesh
from likeness.media import VideoReader
from likeness.media.writer import VideoWriter
from likeness.pipelines.follow_face import Chooser, Followed
from likeness.pipelines.swap_clip import follow
from likeness.training.swap.faces import ZOOM, Faces
from likeness.types import Face, Floats, Frame, Picture
from synthetic_people import RATE, Anatomy, Canvas, Head, Scene, fetch_wheel, perform

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared"))
TRAINED = 0.85
CUT_PX = 320
FRAME_PX = 384
SYNTHETIC_FRAMES = 500
REFERENCES = 16
"""Pictures that say who somebody is, spread over what is trained on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people; A's performance gets B's face.

    Attributes:
        a, b: seeds of synthetic people, or beginnings of files' names in media/driving.
    """

    name: str
    a: int | str
    b: int | str

    @property
    def is_synthetic(self) -> bool:
        return isinstance(self.a, int)


PAIRS = (
    # Of the people 0 … 17, six frames each, the two whose embeddings are the farthest apart, and the next two
    # who are neither of them. Nobody was left out.
    Pair("synthetic-1", 1, 2),
    Pair("synthetic-2", 4, 14),
    Pair("grid-1", "grid__bbaf2n", "grid__sbia1a"),
    Pair("grid-2", "grid__lbbc2a", "grid__lrwp9a"),
)


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip in which a face is seen throughout.

    Attributes:
        path: the file.
        followed: its frames with the face, as `convert` follows it.
        missed: frames without a face, which are left out of `followed`.
    """

    path: Path
    followed: list[Followed]
    missed: int

    @property
    def split(self) -> int:
        """The first frame that is held out."""
        return round(len(self.followed) * TRAINED)

    @property
    def held_out(self) -> list[Followed]:
        return self.followed[self.split :]

    @property
    def trained(self) -> list[Followed]:
        return self.followed[: self.split]

    def faces(self, part: list[Followed]) -> Faces:
        """Some of the frames as training wants them."""
        cuts, points = [], []
        for item in part:
            face, square = seen(item)
            cuts.append(square.cut(item.frame.image, CUT_PX, zoom=ZOOM))
            points.append(square.cut_points(face.points, CUT_PX, zoom=ZOOM))
        return Faces(np.stack(cuts), np.stack(points), ZOOM, name=self.path.name)

    def references(self) -> Floats:
        """(n, 128): who it is."""
        chosen = np.linspace(0, self.split - 1, REFERENCES).astype(int)
        return embed([self.followed[i] for i in chosen])


def seen(item: Followed) -> tuple[Face, Alignment]:
    """The face of a frame that has one."""
    if item.face is None or item.square is None:
        raise ValueError(f"no face in frame {item.frame.index}")
    return item.face, item.square


def embed(items: list[Followed], pictures: list[Picture] | None = None) -> Floats:
    """(n, 128): who is seen in these frames, or in other pictures with faces at the same places."""
    images = pictures or [item.frame.image for item in items]
    return embed_faces([(image, seen(item)[0]) for image, item in zip(images, items, strict=True)])


def available(pair: Pair) -> bool:
    return pair.is_synthetic or all(find_real(name) for name in (str(pair.a), str(pair.b)))


def find_real(name: str) -> Path | None:
    """A clip of the shared media, by the beginning of its name."""
    return next(iter(sorted((SHARED / "media" / "driving").glob(f"{name}*"))), None)


@dataclass(frozen=True, eq=False)
class Media:
    """A pair's clips.

    Attributes:
        truth: A's held-out performance by B, in A's place and light; None of real people.
    """

    pair: Pair
    a: Clip
    b: Clip
    truth: Clip | None


def prepare(pair: Pair, work: Path, frames: int = SYNTHETIC_FRAMES) -> Media:
    """The clips of a pair, made or found, and followed; what was made is kept in the folder `work`."""
    if not pair.is_synthetic:
        paths = [find_real(str(name)) for name in (pair.a, pair.b)]
        if not paths[0] or not paths[1]:
            raise SystemExit(f"The clips of {pair.name} are not in {SHARED}.")
        return Media(
            pair, follow_clip(paths[0], work / pair.name), follow_clip(paths[1], work / pair.name), None
        )
    folder = work / pair.name
    names = [folder / f"{name}-{frames}.mp4" for name in ("a", "b", "truth")]
    if not all(name.exists() for name in names):
        folder.mkdir(parents=True, exist_ok=True)
        _film(pair, work, names, frames)
    clips = [follow_clip(name, folder) for name in names]
    held_out = len(clips[0].held_out)
    if clips[0].missed or clips[2].missed or len(clips[2].followed) != held_out:
        raise SystemExit(f"{pair.name}: frame for frame, the truth does not fit the clip.")
    return Media(pair, clips[0], clips[1], clips[2])


def _film(pair: Pair, work: Path, names: list[Path], frames: int) -> None:
    """A's clip in A's scene, B's in B's, and what is held out of A's performance by B in A's scene."""
    anatomy = Anatomy.read(fetch_wheel(work))
    canvas = Canvas.of(anatomy)
    a, b = int(pair.a), int(pair.b)
    performance = perform(a, frames)
    shots = (
        (a, a, performance),
        (b, b, perform(b, frames)),
        (b, a, performance[round(frames * TRAINED) :]),
    )
    for path, (person, scene, moments) in zip(names, shots, strict=True):
        head = Head(anatomy, person, Scene.of(scene), canvas)
        write_clip(path, (head.render(moment, FRAME_PX, FRAME_PX) for moment in moments))


def film_wide(work: Path, seed: int, frames: int, times: int) -> tuple[Path, Path]:
    """A synthetic person at 1280 × 720 px, for measuring speed, and the same so many times as long."""
    short, long = (work / f"wide-{seed}-{frames * n}.mp4" for n in (1, times))
    if not short.exists():
        head = Head(Anatomy.read(fetch_wheel(work)), seed, Scene.of(seed))
        write_clip(short, (head.render(moment, 1280, 720) for moment in perform(seed, frames)))
    if not long.exists():
        with VideoReader(short) as reader:
            once = [frame.image for frame in reader]
        # There and back, so that nothing jumps.
        loop = [*once, *reversed(once)]
        write_clip(long, (loop[n % len(loop)] for n in range(frames * times)))
    return short, long


def write_clip(path: Path, pictures: Iterator[Picture]) -> None:
    """Encode pictures as MP4, complete or not at all."""
    first = next(pictures)
    height, width = first.shape[:2]
    part = path.with_name(f".{path.name}.part")
    with VideoWriter(
        part, format="mp4", width=width, height=height, rate=Fraction(RATE), quality=12
    ) as video:
        video.write(first)
        for picture in pictures:
            video.write(picture)
    part.replace(path)


def follow_clip(path: Path, folder: Path) -> Clip:
    """Track a clip, or recall what was tracked."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{path.stem}.followed.npz"
    with VideoReader(path) as reader:
        if kept.exists():
            with np.load(kept, allow_pickle=False) as known:
                followed = _recall(list(reader), dict(known))
        else:
            followed = list(follow(reader, Chooser(None, None, float(reader.info.rate)), None))
            _keep(kept, followed)
    there = [item for item in followed if item.face is not None]
    return Clip(path, there, len(followed) - len(there))


def _keep(path: Path, followed: list[Followed]) -> None:
    there = [(n, item.face, item.starts) for n, item in enumerate(followed) if item.face is not None]
    part = path.with_name(f".{path.name}.part.npz")
    np.savez(
        part,
        numbers=np.array([n for n, _, _ in there]),
        points=np.stack([face.points for _, face, _ in there]),
        blendshapes=np.stack([face.blendshapes for _, face, _ in there]),
        scores=np.array([face.score for _, face, _ in there]),
        starts=np.array([starts for _, _, starts in there]),
    )
    part.replace(path)


def _recall(frames: list[Frame], known: dict[str, NDArray[np.generic]]) -> list[Followed]:
    followed = [Followed(frame) for frame in frames]
    mesh = canonical_mesh()
    for n, points, blendshapes, score, starts in zip(*known.values(), strict=True):
        face = Face(np.asarray(points), np.asarray(blendshapes), float(score))
        square = Alignment.of(face.points, mesh)
        followed[int(n)] = replace(followed[int(n)], face=face, square=square, starts=bool(starts))
    return followed
