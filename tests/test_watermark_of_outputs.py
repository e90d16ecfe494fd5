"""The watermark of what is sealed, found by `verify` in the output and in what others made of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness import models
from likeness.disclosure.credentials.store import new_manifest_id
from likeness.disclosure.seal import Sealed, SealedVideo, seal_image
from likeness.disclosure.watermark import find as find_mark
from likeness.disclosure.watermark.audio import AudioMark, find_in_sound
from likeness.disclosure.watermark.code import Payload
from likeness.disclosure.watermark.find import find_inside
from likeness.disclosure.watermark.imprint import act_of, id_of, payload_for, soft_binding, stated_payload
from likeness.errors import SealFailed
from likeness.media.audio import AudioReader, AudioSource
from likeness.media.image import read_image
from likeness.types import Floats, Ingredient, Making, Picture, Rights
from likeness.verification import verify

RATE = Fraction(25)
MAKING = Making("animate", "mesh", "1", ())


@pytest.fixture(scope="module")
def photo() -> Picture:
    """Grace Hopper, 512 × 600 px."""
    return read_image(models.fetch("grace-hopper")).image


def panned(photo: Picture, index: int, width: int = 320, height: int = 400) -> Picture:
    return np.ascontiguousarray(photo[2 * index : 2 * index + height, 3 * index : 3 * index + width])


def film(photo: Picture, out: Path, frames: int = 25, making: Making = MAKING) -> Sealed:
    """With a camera that moves all the time, which is hard on the watermark."""
    with SealedVideo(out, making, width=320, height=400, rate=RATE) as video:
        for index in range(frames):
            video.write(panned(photo, index))
    return video.sealed


def noisy_voice(rate_hz: int, length_s: int) -> Floats:
    """Noise whose loudness changes as that of speech does, (1, n) float32."""
    random = np.random.default_rng(5)
    loudness = np.repeat(random.uniform(0.05, 1, 10 * length_s), rate_hz // 10)
    return (random.standard_normal((1, len(loudness))) * loudness * 0.1).astype(np.float32)


def write_wav(path: Path, sound: Floats, rate_hz: int) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def encoded_again(path: Path, out: Path, *, crf: int, scale: float = 1.0) -> Path:
    """What an upload leaves: other bytes, no credentials."""
    with av.open(str(path)) as container, av.open(str(out), "w") as output:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        stream = output.add_stream("libx264", rate=25, options={"crf": str(crf)})
        height, width = (round(side * scale) // 2 * 2 for side in frames[0].shape[:2])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(small, "rgb24")))
        output.mux(stream.encode(None))
    return out


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif", "clip"])
def test_every_format_carries_it(photo: Picture, tmp_path: Path, name: str) -> None:
    sealed = film(photo, tmp_path / name)
    path = sorted(sealed.path.iterdir())[7] if sealed.path.is_dir() else sealed.path
    found = verify(path)
    assert (found.state, found.watermark.found, found.watermark.where) == ("valid", True, "picture")
    assert found.watermark.payload == found.watermark.stated == payload_for("animate", sealed.manifest_id)
    assert found.watermark.act == "animate"
    assert found.watermark.confidence is not None
    assert 0.58 < found.watermark.confidence <= 1
    assert sealed.manifest_id.startswith(f"urn:c2pa:{found.watermark.manifest}")
    assert any("same watermark, as they should" in reason for reason in found.reasons)


@pytest.mark.parametrize("name", ["still.png", "still.jpg"])
def test_stills_carry_it(photo: Picture, tmp_path: Path, name: str) -> None:
    sealed = seal_image(photo, tmp_path / name, MAKING)
    found = verify(tmp_path / name).watermark
    assert found.payload == found.stated == payload_for("animate", sealed.manifest_id)


def test_without_a_label_it_is_there_too(photo: Picture, tmp_path: Path) -> None:
    making = Making("animate", "mesh", "1", (), rights=Rights("self", "mine"), label="none")
    sealed = seal_image(photo, tmp_path / "still.png", making)
    assert sealed.layers == ("watermark", "credentials")
    assert verify(tmp_path / "still.png").watermark.found


def test_what_lost_its_credentials_is_recognised(photo: Picture, tmp_path: Path) -> None:
    sealed = film(photo, tmp_path / "clip.mp4")
    found = verify(encoded_again(tmp_path / "clip.mp4", tmp_path / "posted.mp4", crf=28))
    assert (found.state, found.credentials_state, found.watermark.stated) == ("absent", "none", None)
    assert found.watermark.payload == payload_for("animate", sealed.manifest_id)
    assert "watermark of likeness found" in found.answer
    said = " ".join(found.summary())
    assert sealed.manifest_id.removeprefix("urn:c2pa:")[:6] in said
    assert "gone" in said
    assert "no signature" in said
    assert "most files have none" not in said
    assert "belongs beside it" not in said, "an MP4 holds its credentials itself"
    written = found.to_json()["watermark"]
    assert written["found"] is True
    assert written["payload"] == found.watermark.payload


def test_a_file_without_its_sidecar_is_asked_for_it(photo: Picture, tmp_path: Path) -> None:
    sealed = film(photo, tmp_path / "clip.webm")
    assert sealed.sidecar is not None
    sealed.sidecar.unlink()
    assert "'clip.webm.c2pa'" in " ".join(verify(sealed.path).summary())


def test_a_changed_file_is_not_vouched_for_by_its_watermark(photo: Picture, tmp_path: Path) -> None:
    sealed = seal_image(photo, tmp_path / "still.png", MAKING)
    data = bytearray(sealed.path.read_bytes())
    at = data.index(b"IEND") - 4
    data[at:at] = b"\0\0\0\x05tEXta\0bcd" + zlib.crc32(b"tEXta\0bcd").to_bytes(4, "big")
    sealed.path.write_bytes(data)
    found = verify(sealed.path)
    assert found.state == "invalid"
    assert found.watermark.payload == found.watermark.stated
    said = " ".join(found.summary())
    assert "probably began as" in said
    assert "as they should" not in said
    assert "cannot be relied on" in said


def test_an_unmarked_picture_has_none(photo: Picture, tmp_path: Path) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    found = verify(tmp_path / "photo.png")
    assert (found.watermark.found, found.watermark.payload, found.watermark.confidence) == (False, None, 0.0)
    assert found.answer == "no Content Credentials found"
    assert "No watermark of likeness was found." in found.reasons


def test_a_work_made_from_a_work_carries_its_own(photo: Picture, tmp_path: Path) -> None:
    """The older mark lies under the new one."""
    first = seal_image(photo, tmp_path / "first.png", MAKING)
    source = Ingredient(first.path, "source")
    second = seal_image(
        read_image(first.path).image,
        tmp_path / "second.png",
        Making("swap", "autoencoder", "1", (source,)),
    )
    found = verify(second.path).watermark
    assert found.payload == found.stated == payload_for("swap", second.manifest_id)
    assert found.act == "swap"
    assert any("carried credentials of its own" in line for line in verify(second.path).summary())


def test_a_picture_from_another_work_is_told_apart(photo: Picture, tmp_path: Path) -> None:
    """Credentials moved beside another video, as sidecars can be: they do not hold; the mark says whose."""
    one, other = film(photo, tmp_path / "one.webm"), film(photo, tmp_path / "other.webm")
    assert one.sidecar is not None
    assert other.sidecar is not None
    other.sidecar.replace(one.sidecar)
    found = verify(one.path)
    assert found.state == "invalid"
    assert found.watermark.payload == payload_for("animate", one.manifest_id)
    assert found.watermark.stated == payload_for("animate", other.manifest_id)
    assert any("another watermark" in reason for reason in found.reasons)


def test_only_pieces_of_a_long_video_are_searched(
    photo: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked is only its end."""
    with SealedVideo(tmp_path / "end.mp4", MAKING, width=320, height=400, rate=RATE) as video:
        for _ in range(25):
            video.write(panned(photo, 0))
    monkeypatch.setattr(find_mark, "_PIECE_S", 1)
    monkeypatch.setattr(find_mark, "_MOST_PIECES", 3)
    with av.open(str(tmp_path / "end.mp4")) as container, av.open(str(tmp_path / "all.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 320, 400, "yuv420p"
        marked = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        for image in [panned(photo, index % 30) for index in range(100)] + marked:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(stream.encode(None))
    found = verify(tmp_path / "all.mp4").watermark
    assert found.payload == payload_for("animate", video.sealed.manifest_id)
    assert found.at_s == pytest.approx(4, abs=0.1)


def between_bars(image: Picture, width: int, height: int) -> Picture:
    """As an upright video is shown on a wide screen."""
    screen = np.zeros((height, width, 3), np.uint8)
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    screen[top : top + image.shape[0], left : left + image.shape[1]] = image
    return screen


def test_between_black_bars(photo: Picture, tmp_path: Path) -> None:
    sealed = seal_image(photo, tmp_path / "still.png", MAKING)
    marked = between_bars(read_image(sealed.path).image, 1280, 720)
    Image.fromarray(marked).save(tmp_path / "screen.jpg", quality=80)
    with av.open(str(tmp_path / "screen.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "28"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(marked, "rgb24")))
        output.mux(stream.encode(None))
    for name in ("screen.jpg", "screen.mp4"):
        found = verify(tmp_path / name)
        assert found.watermark.payload == payload_for("animate", sealed.manifest_id), name
        assert found.watermark.where == "picture"


def test_what_lies_within_a_border(photo: Picture) -> None:
    assert find_inside(between_bars(photo, 1280, 720)) == (slice(60, 660), slice(384, 896))
    assert find_inside(photo) is None
    assert find_inside(np.zeros((200, 300, 3), np.uint8)) is None
    assert find_inside(None) is None
    tiny = np.zeros((200, 300, 3), np.uint8)
    tiny[90:110, 90:110] = photo[:20, :20]
    assert find_inside(tiny) is None, "nothing there could be marked"


def test_marked_sound_is_recognised(tmp_path: Path) -> None:
    """Under a picture too, whose own lack of a mark does not matter."""
    rate_hz = 16000
    sound = noisy_voice(rate_hz, 12)
    payload = payload_for("voice", new_manifest_id())
    mark = AudioMark(rate_hz, 1, payload)
    marked = np.concatenate([mark.process(sound), mark.flush()], axis=1)
    for name, codec in (("voice.wav", "pcm_s16le"), ("film.mp4", "aac")):
        with av.open(str(tmp_path / name), "w") as output:
            stream = output.add_stream(codec, rate=rate_hz, layout="mono")
            if codec == "aac":
                video = output.add_stream("libx264", rate=5)
                video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
                for _ in range(60):
                    blank = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
                    output.mux(video.encode(blank))
                output.mux(video.encode(None))
            frame = av.AudioFrame.from_ndarray((marked * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        found = verify(tmp_path / name).watermark
        assert (found.payload, found.where, found.act) == (payload, "sound", "voice")


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_synthetic_sound_of_a_video_is_marked_and_genuine_sound_is_not(tmp_path: Path, name: str) -> None:
    rate_hz = 16000
    write_wav(tmp_path / "voice.wav", noisy_voice(rate_hz, 12), rate_hz)
    source = AudioSource(tmp_path / "voice.wav")
    picture = np.full((64, 64, 3), 128, np.uint8)
    payloads, layers = [], []
    for mark_sound in (True, False):
        with SealedVideo(
            tmp_path / name,
            MAKING,
            width=64,
            height=64,
            rate=Fraction(5),
            audio=source,
            mark_sound=mark_sound,
            overwrite=True,
        ) as video:
            for _ in range(60):
                video.write(picture)
        with AudioReader(tmp_path / name) as reader:
            found = find_in_sound(np.concatenate(list(reader), axis=1), reader.rate_hz)
        payloads.append(found.payload if found else None)
        layers.append(video.sealed.layers)
        if mark_sound:
            assert payloads == [payload_for("animate", video.sealed.manifest_id)]
    assert payloads[1] is None
    assert layers == [
        ("label", "watermark", "sound watermark", "credentials"),
        ("label", "watermark", "credentials"),
    ]


@pytest.mark.parametrize("size", [(63, 400), (400, 63)])
def test_what_is_too_small_is_not_written(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(SealFailed):
        SealedVideo(tmp_path / "small.mp4", MAKING, width=size[0], height=size[1], rate=RATE)
    with pytest.raises(SealFailed):
        seal_image(np.zeros((size[1], size[0], 3), np.uint8), tmp_path / "small.png", MAKING)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_watermark_leaves_nothing(
    photo: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SealFailed("The watermark failed.", "Try again.")

    monkeypatch.setattr("likeness.disclosure.watermark.picture.PictureMark.add", fail)
    for name in ("clip.mp4", "clip"):
        with pytest.raises(SealFailed, match="watermark"):
            film(photo, tmp_path / name)
    with pytest.raises(SealFailed, match="watermark"):
        seal_image(photo, tmp_path / "still.png", MAKING)
    assert list(tmp_path.iterdir()) == []


# The payload


@given(st.sampled_from(["animate", "swap", "voice", "protect", "compare", "anything else"]), st.uuids())
def test_a_payload_points_to_its_manifest(act: str, name: object) -> None:
    payload = payload_for(act, f"urn:c2pa:{name}")
    assert id_of(payload) == str(name)[:6]
    assert act_of(payload) == ("other" if act == "anything else" else act)
    assert stated_payload(
        {"assertions": [{"label": "c2pa.soft-binding", "data": soft_binding(payload)}]}
    ) == (payload)


def test_acts_of_later_versions_are_other() -> None:
    assert act_of(Payload(1, 15, 0).pack()) == "other"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["", "AAAA", "AAAAAA==", "%%%", "é"]))
def test_a_strangers_statement_is_read_without_an_error(value: object, text: str) -> None:
    data = {"alg": "org.likeness.watermark.1", "blocks": [{"value": text}]}
    for stated in (value, data, {**data, "blocks": value}):
        for assertions in (stated, [stated], [{"label": "c2pa.soft-binding", "data": stated}]):
            payload = stated_payload({"assertions": assertions})
            assert payload is None or (json.dumps(payload) == "0" and text == "AAAAAA==")


# The command


def test_verify_has_an_exit_code_for_it(
    photo: Picture, tmp_path: Path, run_likeness: Callable[..., int]
) -> None:
    seal_image(photo, tmp_path / "sealed.png", MAKING)
    Image.open(tmp_path / "sealed.png").save(tmp_path / "posted.jpg", quality=80)
    Image.fromarray(photo).save(tmp_path / "bare.png")
    names = [tmp_path / name for name in ("sealed.png", "posted.jpg", "bare.png")]
    assert [run_likeness("verify", name) for name in names] == [0, 12, 11]
    assert run_likeness("verify", *names) == 12


@pytest.fixture
def run_likeness() -> Callable[..., int]:
    from likeness.cli.main import run

    return lambda *words: run([str(word) for word in words])
