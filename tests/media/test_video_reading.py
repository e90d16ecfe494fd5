from __future__ import annotations

import itertools
import math
import re
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likeness.errors import (
    MediaError,
    MediaNotFound,
    NoFrames,
    NoVideo,
    TooLarge,
    Unreadable,
    Unsupported,
    UsageError,
)
from likeness.media import AudioReader, VideoReader, probe

NTSC = Fraction(30000, 1001)


def numbers(clips: Any, path: Path, **part: Any) -> list[int]:
    with VideoReader(path, **part) as video:
        return [clips.number_of(frame.image) for frame in video]


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.mp4", "libx264", NTSC),
        ("a.mov", "libx264", Fraction(24000, 1001)),
        ("a.mkv", "libx264", NTSC),
        ("a.webm", "libvpx-vp9", Fraction(24000, 1001)),
        ("a.avi", "mpeg4", NTSC),
        ("a.mpg", "mpeg2video", NTSC),
        ("a.ts", "libx264", Fraction(60000, 1001)),
        ("a.mp4", "libx264", Fraction(120)),
        ("a.mp4", "libx264", Fraction(15)),
        ("a.mp4", "libx264", Fraction(7, 2)),
    ],
)
def test_exact_rate_and_every_frame(clips: Any, name: str, codec: str, rate: Fraction) -> None:
    path = clips.make(name, 50, rate=rate, codec=codec)
    with VideoReader(path) as video:
        frames = list(video)
    assert video.info.rate == rate
    assert not video.info.variable_rate
    assert [clips.number_of(frame.image) for frame in frames] == list(range(50))
    assert [frame.index for frame in frames] == list(range(50))
    assert frames[-1].time_s == 49 / rate
    assert video.frames_expected in (50, None)
    assert not video.damaged
    assert video.info.duration_s == pytest.approx(float(50 / rate), abs=float(1 / rate))


def test_pictures_are_what_types_promises(clips: Any) -> None:
    with VideoReader(clips.make("a.mp4", [clips.picture(5, (62, 50))] * 3)) as video:
        image = next(iter(video)).image
    assert (video.info.width, video.info.height) == (62, 50)
    assert (image.shape, image.dtype) == ((50, 62, 3), np.uint8)
    assert image.flags.c_contiguous


def test_odd_size(clips: Any) -> None:
    path = clips.make("a.mkv", [clips.picture(5, (61, 45))] * 3, codec="ffv1", pix_fmt="yuv420p")
    with VideoReader(path) as video:
        image = next(iter(video)).image
    assert image.shape == (45, 61, 3)
    assert clips.number_of(image) == 5


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_variable_rate_shows_the_latest_frame(clips: Any, name: str) -> None:
    """A frame each 33 ms, with holes and a run of quick ones, against a search by hand."""
    pts_ms = [
        0,
        33,
        67,
        200,
        233,
        267,
        300,
        310,
        320,
        400,
        500,
        600,
        633,
        667,
        700,
        733,
        767,
        800,
        1000,
        1033,
    ]
    path = clips.make(name, len(pts_ms), rate=30, pts=pts_ms, time_base=Fraction(1, 1000))
    with VideoReader(path) as video:
        seen = [(frame.time_s, clips.number_of(frame.image)) for frame in video]
    assert video.info.variable_rate
    assert video.info.rate == 30
    for time_s, number in seen:
        expected = max(n for n, pts in enumerate(pts_ms) if pts <= time_s * 1000 + 1)
        assert number == expected, f"at {float(time_s):.3f} s"
    assert len(seen) == pytest.approx(32, abs=1)


def test_variable_rate_is_capped_but_a_constant_one_is_not(clips: Any) -> None:
    uneven = list(itertools.accumulate([0, 5, 9, 5, 11, 5, 20, 5, 9, 40, 5, 5, 13, 5, 5]))
    path = clips.make("a.mkv", len(uneven), rate=100, pts=uneven, time_base=Fraction(1, 1000))
    assert probe(path).variable_rate
    assert probe(path).rate == 60
    assert probe(clips.make("a.mp4", 30, rate=240)).rate == 240


@pytest.mark.parametrize(
    ("delays_ms", "rate", "order"),
    [
        ([40] * 6, Fraction(25), [0, 1, 2, 3, 4, 5]),
        ([80, 90, 80, 80, 90, 80, 80, 90], Fraction(12), [0, 1, 2, 3, 4, 5, 6, 7]),
        ([100, 100, 300, 100], Fraction(10), [0, 1, 2, 2, 2, 3]),
    ],
)
def test_gif_delays(clips: Any, delays_ms: list[int], rate: Fraction, order: list[int]) -> None:
    path = clips.path("a.gif")
    first, *others = (Image.fromarray(clips.picture(n)) for n in range(len(delays_ms)))
    first.save(path, save_all=True, append_images=others, duration=delays_ms, loop=0)
    assert probe(path).rate == rate
    assert numbers(clips, path) == order


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("hflip", [False, True])
def test_display_matrix(clips: Any, rotation: int, hflip: bool) -> None:
    """Written turned back, it is shown upright."""
    upright = clips.picture(0b10110)
    stored = np.rot90(np.fliplr(upright) if hflip else upright, -rotation // 90)
    path = clips.make("a.mp4", [stored] * 3, rotation=rotation, hflip=hflip)
    with VideoReader(path) as video:
        image = next(iter(video)).image
    assert (video.info.width, video.info.height) == (64, 48)
    assert video.info.rotation == rotation % 360
    assert np.abs(image.astype(int) - upright).mean() < 6


def test_pixels_become_square(clips: Any) -> None:
    path = clips.make("a.mp4", [clips.picture(0b1011, (48, 48))] * 3, aspect=Fraction(4, 3))
    with VideoReader(path) as video:
        image = next(iter(video)).image
    assert image.shape == (48, 64, 3)
    assert clips.number_of(image) == 0b1011


COLOURS = [(200, 30, 60), (20, 160, 220), (250, 240, 230), (12, 20, 16), (90, 200, 40)]


@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709])
@pytest.mark.parametrize("scope", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv422p10le"])
def test_colour_follows_the_tags(clips: Any, matrix: Colorspace, scope: ColorRange, pix_fmt: str) -> None:
    flat = [np.full((48, 64, 3), colour, np.uint8) for colour in COLOURS]
    path = clips.make("a.mp4", flat, pix_fmt=pix_fmt, colour=(matrix, scope), options={"crf": "1"})
    with VideoReader(path) as video:
        seen = [frame.image[20:28, 20:28].mean((0, 1)) for frame in video]
    np.testing.assert_allclose(seen, COLOURS, atol=4)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "ITU709"), ((640, 480), "ITU601")])
def test_colour_without_tags_goes_by_size(clips: Any, size: tuple[int, int], matrix: str) -> None:
    flat = [np.full((size[1], size[0], 3), COLOURS[0], np.uint8)]
    path = clips.make("a.mp4", flat, colour=(Colorspace[matrix], ColorRange.MPEG), is_tagged=False)
    with VideoReader(path) as video:
        seen = next(iter(video)).image[20:28, 20:28].mean((0, 1))
    np.testing.assert_allclose(seen, COLOURS[0], atol=4)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("a.mkv", "ffv1", "gray"), ("a.mkv", "ffv1", "bgra"), ("a.avi", "mjpeg", "yuvj420p")],
)
def test_other_pixel_formats(clips: Any, name: str, codec: str, pix_fmt: str) -> None:
    assert numbers(clips, clips.make(name, 5, codec=codec, pix_fmt=pix_fmt, is_tagged=False)) == list(
        range(5)
    )


@pytest.fixture(scope="module")
def long_clip(clips: Any) -> Path:
    """20 s with few key frames, long enough for seeking."""
    return clips.make("long.mp4", 200, rate=10, options={"g": "37", "bf": "3"})


@settings(max_examples=12, deadline=None)
@given(cut_s=st.fractions(Fraction(1, 10), Fraction(199, 10), max_denominator=30))
def test_two_parts_make_the_whole(clips: Any, long_clip: Path, cut_s: Fraction) -> None:
    before, after = VideoReader(long_clip, end_s=cut_s), VideoReader(long_clip, start_s=cut_s)
    with before, after:
        first, second = list(before), list(after)
    assert [clips.number_of(frame.image) for frame in first + second] == list(range(200))
    assert (before.frames_expected, after.frames_expected) == (len(first), len(second))
    assert second[0].index == 0
    assert after.start_s == Fraction(len(first), 10)
    assert cut_s <= after.start_s < cut_s + Fraction(1, 10)


def test_part_of_a_variable_rate(clips: Any) -> None:
    """A part that begins while a picture is held begins with that picture."""
    pts_ms = [0, 100, 200, 1200, 1300, 1400, 2600, 2700]
    path = clips.make("a.mkv", 8, rate=10, pts=pts_ms, time_base=Fraction(1, 1000))
    assert numbers(clips, path, start_s=0.5, end_s=1.4) == [2] * 7 + [3, 4]


def test_a_video_may_begin_late(clips: Any) -> None:
    """Times count from the first frame, whatever the clock of the file says."""
    path = clips.make("a.ts", 40, rate=10, start_s=5)
    assert numbers(clips, path) == list(range(40))
    assert numbers(clips, path, start_s=1, end_s=2) == list(range(10, 20))


@pytest.mark.parametrize(("start_s", "end_s"), [(2, 1), (1, 1), (-1, None)])
def test_impossible_range(clips: Any, start_s: float, end_s: float | None) -> None:
    with pytest.raises(UsageError):
        VideoReader(clips.make("a.mp4"), start_s, end_s)


def test_range_beyond_the_end(clips: Any) -> None:
    with VideoReader(clips.make("a.mp4", 10), start_s=50) as video, pytest.raises(NoFrames, match="between"):
        list(video)
    assert video.frames_expected == 0


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_one_frame(clips: Any, name: str) -> None:
    codec = {"a.mp4": ("libx264", "yuv420p"), "a.gif": ("gif", "rgb8")}[name]
    path = clips.make(name, 1, codec=codec[0], pix_fmt=codec[1], is_tagged=False)
    assert numbers(clips, path) == [0]
    assert 1 <= probe(path).rate <= 60


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_a_still_is_a_video_of_one_frame(clips: Any, suffix: str) -> None:
    path = clips.path(f"still.{suffix}")
    Image.fromarray(clips.picture(77)).save(path)
    assert numbers(clips, path) == [77]


def noisy(clips: Any, count: int) -> list[np.ndarray]:
    """Numbered pictures that do not compress well, so that every part of a file holds some of them."""
    rng = np.random.default_rng(1)
    return [
        np.maximum(clips.picture(n, (128, 96)), rng.integers(0, 40, (96, 128, 3), np.uint8))
        for n in range(count)
    ]


def cut_off(clips: Any, whole: Path, share: float) -> Path:
    """As much of a file as a download that broke off would leave."""
    cut: Path = clips.path(whole.name)
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    return cut


def test_an_mp4_that_breaks_off_is_refused(clips: Any) -> None:
    """Its index at the front says what is missing; with the index at the end it cannot be opened at all."""
    for layout in ({"movflags": "faststart"}, {}):
        whole = clips.make("a.mp4", noisy(clips, 60), options={"g": "12"}, container_options=layout)
        with VideoReader(whole) as video:
            assert sum(1 for _ in video) == 60
        for share in (0.25, 0.67, *([0.999] if layout else [])):
            with pytest.raises(Unreadable, match=r"a\.mp4 .*cut off") as caught:
                VideoReader(cut_off(clips, whole, share)).check_whole()
            if layout:
                assert "of 2.4 s are there" in caught.value.what
                assert "again, or use only what lies before" in caught.value.hint
    at_front = clips.make("a.mp4", noisy(clips, 60), container_options={"movflags": "faststart"})
    with pytest.raises(Unreadable, match=r"cut off: 0\.0 of 2\.4 s") as caught:
        VideoReader(cut_off(clips, at_front, 0.06))
    assert caught.value.hint == "Copy or download it again."


@pytest.mark.parametrize("start_s", [Fraction(0), 2])
def test_what_lies_before_the_cut_can_be_used(clips: Any, start_s: Fraction) -> None:
    """All of it up to the time that is named, and none of it counts as damaged."""
    layout = {"movflags": "faststart"}
    whole = clips.make(
        "a.mp4", noisy(clips, 60), options={"g": "12"}, start_s=start_s, container_options=layout
    )
    cut = cut_off(clips, whole, 0.67)
    with pytest.raises(Unreadable) as caught:
        VideoReader(cut, end_s=Fraction(24, 10)).check_whole()
    found = re.search(r"before (\S+) s", caught.value.hint)
    assert found
    end_s = Fraction(found[1])
    assert end_s > 1
    with VideoReader(cut, end_s=end_s) as video:
        video.check_whole()
        seen = [clips.number_of(frame.image) for frame in video]
    assert seen == list(range(math.ceil(end_s * 25)))
    assert not video.damaged


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.ts", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mp4", "libx264")],
)
def test_cut_off_in_the_middle(clips: Any, name: str, codec: str) -> None:
    """What came is shown, and the reader says that something is missing."""
    layout = {"movflags": "faststart"} if name == "a.mp4" else {}
    whole = clips.make(name, noisy(clips, 60), codec=codec, options={"g": "12"}, container_options=layout)
    with VideoReader(whole) as video:
        assert sum(1 for _ in video) == 60
    assert not video.damaged
    cut = cut_off(clips, whole, 0.67)
    with VideoReader(cut) as video:
        seen = [clips.number_of(frame.image) for frame in video]
    assert video.damaged
    assert 20 < len(seen) < 60
    assert seen == list(range(len(seen)))
    with VideoReader(cut, end_s=Fraction(1)) as video:
        assert sum(1 for _ in video) == 25
    assert not video.damaged


def test_damage_in_the_middle_is_bridged(clips: Any) -> None:
    """Frames up to the next key frame are lost: the last good one is held, and the rest stays in time."""
    path = clips.make(
        "a.mp4", noisy(clips, 60), options={"g": "10", "bf": "0"}, container_options={"movflags": "faststart"}
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)
    with VideoReader(path) as video:
        seen = [clips.number_of(frame.image) for frame in video]
    assert video.damaged
    assert len(seen) == 60
    assert seen[:10] == list(range(10))
    assert seen[50:] == list(range(50, 60))
    assert all(number <= place for place, number in enumerate(seen))


def test_bad_input(clips: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("This is no video.\n" * 100)
    (tmp_path / "notes.txt").write_text("This is no video.\n" * 100)
    whole = clips.make("a.mp4", 30)
    (tmp_path / "no_index.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{whole.as_posix()}\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "huge.y4m").write_bytes(b"YUV4MPEG2 W20000 H8000 F25:1 Ip A1:1 C420\nFRAME\n" + bytes(1000))
    Image.new("L", (9000, 9000)).save(tmp_path / "huge.png")
    sound = clips.make_sound("a.wav", clips.clicks(1, 8000, [0.5]), codec="pcm_s16le", rate_hz=8000)
    cases: list[tuple[Path, type[Exception]]] = [
        (tmp_path / "missing.mp4", MediaNotFound),
        (tmp_path, MediaNotFound),
        (tmp_path / "empty.mp4", Unreadable),
        (tmp_path / "text.mp4", Unreadable),
        (tmp_path / "notes.txt", Unsupported),
        (tmp_path / "no_index.mp4", Unreadable),
        (tmp_path / "list.m3u8", Unsupported),
        (tmp_path / "huge.y4m", TooLarge),
        (tmp_path / "huge.png", TooLarge),
        (sound, NoVideo),
        (clips.make("none.avi", 0), NoFrames),
    ]
    for path, expected in cases:
        with pytest.raises(expected) as caught:
            VideoReader(path)
        assert path.name in caught.value.what
        assert caught.value.hint.endswith(".")


def test_a_cover_is_no_video(clips: Any) -> None:
    """Sound files may carry a picture of their sleeve."""
    sound = clips.make_sound("a.mp3", clips.clicks(1, 44100, [0.5]), codec="libmp3lame", rate_hz=44100)
    still = clips.make("a.png", 1, codec="png", pix_fmt="rgb24", is_tagged=False)
    path = clips.path("sleeve.mp3")
    with av.open(str(sound)) as heard, av.open(str(still)) as seen, av.open(str(path), "w") as output:
        pairs = []
        for source in (heard.streams.audio[0], seen.streams.video[0]):
            pairs.append((source, output.add_stream_from_template(source, opaque=True)))
        pairs[1][1].disposition = Disposition.attached_pic
        for source, target in pairs:
            for packet in source.container.demux(source):
                if packet.size:
                    packet.stream = target
                    output.mux(packet)
    with pytest.raises(NoVideo):
        probe(path)
    with AudioReader(path) as samples:
        assert sum(block.shape[1] for block in samples) == pytest.approx(44100, abs=2000)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damage_never_escapes(clips: Any, whole_clips: list[Path], data: st.DataObject) -> None:
    """Whatever is broken in a file, there are frames and samples, or an error of ours."""
    source = data.draw(st.sampled_from(whole_clips))
    content = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = clips.path(source.name)
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    for reader in (VideoReader, AudioReader):
        try:
            with reader(path) as parts:
                count = sum(1 for _ in itertools.islice(parts, 500))
                assert count > 0 or reader is AudioReader
        except MediaError:
            continue


@pytest.fixture(scope="module")
def whole_clips(clips: Any) -> list[Path]:
    sound = clips.clicks(0.5, 44100, [0.2])
    return [
        clips.make("a.mp4", 10, sound=sound, container_options={"movflags": "faststart"}),
        clips.make("a.mkv", 10, sound=sound, sound_codec="pcm_s16le"),
        clips.make("a.mpg", 10, codec="mpeg2video", sound=sound, sound_codec="mp2"),
        clips.make("a.ts", 10, sound=sound),
        clips.make("a.avi", 10, codec="mpeg4", sound=sound, sound_codec="libmp3lame"),
        clips.make("a.gif", 10, codec="gif", pix_fmt="rgb8", is_tagged=False),
    ]


def test_a_name_is_only_a_name(clips: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that FFmpeg would take for an address or a pattern are read as files."""
    data = clips.make("a.mp4", 3).read_bytes()
    monkeypatch.chdir(tmp_path)
    names = ["-", "frame%03d.mp4"]
    if sys.platform != "win32":  # where names have no colon
        names.append("concat:x.mp4")
    for name in names:
        Path(name).write_bytes(data)
        assert numbers(clips, Path(name)) == [0, 1, 2]


def test_leaving_early_lets_go(clips: Any) -> None:
    threads = threading.active_count()
    with VideoReader(clips.make("a.mp4", 100)) as video:
        for frame in video:
            if frame.index == 3:
                break
    assert threading.active_count() == threads
    Path(video.info.path).unlink()


def test_real_media(shared: Path) -> None:
    found = {path.name: probe(path) for path in sorted((shared / "media" / "driving").iterdir())}
    assert {info.rate for name, info in found.items() if name.startswith("grid")} == {25}
    assert {info.rate for name, info in found.items() if name.endswith(".gif")} == {12}
    assert found["pyfeat__WolfgangLanger_Pexels.mp4"].rate == Fraction(24000, 1001)
    assert not any(info.variable_rate for info in found.values())
    with VideoReader(shared / "media" / "driving" / "grid__bbaf2n.mpg") as video:
        assert sum(1 for _ in video) == 75
