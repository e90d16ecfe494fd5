"""Makes the golden file of `test_identity.py`: what dlib itself computes.

    python -m venv elsewhere && elsewhere/bin/pip install dlib-bin pillow
    elsewhere/bin/python tests/faces/make_identity_golden.py NETWORK FIVE_POINTS GRACE_HOPPER

NETWORK and GRACE_HOPPER are the paths that `likeness models pull` prints; FIVE_POINTS is
`shape_predictor_5_face_landmarks.dat`, out of the same package as NETWORK. The golden file shows nobody:

    chips        (3, 150, 150, 3) uint8, coloured tiles
    embeddings   (3, 128) float32 of these
    hopper       (128,) float32 of the face that dlib finds, in the place and at the size that dlib gives it
"""

from __future__ import annotations

import sys
from pathlib import Path

import dlib
import numpy as np
from PIL import Image

GOLDEN = Path(__file__).parent / "golden" / "identity.npz"
TILES = (5, 15, 30)


def main() -> None:
    network_path, points_path, hopper_path = sys.argv[1:]
    network = dlib.face_recognition_model_v1(network_path)
    rng = np.random.default_rng(0)
    tiles = [rng.integers(0, 256, (side, side, 3), np.uint8) for side in TILES]
    chips = np.stack([tile.repeat(150 // len(tile), 0).repeat(150 // len(tile), 1) for tile in tiles])
    embeddings = [network.compute_face_descriptor(chip) for chip in chips]

    with Image.open(hopper_path) as picture:
        hopper = np.asarray(picture.convert("RGB"))
    box = dlib.get_frontal_face_detector()(hopper)[0]
    points = dlib.shape_predictor(points_path)(hopper, box)
    np.savez_compressed(
        GOLDEN,
        chips=chips,
        embeddings=np.array(embeddings, np.float32),
        hopper=np.array(network.compute_face_descriptor(hopper, points), np.float32),
    )


if __name__ == "__main__":
    main()
