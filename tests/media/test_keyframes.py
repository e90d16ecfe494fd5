from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from likeness.errors import MediaNotFound, NoVideo
from likeness.media.keyframes import read_keyframes


def write_greys(path: Path, count: int, every: int) -> Path:
    """Frame n is grey of level 2 n, every `every`-th a key frame."""
    with av.open(str(path), "w") as output:
        options = {"g": str(every), "keyint_min": str(every), "sc_threshold": "0", "crf": "10"}
        stream = output.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(count):
            image = np.full((48, 64, 3), 2 * index, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(stream.encode(None))
    return path


def test_key_frames_and_no_others(tmp_path: Path) -> None:
    path = write_greys(tmp_path / "clip.mp4", 100, 20)
    levels = [image.mean() for image in read_keyframes(path)]
    assert np.allclose(levels, [0, 40, 80, 120, 160], atol=4)


def test_at_most_so_many_spread_over_the_whole_length(tmp_path: Path) -> None:
    path = write_greys(tmp_path / "clip.mp4", 120, 5)
    levels = np.array([image.mean() for image in read_keyframes(path, most=4)])
    assert len(levels) == 4
    assert np.all(np.diff(levels) > 5)
    assert levels[-1] > 150
    assert np.allclose(levels, np.round(levels / 10) * 10, atol=2)


def test_they_are_upright(tmp_path: Path) -> None:
    """A turn is a matter of the container: 90 degrees here."""
    source = write_greys(tmp_path / "clip.mp4", 20, 10)
    turned = tmp_path / "turned.mp4"
    with av.open(str(source)) as container, av.open(str(turned), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    data = bytearray(turned.read_bytes())
    track = data.index(b"tkhd")
    matrix = track + 4 + 4 + 20 + 16
    turn = (0, 0x10000, 0, -0x10000 & 0xFFFFFFFF, 0, 0, 48 << 16, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(number.to_bytes(4, "big") for number in turn)
    turned.write_bytes(data)
    assert {image.shape for image in read_keyframes(turned)} == {(64, 48, 3)}


def test_a_cut_off_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    write_greys(path, 100, 10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    levels = [image.mean() for image in read_keyframes(path)]
    assert 3 <= len(levels) <= 7
    assert levels == sorted(levels)


def test_what_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        list(read_keyframes(tmp_path / "none.mp4"))
    with av.open(str(tmp_path / "tone.wav"), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = 8000, Fraction(1, 8000), 0
        output.mux(stream.encode(frame))
    with pytest.raises(NoVideo):
        list(read_keyframes(tmp_path / "tone.wav"))
