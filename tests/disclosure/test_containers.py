from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from likeness.disclosure.credentials.containers import EMBEDDABLE, UNKNOWN, is_text, sniff
from likeness.disclosure.sinks import KINDS
from likeness.verification import verify


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
    ],
)
def test_pictures(name: str, kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    assert sniff(file.getvalue()) == kind


@pytest.mark.parametrize(
    ("container", "codec", "kind"),
    [
        ("mp4", "mpeg4", "video/mp4"),
        ("mov", "mpeg4", "video/quicktime"),
        ("webm", "libvpx-vp9", "video/webm"),
        ("matroska", "mpeg4", "video/x-matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
        ("mpeg", "mpeg2video", "video/mpeg"),
        ("mpegts", "mpeg2video", "video/mp2t"),
        ("flv", "flv1", "video/x-flv"),
        ("asf", "mpeg4", "video/x-ms-asf"),
    ],
)
def test_videos(container: str, codec: str, kind: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
    assert sniff(file.getvalue()) == kind


@pytest.mark.parametrize(
    ("container", "codec", "kind"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("flac", "flac", "audio/flac"),
        ("ogg", "libopus", "audio/ogg"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("ipod", "aac", "audio/mp4"),
    ],
)
def test_sounds(container: str, codec: str, kind: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48000)
        layout = stream.codec_context.layout.name
        for _ in range(4):
            chunk = av.AudioFrame(format=stream.codec_context.format.name, layout=layout, samples=960)
            chunk.sample_rate = 48000
            for plane in chunk.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux(stream.encode(chunk))
        output.mux(stream.encode())
    assert sniff(file.getvalue()) == kind


@pytest.mark.parametrize("head", [b"", b"hello", bytes(range(256)), b"RIFF\x00\x00\x00\x00ABCD", b"\xff"])
def test_all_else_is_unknown(head: bytes) -> None:
    assert sniff(head) == UNKNOWN


def test_text_is_told_from_bytes() -> None:
    assert is_text("grüße, κόσμε\n".encode())
    assert is_text(("x" * 4095 + "é").encode()[:4096])  # cut in the middle of a letter
    assert not is_text(b"\x00\x01")
    assert not is_text(b"\xff\xfe\xfa")
    assert not is_text(b"")


def test_outputs_go_where_c2pa_can_follow() -> None:
    assert {name for name, kind in KINDS.items() if kind not in EMBEDDABLE} == {"webm"}


@pytest.mark.parametrize(
    ("head", "kind"), [(b"\xff\x0a", "image/x-jxl"), (b"\0\0\0\x08wide\0\0\0\x08mdat", "video/x-quicktime")]
)
def test_kinds_that_hold_no_credentials_are_not_taken_for_damaged(
    tmp_path: Path, head: bytes, kind: str
) -> None:
    """Bare JPEG XL, and QuickTime from before `ftyp`: c2pa would call them damaged."""
    path = tmp_path / "old"
    path.write_bytes(head + bytes(200))
    assert sniff(path.read_bytes()) == kind
    assert verify(path).credentials_state == "none"
