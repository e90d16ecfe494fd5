"""Files to begin with, one folder per target: small, whole and of every kind that is read.

python fuzz/seeds.py CORPUS
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from targets import TARGETS

from likeness.disclosure import identity
from likeness.disclosure.credentials import Credentials
from likeness.disclosure.watermark.code import signs
from likeness.motion.file import FIELDS, write_motion
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.types import Making
from likeness.verification import verify


def main() -> None:
    corpus = Path(sys.argv[1])
    for target in TARGETS:
        (corpus / target).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _write_motion(corpus, Path(folder))
        _write_signed(corpus, Path(folder))
    (corpus / "payloads" / "word").write_bytes(signs(0xDEADBEEF).tobytes())
    random = np.random.default_rng(0)
    (corpus / "pictures" / "noise").write_bytes(bytes([79, 99]) + random.bytes(4096))


def _write_motion(corpus: Path, folder: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 200, (478, 3)).astype(np.float32)
    frames = [MotionFrame(points, np.zeros(52, np.float32))] * 2
    path = folder / "a.motion"
    write_motion(path, frames, DriverInfo(Fraction(25), 640, 480))
    (corpus / "motion" / "a").write_bytes(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        names = ["motion.json", *(f"{name}/00000.npy" for name in FIELDS)]
        parts = [archive.read(name) for name in names if name in archive.namelist()]
    (corpus / "motion_entries" / "a").write_bytes(b"\xfe\xff".join(parts))


def _write_signed(corpus: Path, folder: Path) -> None:
    who = identity.load_or_create()
    making = Making("animate", "mesh", "1", ())
    credentials = Credentials(making, who, label_text="AI", layers=("credentials",))
    (corpus / "certificates" / "pem").write_bytes(who.certificates)
    for name in ("PNG", "JPEG", "GIF", "TIFF", "WEBP"):
        plain, signed = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (16, 16), (90, 120, 60)).save(plain, name)
        plain.seek(0)
        store = credentials.sign(plain, signed, f"image/{name.lower()}", title="a")
        for target in ("containers", "files"):
            (corpus / target / name).write_bytes(signed.getvalue())
        (corpus / "sidecars" / name).write_bytes(store)
    path = folder / "a"
    path.write_bytes((corpus / "files" / "PNG").read_bytes())
    (corpus / "statements" / "png").write_text(verify(path).manifest_json)


if __name__ == "__main__":
    main()
