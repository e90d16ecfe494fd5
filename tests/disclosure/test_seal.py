from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.label import Label
from likeness.disclosure.seal import Sealed, SealedVideo, seal_image
from likeness.errors import (
    DiskFull,
    IdentityError,
    MediaNotFound,
    NoFrames,
    NotWritable,
    OutputExists,
    RightsMissing,
    SealFailed,
    Unsupported,
    UsageError,
)
from likeness.media.audio import AudioSource
from likeness.types import Ingredient, Making, Picture, Rights
from likeness.verification import verify

from .conftest import RATE, MakeMaking, moving_picture

FORMATS = ["clip.mp4", "clip.webm", "clip.gif", "clip"]


def write(out: Path, making: Making, *, frames: int = 4, **options: Any) -> Sealed:
    with SealedVideo(out, making, width=96, height=80, rate=RATE, **options) as video:
        for index in range(frames):
            video.write(moving_picture(index))
    return video.sealed


def psnr_db(one: Picture, other: Picture) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((one.astype(float) - other) ** 2), 1e-9)))


def files_of(out: Path) -> list[Path]:
    return sorted(out.iterdir()) if out.is_dir() else [out]


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(folder: Path, making: MakeMaking, name: str) -> None:
    sealed = write(folder / name, making(rights=Rights("self", "my own face")))
    assert sealed.path == folder / name
    assert sealed.layers == ("label", "watermark", "credentials")
    assert sealed.frames == 4
    expected = {name} | ({"clip.webm.c2pa"} if name == "clip.webm" else set())
    assert {path.name for path in folder.iterdir()} == expected
    for path in files_of(folder / name):
        found = verify(path)
        assert (found.state, found.own) == ("valid", True)
        assert found.act == "animate"
        assert found.engine == "likeness mesh 1.2.3"
        assert found.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
        assert found.label == "AI-generated"
        assert found.rights == "self (my own face)"
        assert found.training_mining == "notAllowed"
        assert [(one.title, one.role) for one in found.ingredients] == [
            ("portrait.png", "source"),
            ("driver.mpg", "driver"),
        ]
    assert verify(files_of(folder / name)[0]).manifest_id == sealed.manifest_id


def test_webm_says_where_its_credentials_are(folder: Path, making: MakeMaking) -> None:
    sealed = write(folder / "clip.webm", making())
    assert sealed.sidecar == folder / "clip.webm.c2pa"
    assert any("clip.webm.c2pa" in note for note in sealed.notes)
    assert verify(folder / "clip.webm").sidecar == sealed.sidecar
    assert write(folder / "clip.mp4", making()).sidecar is None


@pytest.mark.parametrize("name", ["still.png", "still.jpg", "still.JPEG"])
def test_stills(folder: Path, making: MakeMaking, name: str) -> None:
    sealed = seal_image(moving_picture(0), folder / name, making())
    found = verify(folder / name)
    assert (found.state, found.manifest_id, sealed.frames) == ("valid", sealed.manifest_id, 1)
    assert [path.name for path in folder.iterdir()] == [name]


def test_what_is_seen_is_the_frame_with_the_label(folder: Path, making: MakeMaking) -> None:
    write(folder / "clip", making(), face_box=(40.0, 40.0, 90.0, 79.0))
    expected = moving_picture(2)
    Label(96, 80, face_box=(40.0, 40.0, 90.0, 79.0)).draw(expected)
    shown = np.asarray(Image.open(folder / "clip" / "frame_000003.png"))
    assert psnr_db(shown, expected) > 42
    assert psnr_db(shown, moving_picture(2)) < 30


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif"])
def test_every_frame_of_a_video_is_labelled(folder: Path, making: MakeMaking, name: str) -> None:
    white = np.full((80, 96, 3), 255, np.uint8)
    with SealedVideo(folder / name, making(), width=96, height=80, rate=RATE) as video:
        for _ in range(5):
            video.write(white)
    left, top, right, bottom = Label(96, 80).box
    with av.open(str(folder / name)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(shown) == 5
    for frame in shown:
        assert np.median(frame[top + 2 : bottom - 2, left + 2 : right - 2]) < 130
        assert frame[: top - 4].min() > 240


def test_the_language_of_the_label_is_recorded(folder: Path, making: MakeMaking) -> None:
    write(folder / "clip.mp4", making(), language="de")
    assert verify(folder / "clip.mp4").label == "KI-generiert"


def test_sound_goes_with_it(folder: Path, making: MakeMaking, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=16000, layout="mono")
        tone = (np.sin(np.arange(8000) / 5) * 9000).astype(np.int16)[None]
        chunk = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        chunk.sample_rate = 16000
        output.mux(stream.encode(chunk))
        output.mux(stream.encode())
    write(folder / "clip.mp4", making(), frames=10, audio=AudioSource(sound))
    with av.open(str(folder / "clip.mp4")) as container:
        assert len(container.streams.audio) == 1
    assert verify(folder / "clip.mp4").state == "valid"


def test_the_callers_picture_stays_as_it_is(folder: Path, making: MakeMaking) -> None:
    picture = moving_picture(0)
    picture.flags.writeable = False
    with SealedVideo(folder / "a.mp4", making(), width=96, height=80, rate=RATE) as video:
        video.write(picture)
    seal_image(picture, folder / "b.png", making())
    assert np.array_equal(picture, moving_picture(0))


def test_a_reused_buffer_does_not_change_frames_written_before(folder: Path, making: MakeMaking) -> None:
    buffer = np.empty((80, 96, 3), np.uint8)
    with SealedVideo(folder / "clip", making(), width=96, height=80, rate=RATE) as video:
        for index in range(20):
            buffer[:] = index * 10
            video.write(buffer)
    tops = [np.asarray(Image.open(path))[0, 0, 0] for path in files_of(folder / "clip")]
    assert np.allclose(tops, range(0, 200, 10), atol=3)  # the watermark's share


# The label and rights


@pytest.mark.parametrize("name", ["clip.mp4", "still.png"])
def test_no_label_needs_rights_before_any_work(
    folder: Path, making: MakeMaking, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "fresh"))
    with pytest.raises(RightsMissing) as raised:
        if name == "still.png":
            seal_image(moving_picture(0), folder / name, making(label="none"))
        else:
            SealedVideo(folder / name, making(label="none"), width=96, height=80, rate=RATE)
    assert "--rights" in raised.value.hint
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "fresh").exists()


def test_with_rights_the_label_may_go_and_the_file_says_so(folder: Path, making: MakeMaking) -> None:
    sealed = write(folder / "clip", making(label="none", rights=Rights("public-domain", "1903")))
    assert sealed.layers == ("watermark", "credentials")
    shown = np.asarray(Image.open(folder / "clip" / "frame_000001.png"))
    assert psnr_db(shown, moving_picture(0)) > 42
    found = verify(folder / "clip" / "frame_000001.png")
    assert (found.label, found.rights) == ("none", "public-domain (1903)")


# Chains


@pytest.mark.parametrize("first", ["one.mp4", "one.webm", "one.gif"])
@pytest.mark.parametrize("second", ["two.mp4", "two.webm"])
def test_an_output_as_source_keeps_its_own_manifest(
    folder: Path, making: MakeMaking, first: str, second: str
) -> None:
    one = write(folder / first, making())
    two = write(folder / second, making(ingredients=(Ingredient(folder / first, "source"),)))
    found = verify(folder / second)
    manifests = json.loads(found.manifest_json)["manifests"]
    assert found.state == "valid"
    assert two.manifest_id in manifests
    assert one.manifest_id in manifests
    assert found.ingredients[0].credentials == "valid"
    assert not any("damaged" in note for note in two.notes)
    titles = [ingredient["title"] for ingredient in manifests[one.manifest_id]["ingredients"]]
    assert sorted(titles) == ["driver.mpg", "portrait.png"]


# Privacy


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_tells_where_or_by_whom_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    private = tmp_path / "quentin-secret"
    private.mkdir()
    for variable in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(variable, "quentin-secret")
    monkeypatch.setenv("LIKENESS_HOME", str(private / "home"))
    source = private / "portrait.png"
    Image.fromarray(moving_picture(0)).save(source)
    making = Making(
        "animate",
        "mesh",
        "1",
        (Ingredient(source, "source"), Ingredient(source, "driver")),
        parameters={"audio": str(private / "sound.wav"), "deep": [{"path": private / "x"}]},
    )
    write(private / name, making)
    for path in (*files_of(private / name), *private.glob("*.c2pa")):
        data = path.read_bytes()
        secrets = [b"quentin", str(tmp_path).encode(), tmp_path.name.encode()]
        secrets += [word.encode() for word in (getpass.getuser(), socket.gethostname()) if len(word) > 5]
        assert [secret for secret in secrets if secret in data] == []
        if path.suffix != ".webm":
            assert b"portrait.png" in data


# What goes wrong leaves nothing


class StopHereError(Exception):
    pass


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("error", [StopHereError, KeyboardInterrupt])
def test_an_interrupted_run_leaves_nothing(
    folder: Path, making: MakeMaking, name: str, error: type[BaseException]
) -> None:
    with (
        pytest.raises(error),
        SealedVideo(folder / name, making(), width=96, height=80, rate=RATE) as video,
    ):
        video.write(moving_picture(0))
        raise error
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_no_frames(folder: Path, making: MakeMaking, name: str) -> None:
    with pytest.raises(NoFrames):
        write(folder / name, making(), frames=0)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", [*FORMATS, "still.png"])
def test_failing_credentials_leave_nothing(
    folder: Path, making: MakeMaking, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Credentials.sign
    calls = iter([True])  # the rehearsal passes

    def sign(self: Credentials, *args: Any, **options: Any) -> bytes:
        if next(calls, False):
            return good(self, *args, **options)
        raise SealFailed("no", "why")

    monkeypatch.setattr(Credentials, "sign", sign)
    with pytest.raises(SealFailed):
        if name == "still.png":
            seal_image(moving_picture(0), folder / name, making())
        else:
            write(folder / name, making(), frames=40)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_failing_label_leaves_nothing(folder: Path, making: MakeMaking, name: str) -> None:
    with (
        pytest.raises(SealFailed, match="96"),
        SealedVideo(folder / name, making(), width=96, height=80, rate=RATE) as video,
    ):
        video.write(moving_picture(0))
        video.write(moving_picture(0, 80, 96))
    assert list(folder.iterdir()) == []


def test_no_room_for_the_signed_file(
    folder: Path, making: MakeMaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 10})()
    monkeypatch.setattr("likeness.disclosure.credentials.signed_file.shutil.disk_usage", lambda _: full)
    with pytest.raises(DiskFull, match=r"clip\.mp4"):
        write(folder / "clip.mp4", making())
    assert list(folder.iterdir()) == []


def test_an_identity_that_cannot_be_made_stops_it_before_any_frame(
    folder: Path, making: MakeMaking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "blocked"))
    with pytest.raises(IdentityError):
        SealedVideo(folder / "clip.mp4", making(), width=96, height=80, rate=RATE).__enter__()
    assert list(folder.iterdir()) == []


def test_a_missing_ingredient_stops_it_before_any_frame(
    folder: Path, making: MakeMaking, tmp_path: Path
) -> None:
    gone = making(ingredients=(Ingredient(tmp_path / "gone.png", "source"),))
    with pytest.raises(MediaNotFound):
        SealedVideo(folder / "clip.mp4", gone, width=96, height=80, rate=RATE).__enter__()
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_nothing(folder: Path, portrait: Path) -> None:
    code = f"""
import numpy as np
from fractions import Fraction
from pathlib import Path
from likeness.disclosure.seal import SealedVideo
from likeness.types import Ingredient, Making
making = Making("animate", "mesh", "1", (Ingredient(Path({str(portrait)!r}), "source"),))
with SealedVideo({str(folder / "clip.mp4")!r}, making, width=96, height=80, rate=Fraction(25)) as video:
    while True:
        video.write(np.zeros((80, 96, 3), np.uint8))
"""
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    while not list(folder.iterdir()) and run.poll() is None and time.monotonic() - started < 60:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    try:
        _, errors = run.communicate(timeout=60)
    finally:
        run.kill()  # it would write for ever
    assert "KeyboardInterrupt" in errors
    assert list(folder.iterdir()) == []


# What is there already


@pytest.mark.parametrize("name", [*FORMATS, "still.png"])
def test_an_output_that_exists_stays_unless_asked(folder: Path, making: MakeMaking, name: str) -> None:
    def make(frames: int, **options: Any) -> None:
        if name == "still.png":
            seal_image(moving_picture(frames), folder / name, making(), **options)
        else:
            write(folder / name, making(), frames=frames, **options)

    make(2)
    before = {path: path.read_bytes() for path in files_of(folder / name)}
    with pytest.raises(OutputExists):
        make(3)
    assert {path: path.read_bytes() for path in files_of(folder / name)} == before
    make(3, overwrite=True)
    assert {path: path.read_bytes() for path in files_of(folder / name)} != before
    assert all(verify(path).state == "valid" for path in files_of(folder / name))
    assert len([path for path in folder.iterdir() if path.suffix != ".c2pa"]) == 1


def test_an_output_that_came_meanwhile_stays(folder: Path, making: MakeMaking) -> None:
    out = folder / "clip.mp4"
    with (
        pytest.raises(OutputExists),
        SealedVideo(out, making(), width=96, height=80, rate=RATE) as video,
    ):
        video.write(moving_picture(0))
        out.write_text("mine")
    assert out.read_text() == "mine"
    assert list(folder.iterdir()) == [out]


def test_a_sidecar_that_exists_stays_unless_asked(folder: Path, making: MakeMaking) -> None:
    (folder / "clip.webm.c2pa").write_text("mine")
    with pytest.raises(OutputExists, match="c2pa"):
        write(folder / "clip.webm", making())
    assert (folder / "clip.webm.c2pa").read_text() == "mine"
    write(folder / "clip.webm", making(), overwrite=True)
    assert verify(folder / "clip.webm").state == "valid"


def test_an_ingredient_is_never_written_over(folder: Path, making: MakeMaking) -> None:
    write(folder / "one.mp4", making())
    before = (folder / "one.mp4").read_bytes()
    again = making(ingredients=(Ingredient(folder / "one.mp4", "source"),))
    with pytest.raises(UsageError):
        write(folder / "one.mp4", again, overwrite=True)
    assert (folder / "one.mp4").read_bytes() == before


def test_a_folder_with_other_things_is_never_replaced(folder: Path, making: MakeMaking) -> None:
    (folder / "holiday").mkdir()
    (folder / "holiday" / "photo.jpg").write_text("mine")
    with pytest.raises(OutputExists, match=r"photo\.jpg"):
        write(folder / "holiday", making(), overwrite=True)
    assert (folder / "holiday" / "photo.jpg").read_text() == "mine"


def test_names_that_cannot_be(folder: Path, making: MakeMaking) -> None:
    with pytest.raises(Unsupported):
        write(folder / "clip.avi", making())
    with pytest.raises(Unsupported):
        seal_image(moving_picture(0), folder / "still.bmp", making())
    with pytest.raises(NotWritable):
        write(folder / "none" / "clip.mp4", making())
    with pytest.raises(NotWritable):
        seal_image(moving_picture(0), folder / "none" / "still.png", making())
    assert list(folder.iterdir()) == []


def test_other_rates_and_odd_sizes(folder: Path, making: MakeMaking) -> None:
    rate = Fraction(30000, 1001)
    with SealedVideo(folder / "clip.mp4", making(), width=95, height=81, rate=rate) as video:
        for index in range(5):
            video.write(moving_picture(index, 95, 81))
    with av.open(str(folder / "clip.mp4")) as container:
        assert container.streams.video[0].average_rate == rate
    assert verify(folder / "clip.mp4").state == "valid"
