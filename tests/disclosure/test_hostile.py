"""Files made to hurt whoever verifies them."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.disclosure.credentials.ingredients import one_pixel
from likeness.disclosure.credentials.measure import _C2PA_UUID, stored_bytes
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.credentials.store import hash_file
from likeness.disclosure.seal import SealedVideo, seal_image
from likeness.disclosure.signer import identity
from likeness.errors import LikenessError, MediaNotFound, TooLarge, Unreadable
from likeness.types import Ingredient
from likeness.verification import verify

from .conftest import RATE, MakeMaking, moving_picture

MAGICS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF89a",
    "tiff": b"II*\x00",
    "bmp": b"BM",
    "jxl": b"\x00\x00\x00\x0cJXL \r\n\x87\n",
    "flac": b"fLaC",
    "ogg": b"OggS",
    "mp3": b"ID3",
    "bare mp3": b"\xff\xfb\x90\x00",
    "flv": b"FLV\x01",
    "mpeg": b"\x00\x00\x01\xba",
    "asf": b"0&\xb2u\x8ef\xcf\x11",
    "webp": b"RIFF\x40\x00\x00\x00WEBP",
    "wav": b"RIFF\x40\x00\x00\x00WAVE",
    "avi": b"RIFF\x40\x00\x00\x00AVI ",
    "mp4": b"\x00\x00\x00\x18ftypmp42",
    "heic": b"\x00\x00\x00\x18ftypheic",
    "webm": b"\x1aE\xdf\xa3\x01\x00\x00\x00webm",
    "mov": b"\x00\x00\x00\x08wide",
}
PARTS = st.binary(max_size=40) | st.sampled_from(
    [b"caBX", b"C2PA", b"jumb", b"jumd", b"uuid" + _C2PA_UUID, b"\xff\xeb\x00\x20JP", b"c2pa", b"\xff" * 8]
)


@pytest.mark.parametrize("name", MAGICS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS, max_size=12))
def test_rubbish_in_every_container(tmp_path: Path, name: str, parts: list[bytes]) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(MAGICS[name] + b"".join(parts))
    try:
        found = verify(path)
    except LikenessError as error:
        assert error.hint
    else:
        assert found.credentials_state in ("none", "tampered")
        assert all(line.isprintable() for line in found.summary())


def huge(path: Path, kind: str) -> Path:
    """A file that says, with a hole in it, that it carries gigabytes of credentials."""
    head = {
        "png": one_pixel().getvalue()[:33] + struct.pack(">I", 3 << 29) + b"caBX",
        "wav": b"RIFF" + struct.pack("<I", 3 << 29) + b"WAVE" + b"C2PA" + struct.pack("<I", 3 << 29),
        "mp4": struct.pack(">I", 16)
        + b"ftypmp42"
        + bytes(4)
        + struct.pack(">I4sQ", 1, b"uuid", 3 << 29)
        + _C2PA_UUID,
    }[kind]
    with path.open("wb") as file:
        file.write(head)
        file.truncate(2 << 30)
    return path


@pytest.mark.parametrize("kind", ["png", "wav", "mp4"])
def test_gigabytes_of_credentials_are_not_taken_into_memory(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.verification.hash_file", lambda _: "")  # 2 GB of holes take a while
    with pytest.raises(TooLarge, match="1536 MB") as raised:
        verify(huge(tmp_path / "huge", kind))
    assert raised.value.exit_code == 3


def test_nor_from_an_ingredient(tmp_path: Path, making: MakeMaking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.disclosure.credentials.ingredients.hash_file", lambda _: "0" * 64)
    made = making(ingredients=(Ingredient(huge(tmp_path / "huge.png", "png"), "source"),))
    credentials = Credentials(made, identity.load_or_create(), label_text=None, layers=("credentials",))
    assert any("1536 MB" in note for note in credentials.notes)


def test_sizes_are_measured(folder: Path, making: MakeMaking) -> None:
    seal_image(moving_picture(0), folder / "a.png", making())
    with SealedVideo(folder / "a.mp4", making(), width=96, height=80, rate=RATE) as video:
        video.write(moving_picture(0))
    for name, kind in (("a.png", "image/png"), ("a.mp4", "video/mp4")):
        with (folder / name).open("rb") as file:
            assert 5_000 < stored_bytes(file, kind) < (folder / name).stat().st_size
            assert file.tell() == 0


@given(st.sampled_from(["image/png", "audio/wav", "video/mp4", "image/jpeg"]), st.binary(max_size=200))
def test_any_bytes_can_be_measured(kind: str, data: bytes) -> None:
    assert 0 <= stored_bytes(io.BytesIO(data), kind) <= len(data)


def test_statements_without_end_are_shortened(tmp_path: Path, making: MakeMaking) -> None:
    many: dict[str, Any] = {f"setting {number}": "x" * 50 for number in range(8000)}
    seal_image(moving_picture(0), tmp_path / "a.png", making(parameters=many))
    found = verify(tmp_path / "a.png")
    assert found.state == "valid"
    assert len(found.manifest_json) > 400_000
    assert max(len(line) for line in found.summary()) < 400


SOUNDS = {"wav": ("wav", "pcm_s16le"), "mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac")}


@pytest.mark.parametrize(
    ("name", "kind"), [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("flac", "audio/flac")]
)
def test_sounds_carry_credentials(tmp_path: Path, making: MakeMaking, name: str, kind: str) -> None:
    """c2pa signs and reads them; likeness itself writes no sound files yet."""
    import av

    source = tmp_path / f"plain.{name}"
    container, codec = SOUNDS[name]
    with av.open(str(source), "w", format=container) as output:
        stream = output.add_stream(codec, rate=16000, layout="mono")
        planar = stream.codec_context.format.name.endswith("p")
        tone = (np.sin(np.arange(16000) / 5) * 9000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16p" if planar else "s16", layout="mono")
        frame.sample_rate = 16000
        for piece in (frame, None):
            output.mux(stream.encode(piece))
    assert verify(source).credentials_state == "none"
    credentials = Credentials(making(), identity.load_or_create(), label_text=None, layers=("credentials",))
    signed = tmp_path / f"signed.{name}"
    with source.open("rb") as plain, signed.open("w+b") as target:
        credentials.sign(plain, target, kind, title=signed.name)
    found = verify(signed)
    assert (found.state, found.own, found.sha256) == ("valid", True, hash_file(signed))
    data = bytearray(signed.read_bytes())
    data[-600 if name != "wav" else 2000] ^= 0x10
    signed.write_bytes(data)
    assert verify(signed).credentials_state == "tampered"


def countless(tmp_path: Path) -> Path:
    """An MP4 of a million empty boxes, for which c2pa would take hours."""
    path = tmp_path / "boxes.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + struct.pack(">I4s", 8, b"free") * 1_000_000)
    return path


def test_countless_parts_are_not_given_to_c2pa(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="more than 50,000 parts"):
        verify(countless(tmp_path))


def test_countless_parts_of_an_ingredient_are_not_given_to_c2pa(tmp_path: Path, making: MakeMaking) -> None:
    driver = Ingredient(countless(tmp_path), "driver")
    source = making().ingredients[0]
    sealed = seal_image(moving_picture(0), tmp_path / "out.png", making(ingredients=(source, driver)))
    assert any("more than 50,000 parts" in note for note in sealed.notes)
    assert verify(sealed.path).state == "valid"


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0"])
def test_the_bare_beginning_of_a_jpeg_has_no_credentials_that_fail(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "cut.jpg").write_bytes(start)
    with pytest.raises(Unreadable):
        verify(tmp_path / "cut.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(MediaNotFound, match="ordinary file"):
        verify(tmp_path / "pipe.mp4")
