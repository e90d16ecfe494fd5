"""Sounds leave with all three layers, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.disclaimer import SILENCE_S, SOUNDING_S, chime
from likeness.disclosure.seal import Sealed
from likeness.disclosure.sealed_sound import SealedSound, seal_sound
from likeness.disclosure.watermark.audio import find_in_sound
from likeness.disclosure.watermark.imprint import payload_for
from likeness.errors import (
    DiskFull,
    MediaNotFound,
    NoAudio,
    NotWritable,
    OutputExists,
    RightsMissing,
    SealFailed,
    Unsupported,
    UsageError,
)
from likeness.media.audio import AudioReader
from likeness.types import Floats, Ingredient, Making, Rights
from likeness.verification import verify

from .conftest import MakeMaking

RATE_HZ = 16000
FORMATS = ["a.wav", "a.flac", "a.mp3", "a.m4a", "a.ogg", "a.opus"]
SIDECARS = {"a.ogg", "a.opus"}
MANIFEST_ID = "urn:c2pa:01234567-89ab-4def-8123-456789abcdef"
DISCLAIMER = round((SOUNDING_S + SILENCE_S) * RATE_HZ)


@cache
def murmur(seconds: float = 9.0, rate_hz: int = RATE_HZ) -> Floats:
    """(1, n): noise whose colour and level change a few times a second, as speech's do; −1…1."""
    dice = np.random.default_rng(5)
    n = int(seconds * rate_hz)
    spectrum = np.fft.rfft(dice.standard_normal(n))
    spectrum /= np.maximum(np.arange(len(spectrum)) / n * rate_hz, 200)
    beats_s = np.arange(0, seconds + 1, 0.12)
    level = np.interp(np.arange(n) / rate_hz, beats_s, dice.uniform(0.05, 1, len(beats_s)))
    sound = np.fft.irfft(spectrum, n) * level
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)[None]


def read(path: Path) -> Floats:
    with AudioReader(path, rate_hz=RATE_HZ) as reader:
        return np.concatenate([*reader], axis=1)


def chime_share(sound: Floats) -> float:
    """Cosine between the beginning of a sound and the notes, −1…1."""
    notes, begin = chime(RATE_HZ), sound[0, : round(SOUNDING_S * RATE_HZ)]
    return float(notes @ begin / (np.linalg.norm(notes) * np.linalg.norm(begin)))


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(folder: Path, making: MakeMaking, name: str) -> None:
    plan = making(act="voice", rights=Rights("self", "my own voice"))
    sealed = seal_sound(murmur(), folder / name, plan, rate_hz=RATE_HZ)
    sidecar = folder / f"{name}.c2pa" if name in SIDECARS else None
    assert isinstance(sealed, Sealed)
    assert (sealed.path, sealed.sidecar) == (folder / name, sidecar)
    assert sealed.layers == ("disclaimer", "watermark", "credentials")
    assert sealed.frames == murmur().shape[1] + DISCLAIMER
    assert set(folder.iterdir()) == {folder / name, *([sidecar] if sidecar else [])}
    assert any(f"{name}.c2pa" in note for note in sealed.notes) == (sidecar is not None)

    found = verify(folder / name)
    assert (found.state, found.own, found.manifest_id) == ("valid", True, sealed.manifest_id)
    assert found.act == "voice"
    assert found.label == "AI-generated (three notes at the start)"
    assert found.rights == "self (my own voice)"
    assert found.watermark.payload == payload_for("voice", sealed.manifest_id)

    sound = read(folder / name)
    assert sound.shape[1] == pytest.approx(sealed.frames, abs=1100)  # AAC fills up its last frame
    assert chime_share(sound) > 0.97
    assert np.abs(sound[:, DISCLAIMER - 2400 : DISCLAIMER]).max() < 0.01
    if name in ("a.wav", "a.flac"):
        assert sound.shape[1] == sealed.frames
        change = sound[:, DISCLAIMER:] - murmur()
        assert 10 < 10 * np.log10((murmur() ** 2).sum() / (change**2).sum()) < 25


def test_the_mark_survives_mp3_without_the_credentials(folder: Path, making: MakeMaking) -> None:
    sealed = seal_sound(murmur(), folder / "a.wav", making(act="voice"), rate_hz=RATE_HZ)
    with (
        av.open(str(folder / "a.wav")) as source,
        av.open(str(folder / "b.mp3"), "w") as output,
    ):
        stream = output.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        stream.bit_rate = 64_000
        resampler = av.AudioResampler("s16p", "mono", RATE_HZ, frame_size=stream.frame_size or 576)
        for frame in [*source.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    found = verify(folder / "b.mp3")
    assert (found.credentials_state, found.watermark.found) == ("none", True)
    assert found.watermark.payload == payload_for("voice", sealed.manifest_id)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a", "a.flac"])
def test_large_files_are_valid_too(
    folder: Path, making: MakeMaking, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.disclosure.credentials.signing.LARGE_FILE_BYTES", 1000)
    seal_sound(murmur(4), folder / name, making(), rate_hz=RATE_HZ)
    assert verify(folder / name).state == "valid"
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert verify(folder / name).state == "invalid"


def test_the_language_is_recorded(folder: Path, making: MakeMaking) -> None:
    seal_sound(murmur(0.5), folder / "a.wav", making(), rate_hz=RATE_HZ, language="de")
    assert verify(folder / "a.wav").label == "KI-generiert (Dreiklang am Anfang)"
    with pytest.raises(UsageError):
        seal_sound(murmur(0.5), folder / "b.wav", making(), rate_hz=RATE_HZ, language="xx")


# The disclaimer and rights


def test_no_disclaimer_needs_rights_before_any_work(folder: Path, making: MakeMaking) -> None:
    with pytest.raises(RightsMissing) as raised:
        SealedSound(folder / "a.wav", making(label="none"), rate_hz=RATE_HZ, channels=1)
    assert "--rights" in raised.value.hint
    assert list(folder.iterdir()) == []


def test_with_rights_the_disclaimer_may_go_and_the_file_says_so(folder: Path, making: MakeMaking) -> None:
    plan = making(label="none", rights=Rights("public-domain", "1903"))
    sealed = seal_sound(murmur(), folder / "a.wav", plan, rate_hz=RATE_HZ)
    assert sealed.layers == ("watermark", "credentials")
    sound = read(folder / "a.wav")
    assert sound.shape == murmur().shape
    assert abs(chime_share(sound)) < 0.1
    found = verify(folder / "a.wav")
    assert (found.label, found.rights) == ("none", "public-domain (1903)")
    assert found.watermark.payload == payload_for("animate", sealed.manifest_id)


# Streaming


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 40000), max_size=8), st.sampled_from(["auto", "none"]))
def test_blocks_of_any_size_give_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    making: MakeMaking,
    monkeypatch: pytest.MonkeyPatch,
    sizes: list[int],
    label: str,
) -> None:
    # The mark carries the name of the manifest, so for once it must be the same in both.
    monkeypatch.setattr("likeness.disclosure.sealed_sound.new_manifest_id", lambda: MANIFEST_ID)
    folder = tmp_path_factory.mktemp("blocks")
    plan = making(label=label, rights=Rights("self", "me"), ingredients=())
    whole = seal_sound(murmur(4), folder / "whole.wav", plan, rate_hz=RATE_HZ)
    buffer = np.empty((1, 70000), np.float32)
    at = 0
    with SealedSound(folder / "pieces.wav", plan, rate_hz=RATE_HZ, channels=1) as sound:
        for size in [*sizes, 64000]:
            piece = murmur(4)[:, at : at + size]
            block = buffer[:, : piece.shape[1]]
            block[:] = piece
            block.flags.writeable = False
            sound.write(block)
            at += piece.shape[1]
    assert np.array_equal(read(folder / "pieces.wav"), read(folder / "whole.wav"))
    assert sound.sealed.frames == whole.frames


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 5000),
    st.sampled_from([(8000, 1), (22050, 2), (44100, 2), (96000, 1)]),
    st.sampled_from(["a.wav", "a.flac"]),
)
def test_any_length_comes_back_whole(
    tmp_path_factory: pytest.TempPathFactory,
    making: MakeMaking,
    length: int,
    kind: tuple[int, int],
    name: str,
) -> None:
    rate_hz, channels = kind
    out = tmp_path_factory.mktemp("length") / name
    noise = np.random.default_rng(length).uniform(-0.5, 0.5, (channels, length)).astype(np.float32)
    sealed = seal_sound(noise, out, making(ingredients=()), rate_hz=rate_hz)
    with AudioReader(out) as reader:
        sound = np.concatenate([*reader], axis=1)
        assert (reader.rate_hz, reader.channels) == (rate_hz, channels)
    expected = length + round(SOUNDING_S * rate_hz) + round(SILENCE_S * rate_hz)
    assert (sound.shape, sealed.frames) == ((channels, expected), expected)
    apart = sound[:, -length:] - noise  # the watermark: another each time; a sample off, it would be 0.4
    assert np.sqrt(np.square(apart).mean()) < 0.2


# What is too loud


def test_what_is_a_little_too_loud_is_limited_and_said(folder: Path, making: MakeMaking) -> None:
    loud = murmur(5) * 2
    loud[0, 5000] = 1.25
    over = int((np.abs(loud) > 1).sum())
    sealed = seal_sound(loud, folder / "a.wav", making(), rate_hz=RATE_HZ)
    assert any(f"{over} of {loud.shape[1]} samples" in note for note in sealed.notes)
    assert np.abs(read(folder / "a.wav")).max() <= 1
    assert loud[0, 5000] == 1.25
    assert find_in_sound(read(folder / "a.wav"), RATE_HZ) is not None


def test_what_the_mark_makes_too_loud_is_limited_too(folder: Path, making: MakeMaking) -> None:
    full = np.clip(murmur(4) * 8, -1, 1)
    sealed = seal_sound(full, folder / "a.wav", making(), rate_hz=RATE_HZ)
    assert not any("limited" in note for note in sealed.notes)
    change = read(folder / "a.wav")[:, DISCLAIMER:] - full
    assert np.abs(change).max() < 0.7  # wrapped around, it would be 2


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 32767.0])
def test_what_is_no_sound_is_refused(folder: Path, making: MakeMaking, wrong: float) -> None:
    samples = murmur(0.5).copy()
    samples[0, 777] = wrong
    with pytest.raises(SealFailed, match="size"):
        seal_sound(samples, folder / "a.wav", making(), rate_hz=RATE_HZ)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((2, 10), np.float32), np.zeros(10, np.float32), np.zeros((1, 10)), np.zeros((1, 10), np.int16)],
)
def test_blocks_of_another_kind_are_refused(folder: Path, making: MakeMaking, wrong: Any) -> None:
    with (
        pytest.raises(SealFailed, match="announced"),
        SealedSound(folder / "a.wav", making(), rate_hz=RATE_HZ, channels=1) as sound,
    ):
        sound.write(wrong)
    assert list(folder.iterdir()) == []


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
        SealedSound(folder / name, making(), rate_hz=RATE_HZ, channels=1) as sound,
    ):
        sound.write(murmur(0.5))
        raise error
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["a.wav", "a.opus"])
def test_failing_credentials_leave_nothing(
    folder: Path, making: MakeMaking, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, calls = Credentials.sign, iter([True])  # the rehearsal passes

    def sign(self: Credentials, *args: Any, **options: Any) -> bytes:
        if next(calls, False):
            return good(self, *args, **options)
        raise SealFailed("no", "why")

    monkeypatch.setattr(Credentials, "sign", sign)
    with pytest.raises(SealFailed):
        seal_sound(murmur(0.5), folder / name, making(), rate_hz=RATE_HZ)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["a.wav", "a.opus"])
def test_no_sound(folder: Path, making: MakeMaking, name: str) -> None:
    with pytest.raises(NoAudio):
        seal_sound(murmur(0.5)[:, :0], folder / name, making(), rate_hz=RATE_HZ)
    assert list(folder.iterdir()) == []


def test_no_room_for_the_signed_file(
    folder: Path, making: MakeMaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 10})()
    monkeypatch.setattr("likeness.disclosure.credentials.signed_file.shutil.disk_usage", lambda _: full)
    with pytest.raises(DiskFull, match=r"a\.wav"):
        seal_sound(murmur(0.5), folder / "a.wav", making(), rate_hz=RATE_HZ)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of a file's size")
def test_a_full_disk_while_writing(folder: Path) -> None:
    code = f"""
import resource, signal
import numpy as np
from likeness.disclosure.sealed_sound import SealedSound
from likeness.errors import DiskFull
from likeness.types import Making
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with SealedSound({str(folder / "a.wav")!r}, Making("voice", "x", "1", ()), rate_hz=8000, channels=1) as s:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        for _ in range(40):
            s.write(np.full((1, 8000), 0.1, np.float32))
except DiskFull as error:
    print(error.what)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "No room" in run.stdout, run.stderr
    assert "a.wav" in run.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_ctrl_c_leaves_nothing(folder: Path, name: str) -> None:
    code = f"""
import numpy as np
from likeness.disclosure.sealed_sound import SealedSound
from likeness.types import Making
with SealedSound({str(folder / name)!r}, Making("voice", "x", "1", ()), rate_hz=8000, channels=1) as sound:
    while True:
        sound.write(np.zeros((1, 8000), np.float32))
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


# What is there already, and names


@pytest.mark.parametrize("name", ["a.wav", "a.opus"])
def test_an_output_that_exists_stays_unless_asked(folder: Path, making: MakeMaking, name: str) -> None:
    seal_sound(murmur(0.5), folder / name, making(), rate_hz=RATE_HZ)
    before = (folder / name).read_bytes()
    with pytest.raises(OutputExists):
        seal_sound(murmur(0.5), folder / name, making(), rate_hz=RATE_HZ)
    assert (folder / name).read_bytes() == before
    seal_sound(murmur(0.5), folder / name, making(), rate_hz=RATE_HZ, overwrite=True)
    assert (folder / name).read_bytes() != before
    assert verify(folder / name).state == "valid"


def test_an_output_that_came_meanwhile_stays(folder: Path, making: MakeMaking) -> None:
    out = folder / "a.wav"
    with (
        pytest.raises(OutputExists),
        SealedSound(out, making(), rate_hz=RATE_HZ, channels=1) as sound,
    ):
        sound.write(murmur(0.5))
        out.write_text("mine")
    assert out.read_text() == "mine"
    assert list(folder.iterdir()) == [out]


def test_a_sidecar_that_exists_stays_unless_asked(folder: Path, making: MakeMaking) -> None:
    (folder / "a.ogg.c2pa").write_text("mine")
    with pytest.raises(OutputExists, match="c2pa"):
        seal_sound(murmur(0.5), folder / "a.ogg", making(), rate_hz=RATE_HZ)
    assert (folder / "a.ogg.c2pa").read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["a.ogg.c2pa"]


def test_names_and_places_that_cannot_be(folder: Path, making: MakeMaking, tmp_path: Path) -> None:
    (folder / "sub.wav").mkdir()
    for name, error in (
        ("a.aiff", Unsupported),
        ("a", Unsupported),
        ("none/a.wav", NotWritable),
        ("sub.wav", OutputExists),
    ):
        with pytest.raises(error):
            seal_sound(murmur(0.5), folder / name, making(), rate_hz=RATE_HZ, overwrite=True)
    gone = making(ingredients=(Ingredient(tmp_path / "gone.wav", "audio"),))
    with pytest.raises(MediaNotFound):
        seal_sound(murmur(0.5), folder / "a.wav", gone, rate_hz=RATE_HZ)
    for rate_hz, channels in ((4000, 1), (48000, 3)):
        with pytest.raises(UsageError):
            seal_sound(np.zeros((channels, 9), np.float32), folder / "a.wav", making(), rate_hz=rate_hz)
    assert [path.name for path in folder.iterdir()] == ["sub.wav"]


def test_an_ingredient_is_never_written_over(folder: Path, making: MakeMaking) -> None:
    seal_sound(murmur(0.5), folder / "a.wav", making(), rate_hz=RATE_HZ)
    before = (folder / "a.wav").read_bytes()
    again = making(ingredients=(Ingredient(folder / "a.wav", "audio"),))
    with pytest.raises(UsageError):
        seal_sound(murmur(0.5), folder / "a.wav", again, rate_hz=RATE_HZ, overwrite=True)
    assert (folder / "a.wav").read_bytes() == before


def test_an_output_as_ingredient_keeps_its_own_manifest(folder: Path) -> None:
    one = seal_sound(murmur(0.5), folder / "a.mp3", Making("voice", "x", "1", ()), rate_hz=RATE_HZ)
    plan = Making("voice", "x", "1", (Ingredient(folder / "a.mp3", "audio"),))
    seal_sound(murmur(0.5), folder / "b.flac", plan, rate_hz=RATE_HZ)
    found = verify(folder / "b.flac")
    assert found.state == "valid"
    assert found.ingredients[0].credentials == "valid"
    assert one.manifest_id in found.manifest_json
