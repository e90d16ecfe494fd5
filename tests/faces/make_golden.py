"""Makes the golden files of `test_parity.py`: what MediaPipe itself finds, in IMAGE mode, for one face.

    python -m venv elsewhere && elsewhere/bin/pip install "mediapipe>=1.2" av
    elsewhere/bin/python tests/faces/make_golden.py MODEL GRACE_HOPPER CARPHONE [SHARED_MEDIA]

MODEL, GRACE_HOPPER and CARPHONE are the paths that `likeness models pull` prints; SHARED_MEDIA is the folder
of real media that stays out of the repository. The golden files hold points and coefficients, no picture:

    names        (n,) file name, with "#frame" for videos
    points       (n, 478, 3) int16, 1/16 px: MediaPipe's normalised coordinates times the picture's width, its
                 height, and (z) its width
    blendshapes  (n, 52) float16
    poses        (n, 4, 4) float32, its facial transformation matrix (x right, y up, z to the camera)

It needs libEGL and libGLESv2, so it runs outside the project's environment and takes nothing from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import av
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from PIL import Image

GOLDEN = Path(__file__).parent / "golden"
CARPHONE_FRAMES = range(0, 120, 8)
CLIP_FRAMES = (5, 20)


def main() -> None:
    model, hopper, carphone, *shared = (Path(argument) for argument in sys.argv[1:])
    GOLDEN.mkdir(exist_ok=True)
    package = [("grace-hopper", read_still(hopper)), *read_frames(carphone, "carphone", CARPHONE_FRAMES)]
    save(model, "package.npz", package)
    if shared:
        save(model, "shared.npz", shared_pictures(shared[0]))


def shared_pictures(media: Path) -> Iterator[tuple[str, np.ndarray]]:
    for path in sorted((media / "portraits").iterdir()):
        yield f"portraits/{path.name}", read_still(path)
    for path in sorted((media / "driving").iterdir()):
        if "female-and-male" not in path.name:  # with two faces "the" face is a matter of luck
            yield from read_frames(path, f"driving/{path.name}", CLIP_FRAMES)


def read_still(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def read_frames(path: Path, name: str, wanted: range | tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                yield f"{name}#{index}", frame.to_ndarray(format="rgb24")
            if index >= max(wanted):
                return


def save(model: Path, file_name: str, pictures: Iterator[tuple[str, np.ndarray]] | list) -> None:
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    names, points, blendshapes, poses = [], [], [], []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for name, picture in pictures:
            height, width = picture.shape[:2]
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
            found = landmarker.detect(image)
            if not found.face_landmarks:
                raise SystemExit(f"MediaPipe finds no face in {name}")
            size = np.array([width, height, width])
            landmarks = np.array([(p.x, p.y, p.z) for p in found.face_landmarks[0]]) * size
            names.append(name)
            points.append(np.rint(landmarks * 16).astype(np.int16))
            blendshapes.append([category.score for category in found.face_blendshapes[0]])
            poses.append(found.facial_transformation_matrixes[0])
    np.savez_compressed(
        GOLDEN / file_name,
        names=np.array(names),
        points=np.array(points),
        blendshapes=np.array(blendshapes, np.float16),
        poses=np.array(poses, np.float32),
    )


if __name__ == "__main__":
    main()
