"""How well does the face embedding tell people apart? Distances between pictures of one person, and of two.

    python benchmarks/face_identity.py [--out FILE.json] [--plot FILE.svg] [--sheets DIR]

The people are listed in `face_identity_media.py`: those of ../shared/media and the demo's clip. Four sets:

    as they are    frames of clips, portraits, photographs: all pairs
    animated       portraits moved by three drivers, against the portraits
    changed        pictures in another light and badly kept, against the pictures as they are
    small          pictures with a face of few pixels, compressed, against the pictures as they are

The report holds distances and names of files, no embedding. Sheets show people: keep them out of the
repository.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_identity_media import PEOPLE, Person, Shot, animated, changed, shots_of, smaller
from face_identity_plot import plot
from likeness.faces import identity
from likeness.models import Access, fetch
from likeness.types import Floats

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared"))
SIZES_PX = (24, 32, 40, 48, 64, 96)
TURNS_DEG = (0, 15, 30, 45, 90)
AS_IT_IS = "as it is"
BIN = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A shot without its picture."""

    person: Person
    file: str
    way: str
    turn_deg: float
    chip: Any
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Pair:
    """Two shots and how far apart they are."""

    a: Embedded
    b: Embedded
    distance: float

    @property
    def is_genuine(self) -> bool:
        return self.a.person is self.b.person


@dataclass(slots=True)
class Study:
    """All pairs, by set."""

    as_they_are: list[Pair] = field(default_factory=list)
    animated: list[Pair] = field(default_factory=list)
    changed: list[Pair] = field(default_factory=list)
    small: list[Pair] = field(default_factory=list)

    @property
    def main(self) -> list[Pair]:
        """What the thresholds are judged by."""
        return [*self.as_they_are, *self.animated, *self.changed]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--sheets", type=Path)
    options = parser.parse_args()
    identity.MIN_SIZE_PX = 0  # what lies below it is measured too
    shots = list(embed(collect()))
    study = compare(shots)
    report = {"cost": cost()} | summarise(study, shots)
    print(json.dumps({key: report[key] for key in ("cost", "overall", "sets")}, indent=1))
    if options.out:
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.plot:
        options.plot.write_text(
            plot(report["histogram"], identity.MATCH, identity.NO_MATCH), encoding="utf-8"
        )
    if options.sheets:
        write_sheets(options.sheets, study)


def cost() -> dict[str, Any]:
    """What one face takes; run with OPENBLAS_NUM_THREADS=1 to know it for one core."""
    chips = np.random.default_rng(0).integers(0, 256, (1, 150, 150, 3), np.uint8)
    net = identity._network(Access())
    taken_s = []
    for _ in range(40):
        start_s = time.perf_counter()
        net.run(chips)
        taken_s.append(time.perf_counter() - start_s)
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    return {"ms_per_face": round(float(np.median(taken_s)) * 1e3, 1), "threads": threads}


def collect() -> Iterator[list[Shot]]:
    """All shots, person by person."""
    media = SHARED / "media"
    paths = [*sorted(media.glob("portraits/*")), *sorted(media.glob("driving/*")), fetch("carphone")]
    for person in PEOPLE:
        own = list(shots_of(person, paths))
        print(f"{person.name}: {len(own)} pictures", flush=True)
        yield own
        yield list(changed(own[0]))
        for size_px in SIZES_PX:
            yield list(smaller(own[0], size_px))
        if len(own) == 1:
            yield list(animated(own[0], media / "driving"))


def embed(groups: Iterable[list[Shot]]) -> Iterator[Embedded]:
    for shots in groups:
        embeddings = identity.embed_faces([(shot.image, shot.face) for shot in shots])
        for shot, embedding in zip(shots, embeddings, strict=True):
            chip = identity.face_chip(shot.image, shot.face)
            yield Embedded(shot.person, shot.file, shot.way, abs(shot.yaw_deg), chip, embedding)


def compare(shots: list[Embedded]) -> Study:
    """All pairs of pictures as they are; everything else against those."""
    plain = [shot for shot in shots if shot.way == AS_IT_IS]
    firsts = list({shot.person.name: shot for shot in reversed(plain)}.values())
    study = Study(as_they_are=[pair(a, b) for a, b in combinations(plain, 2)])
    for shot in shots:
        if shot.way == AS_IT_IS:
            continue
        pairs = [pair(shot, first) for first in firsts]
        if shot.way == "animated":
            study.animated += pairs
        elif shot.way.endswith("px"):
            study.small += pairs
        else:
            study.changed += pairs
    return study


def pair(a: Embedded, b: Embedded) -> Pair:
    return Pair(a, b, identity.distance(a.embedding, b.embedding))


def summarise(study: Study, shots: list[Embedded]) -> dict[str, Any]:
    plain = study.as_they_are
    across = [pair for pair in plain if pair.a.file != pair.b.file]
    same_recording = [pair for pair in plain if pair.a.file == pair.b.file]
    people = {shot.person.name: shot.person for shot in shots}
    sizes = {f"{size} px": size for size in SIZES_PX}
    return {
        "model": identity.FACE_MODEL,
        "match": identity.MATCH,
        "no_match": identity.NO_MATCH,
        "people": {
            name: {
                "group": person.group,
                "looks_like": person.looks_like,
                "shots": sum(shot.person is person for shot in shots),
                "files": sorted(
                    {shot.file for shot in shots if shot.person is person and " × " not in shot.file}
                ),
            }
            for name, person in people.items()
        },
        "overall": rates(study.main),
        "sets": {
            "as they are, one recording": rates(same_recording),
            "as they are, two recordings": rates(across),
            "animated": rates(study.animated),
            "changed": rates(study.changed),
        },
        "two_recordings": {
            name: described([pair.distance for pair in across if pair.is_genuine and pair.a.person is person])
            for name, person in people.items()
            if any(pair.is_genuine and pair.a.person is person for pair in across)
        },
        "clips": rates(list(clips_against_pictures(shots))),
        "groups": {
            group: rates(within(study.main, lambda person, group=group: person.group == group))
            for group in ("photograph", "painting", "drawing")
        },
        "looks_like": {
            sex: rates(within(plain, lambda person, sex=sex: person.looks_like == sex))
            for sex in ("woman", "man")
        },
        "turns": {
            f"{low} to {high}°": rates(
                [
                    pair
                    for pair in (*plain, *study.animated)
                    if low <= max(pair.a.turn_deg, pair.b.turn_deg) < high
                ]
            )
            for low, high in pairwise(TURNS_DEG)
        },
        "changes": by_way(study.changed),
        "sizes": {
            way: {"faces_found": sum(shot.way == way for shot in shots)} | by_way(study.small)[way]
            for way in sizes
        },
        "pairs_of_people": pairs_of_people(plain),
        "hardest": hardest(study.main),
        "histogram": {
            "bin": BIN,
            "genuine": histogram([pair.distance for pair in study.main if pair.is_genuine]),
            "impostor": histogram([pair.distance for pair in study.main if not pair.is_genuine]),
        },
    }


def rates(pairs: list[Pair]) -> dict[str, Any]:
    """How two pictures of one person (genuine) and of two people (impostor) fare."""
    genuine = np.array([pair.distance for pair in pairs if pair.is_genuine])
    impostor = np.array([pair.distance for pair in pairs if not pair.is_genuine])
    result: dict[str, Any] = {"genuine": described(genuine), "impostor": described(impostor)}
    if len(genuine) and len(impostor):
        at = np.sort(np.concatenate([genuine, impostor]))
        refused = 1 - np.searchsorted(np.sort(genuine), at, "right") / len(genuine)
        accepted = np.searchsorted(np.sort(impostor), at, "right") / len(impostor)
        best = int(np.abs(refused - accepted).argmin())
        result["equal_error_rate"] = round(float(refused[best] + accepted[best]) / 2, 4)
        result["equal_error_at"] = round(float(at[best]), 3)
    return result


def described(distances: Iterable[float]) -> dict[str, Any]:
    """Percentiles, and how many get which verdict."""
    values = np.asarray(list(distances))
    if not len(values):
        return {"pairs": 0}
    verdicts = [identity.verdict(value) for value in values]
    marks = {"min": 0, "p1": 1, "p5": 5, "p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {
        "pairs": len(values),
        **{name: round(float(np.percentile(values, mark)), 3) for name, mark in marks.items()},
        **{verdict: verdicts.count(verdict) for verdict in ("match", "cannot tell", "no match")},
    }


def within(pairs: list[Pair], belongs: Callable[[Person], bool]) -> list[Pair]:
    return [pair for pair in pairs if belongs(pair.a.person) and belongs(pair.b.person)]


def by_way(pairs: list[Pair]) -> dict[str, Any]:
    ways = dict.fromkeys(pair.a.way for pair in pairs)
    return {way: rates([pair for pair in pairs if pair.a.way == way]) for way in ways}


def clips_against_pictures(shots: list[Embedded]) -> Iterator[Pair]:
    """The median over a clip's frames, against one picture of another recording: as a video is checked."""
    plain = [shot for shot in shots if shot.way == AS_IT_IS]
    files: dict[str, list[Embedded]] = {}
    for shot in plain:
        files.setdefault(shot.file, []).append(shot)
    for clip, reference in product(files.values(), files.values()):
        if len(clip) > 1 and clip is not reference:
            distances = [identity.distance(shot.embedding, reference[0].embedding) for shot in clip]
            yield Pair(clip[0], reference[0], float(np.median(distances)))


def pairs_of_people(pairs: list[Pair]) -> dict[str, int]:
    """How close two people come at the most, over all pairs of their pictures."""
    closest: dict[frozenset[str], float] = {}
    for pair in pairs:
        if not pair.is_genuine:
            key = frozenset({pair.a.person.name, pair.b.person.name})
            closest[key] = min(closest.get(key, np.inf), pair.distance)
    verdicts = [identity.verdict(value) for value in closest.values()]
    return {"pairs": len(verdicts)} | {v: verdicts.count(v) for v in ("match", "cannot tell", "no match")}


def hardest(pairs: list[Pair], count: int = 12) -> dict[str, list[Any]]:
    """The closest strangers, each pair of people once, and the most different pictures of one person."""
    strangers: dict[frozenset[str], Pair] = {}
    for pair in sorted((pair for pair in pairs if not pair.is_genuine), key=lambda pair: pair.distance):
        strangers.setdefault(frozenset({pair.a.person.name, pair.b.person.name}), pair)
    genuine = sorted((pair for pair in pairs if pair.is_genuine), key=lambda pair: -pair.distance)
    return {
        "strangers": [told(pair) for pair in list(strangers.values())[:count]],
        "one person": [told(pair) for pair in genuine[:count]],
    }


def told(pair: Pair) -> list[Any]:
    sides = [
        f"{side.person.name} ({side.file}, {side.way}, {side.turn_deg:.0f}°)" for side in (pair.a, pair.b)
    ]
    return [round(pair.distance, 3), *sides]


def histogram(distances: list[float]) -> list[int]:
    return [int(n) for n in np.histogram(distances, np.arange(0, 1.4 + BIN, BIN))[0]]


def write_sheets(folder: Path, study: Study) -> None:
    """The hardest pairs, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, is_genuine, sign in (("strangers", False, 1), ("one_person", True, -1)):
        pairs = sorted(
            (pair for pair in study.main if pair.is_genuine == is_genuine),
            key=lambda pair: sign * pair.distance,
        )
        seen: dict[tuple[str, ...], Pair] = {}
        for pair in pairs:
            seen.setdefault(tuple(sorted({pair.a.person.name, pair.b.person.name})), pair)
        tiles = []
        for pair in list(seen.values())[:24]:
            tile = np.hstack([pair.a.chip, pair.b.chip]).copy()
            cv2.putText(tile, f"{pair.distance:.3f}", (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0))
            tiles.append(tile)
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 4)
        sheet = np.vstack([np.hstack(tiles[row : row + 4]) for row in range(0, len(tiles), 4)])
        cv2.imwrite(str(folder / f"{name}.png"), sheet[:, :, ::-1])


if __name__ == "__main__":
    main()
