"""Converting: the record in the voice first, then the sound, sealed, as long as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import likeness
from likeness import consent
from likeness.config import VoiceConfig
from likeness.disclosure.disclaimer import SILENCE_S, SOUNDING_S
from likeness.errors import (
    ConsentRevoked,
    ConsentScope,
    LikenessError,
    MediaNotFound,
    ModelFormat,
    NoAudio,
    NoSpeech,
    NoVideo,
    OutputExists,
    SubjectMismatch,
    Unreadable,
    Unsupported,
    UsageError,
)
from likeness.media.audio import AudioReader
from likeness.media.mono import resample
from likeness.pipelines.convert_voice import Converted, convert
from likeness.pipelines.convert_voices import convert_all, name_like
from likeness.pipelines.say import say
from likeness.pipelines.target_voice import Target, semitones
from likeness.types import Floats
from likeness.voices.voice import PitchRange, Voice
from likeness.voices.voice_file import open_voice, write_voice

from ..voice_people import RATE_HZ, QuietTarget, corpus_record, make_voice, speech, write_sound

NOTES_S = SOUNDING_S + SILENCE_S


@pytest.fixture
def quiet(tmp_path: Path) -> QuietTarget:
    return QuietTarget(make_voice(corpus_record(tmp_path)))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "talk.wav", speech())


def read(path: Path, rate_hz: int = RATE_HZ) -> Floats:
    with AudioReader(path, rate_hz=rate_hz, channels=1) as reader:
        return np.concatenate([block[0] for block in reader])


def run(source: Path, quiet: QuietTarget, out: Path, **options: Any) -> Converted:
    return convert(source, to=quiet.target, out=out, **options)


def test_a_recording(talk: Path, quiet: QuietTarget, tmp_path: Path) -> None:
    made = run(talk, quiet, tmp_path / "out.wav")
    sound = read(made.path)[round(NOTES_S * RATE_HZ) :]
    assert len(sound) == len(speech())
    assert made.duration_s == pytest.approx(len(speech()) / RATE_HZ)
    # The watermark changes a little; where everything is stays as it is.
    assert np.corrcoef(sound, speech())[0, 1] > 0.98
    assert np.sqrt(np.mean(sound**2) / np.mean(speech() ** 2)) == pytest.approx(0.5, rel=0.05)
    assert made.warnings == ("It was turned down.",)
    found = likeness.verify(made.path)
    assert (found.state, found.act, found.watermark.act) == ("valid", "voice", "voice")
    assert found.consent is not None
    assert found.engine == "likeness quiet 1"
    assert [one.title for one in found.ingredients] == ["talk.wav"]
    assert made._repr_html_().startswith("<audio")


def test_what_was_heard_first(talk: Path, quiet: QuietTarget, tmp_path: Path) -> None:
    run(talk, quiet, tmp_path / "out.wav", sing=True, likeness=0.3)
    *_, converter = quiet.opened
    assert converter.heard.duration_s == pytest.approx(len(speech()) / RATE_HZ)
    assert converter.heard.pitch is not None
    assert 120 < converter.heard.pitch.median_hz < 260
    assert 0 < converter.heard.speech_s < converter.heard.duration_s
    assert 0.02 < converter.heard.level < 0.3
    assert (converter.config.sing, converter.config.likeness) == (True, 0.3)
    assert converter.blocks > 3  # it comes as a stream


@pytest.mark.parametrize(
    ("rate_hz", "asked", "made_hz"),
    [(44_100, None, 44_100), (48_000, None, 48_000), (8_000, None, 16_000), (16_000, 22_050, 22_050)],
)
@pytest.mark.parametrize("channels", [1, 6])
def test_rates_and_channels(
    quiet: QuietTarget, tmp_path: Path, rate_hz: int, asked: int | None, made_hz: int, channels: int
) -> None:
    sound = np.tile(resample(speech()[: 4 * RATE_HZ], RATE_HZ, rate_hz), (channels, 1)) / 2
    source = write_sound(tmp_path / "talk.wav", sound, rate_hz)
    made = run(source, quiet, tmp_path / "out.flac", sample_rate_hz=asked)
    assert made.rate_hz == made_hz
    with AudioReader(made.path) as reader:
        assert (reader.rate_hz, reader.channels) == (made_hz, 1)
    assert made.duration_s == pytest.approx(4, abs=2 / made_hz)


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.ogg", "a.opus"])
def test_formats(talk: Path, quiet: QuietTarget, tmp_path: Path, name: str) -> None:
    made = run(talk, quiet, tmp_path / name, sample_rate_hz=96_000)
    with AudioReader(made.path) as reader:  # not all have that many
        assert made.rate_hz == reader.rate_hz
    assert len(read(made.path)) == pytest.approx(len(speech()) + NOTES_S * RATE_HZ, rel=0.02)


def test_bad_sources(quiet: QuietTarget, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    dice = np.random.default_rng(0)
    bad: list[tuple[str, Any, type[LikenessError]]] = [
        ("silence", np.zeros(2 * RATE_HZ, np.float32), NoSpeech),
        ("noise", dice.normal(0, 0.1, 3 * RATE_HZ).astype(np.float32), NoSpeech),
        ("tone", np.sin(np.arange(3 * RATE_HZ) / 8).astype(np.float32), NoSpeech),
        ("moment", speech()[: RATE_HZ // 10], NoSpeech),
    ]
    for name, sound, error in bad:
        with pytest.raises(error):
            run(write_sound(tmp_path / f"{name}.wav", sound), quiet, out)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    for name, error in (("empty.wav", Unreadable), ("text.wav", Unreadable), ("none.wav", MediaNotFound)):
        with pytest.raises(error):
            run(tmp_path / name, quiet, out)
    assert not out.exists()
    assert [one for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_second_is_enough(quiet: QuietTarget, tmp_path: Path) -> None:
    source = write_sound(tmp_path / "a.wav", speech()[RATE_HZ : 2 * RATE_HZ])
    assert run(source, quiet, tmp_path / "out.wav").duration_s == pytest.approx(1)


def test_what_a_person_should_know_of_the_source(quiet: QuietTarget, tmp_path: Path) -> None:
    loud = write_sound(tmp_path / "loud.wav", np.clip(speech() * 8, -1, 1))
    assert any("clipped" in note for note in run(loud, quiet, tmp_path / "a.wav").warnings)
    dull = write_sound(tmp_path / "dull.wav", resample(speech(), RATE_HZ, 8000), 8000)
    assert any("4 kHz" in note for note in run(dull, quiet, tmp_path / "b.wav").warnings)


@pytest.mark.parametrize("name", ["first.wav", "first.mp3", "first.opus"])
def test_a_source_that_was_made_here(talk: Path, quiet: QuietTarget, tmp_path: Path, name: str) -> None:
    first = run(talk, quiet, tmp_path / name)
    made = run(first.path, quiet, tmp_path / "second.wav")
    assert made.warnings[0] == (
        f"{name} begins with the three notes of likeness: it was made here, and is no recording. The notes "
        "were left out."
    )
    assert made.duration_s == pytest.approx(first.duration_s, abs=0.1)
    assert quiet.opened[-1].heard.duration_s == pytest.approx(first.duration_s, abs=0.1)
    sound = read(made.path)[round(NOTES_S * RATE_HZ) :][: len(speech())]
    assert np.corrcoef(sound, speech()[: len(sound)])[0, 1] > 0.9


def test_music_is_refused_politely(talk: Path, quiet: QuietTarget, tmp_path: Path) -> None:
    for choice in ("keep", "drop"):
        with pytest.raises(UsageError, match="accompaniment"):
            run(talk, quiet, tmp_path / "out.wav", music=choice)


def test_outputs(talk: Path, quiet: QuietTarget, tmp_path: Path) -> None:
    (tmp_path / "there.wav").write_bytes(b"old")
    with pytest.raises(OutputExists):
        run(talk, quiet, tmp_path / "there.wav")
    assert (tmp_path / "there.wav").read_bytes() == b"old"
    run(talk, quiet, tmp_path / "there.wav", overwrite=True)
    with pytest.raises(UsageError):
        run(talk, quiet, talk, overwrite=True)
    with pytest.raises(Unsupported):
        run(talk, quiet, tmp_path / "out.xyz")
    with pytest.raises(NoVideo):
        run(talk, quiet, tmp_path / "out.mp4")
    with pytest.raises(UsageError, match="no option"):
        run(talk, quiet, tmp_path / "out.wav", pitch=3)
    # Under a corpus record the notes cannot be left out, and that is said before any work.
    with pytest.raises(ConsentScope):
        run(tmp_path / "none.wav", quiet, tmp_path / "out.wav", label="none")


def test_the_voice_is_checked_first(talk: Path, tmp_path: Path) -> None:
    path = tmp_path / "anna.voice"
    with pytest.raises(MediaNotFound):
        convert(talk, to=path, out=tmp_path / "out.wav")
    path.write_bytes(b"not a voice")
    with pytest.raises(ModelFormat):
        convert(tmp_path / "none.wav", to=path, out=tmp_path / "out.wav")
    # One that another engine learned.
    write_voice(make_voice(corpus_record(tmp_path)), path)
    with pytest.raises(ModelFormat, match="another engine"):
        convert(talk, to=path, out=tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def test_what_needs_no_source_is_refused_before_it_is_listened_to(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listen(*_: Any, **__: Any) -> None:
        raise AssertionError("it was listened to")

    monkeypatch.setattr("likeness.pipelines.convert_voice.listen", listen)
    voice = make_voice(corpus_record(tmp_path))
    out = tmp_path / "out.wav"
    wrong: list[tuple[dict[str, Any], type[LikenessError]]] = [
        ({"f0": "crepe"}, UsageError),
        ({"sing": True, "likeness": 0.3}, UsageError),
        ({"sing": True, "keep_loudness": False}, UsageError),
        ({}, ModelFormat),  # another engine learned it
    ]
    for options, error in wrong:
        with pytest.raises(error):
            convert(talk, to=voice, out=out, **options)
        with pytest.raises(error):
            convert_all(talk, to=voice, folder=tmp_path / "out", **options)
    with pytest.raises(ModelFormat):
        say("Hello.", voice=voice, out=out, speaker=Mute())


class Mute:
    """A `Speaker` that must not be asked to read."""

    rate_hz = RATE_HZ
    models = ()

    def read(self, text: str, speed: float) -> Iterator[Floats]:
        raise AssertionError("it was read")


def test_consent_that_was_taken_back_since_the_voice_was_opened(
    talk: Path, quiet: QuietTarget, tmp_path: Path
) -> None:
    record = corpus_record(tmp_path)
    path = tmp_path / "anna.voice"
    write_voice(make_voice(record), path)
    opened: list[Voice | Target] = [open_voice(path), QuietTarget(make_voice(record)).target]
    consent.store(consent.revoke(record, consent.load_key(tmp_path / "corpus.pem")))
    for to in opened:
        with pytest.raises(ConsentRevoked):
            convert(talk, to=to, out=tmp_path / "out.wav")
        with pytest.raises(ConsentRevoked):
            convert_all(talk, to=to, folder=tmp_path / "out")
        with pytest.raises(ConsentRevoked):
            say("Hello.", voice=to, out=tmp_path / "out.wav")


def test_a_failure_leaves_nothing(talk: Path, quiet: QuietTarget, tmp_path: Path) -> None:
    class BreaksError(Exception):
        pass

    def breaks(heard: Any, config: VoiceConfig) -> Any:
        converter = quiet._open(heard, config)

        def stream(blocks: Any, rate_hz: int) -> Any:
            for number, block in enumerate(blocks):
                if number == 3:
                    raise BreaksError
                yield block

        converter.convert_stream = stream  # type: ignore[method-assign]
        return converter

    target = dataclasses.replace(quiet.target, open=breaks)
    before = set(tmp_path.iterdir())
    with pytest.raises(BreaksError):
        convert(talk, to=target, out=tmp_path / "out.wav")
    assert set(tmp_path.iterdir()) == before


def test_a_batch(quiet: QuietTarget, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_sound(folder / "a.mp3", speech()[: 4 * RATE_HZ])
    write_sound(folder / "b.wav", np.zeros(RATE_HZ, np.float32))
    write_sound(folder / "c.wav", speech()[: 3 * RATE_HZ])
    batch = convert_all(folder, to=quiet.target, folder=tmp_path / "out")
    assert [made.path.name for made in batch.made] == ["a.mp3", "c.wav"]
    ((failed),) = batch.failed
    assert (failed.source.name, type(failed.error)) == ("b.wav", NoSpeech)
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"a.mp3", "c.wav"}
    with pytest.raises(OutputExists):
        convert_all(folder, to=quiet.target, folder=tmp_path / "out")
    other = tmp_path / "more"
    other.mkdir()
    write_sound(other / "c.wav", speech()[: 3 * RATE_HZ])
    with pytest.raises(UsageError, match="both become"):
        convert_all([folder, other], to=quiet.target, folder=tmp_path / "out2")
    batch = convert_all(folder / "b.wav", to=quiet.target, folder=tmp_path / "out3")
    assert len(batch.failed) == 1
    assert not (tmp_path / "out3").exists()


def test_another_voice_ends_no_batch(quiet: QuietTarget, tmp_path: Path) -> None:
    """What a model of RVC says is compared anew for each source."""
    sources = [write_sound(tmp_path / f"{name}.wav", speech()[: 3 * RATE_HZ]) for name in "abc"]
    errors = iter([None, SubjectMismatch("another's", "use theirs"), None])

    def compare(made: Iterator[Floats], rate_hz: int) -> tuple[consent.Permission, Iterator[Floats]]:
        if (error := next(errors)) is not None:
            raise error
        return quiet.target.permission, made

    to = dataclasses.replace(quiet.target, compare=compare)
    batch = convert_all(sources, to=to, folder=tmp_path / "out")
    assert [made.path.name for made in batch.made] == ["a.wav", "c.wav"]
    assert [(one.source.name, one.error.what) for one in batch.failed] == [("b.wav", "another's")]


def test_names_of_a_batch() -> None:
    names = [name_like(Path(name)) for name in ("a.WAV", "a.aac", "a.mkv", "a.webm")]
    assert names == ["a.WAV", "a.wav", "a.mp4", "a.webm"]


def test_octaves_of_a_song() -> None:
    low, high = PitchRange(110, 0.2), PitchRange(230, 0.2)
    sing = VoiceConfig(sing=True)
    assert semitones(high, low, sing) == 12
    assert semitones(low, high, sing) == -12
    assert semitones(low, PitchRange(140, 0.2), sing) == 0
    assert semitones(low, None, sing) == 0
    assert semitones(high, low, VoiceConfig()) == 0
    assert semitones(high, low, VoiceConfig(sing=True, transpose=-3.5)) == -3.5


def film(path: Path, seconds: float, sound: Floats | None, codec: str = "libx264") -> Path:
    """A moving picture with speech; H.264 with B-frames."""
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        if codec == "libx264":
            video.options = {"bf": "2"}
        audio = (
            None
            if sound is None
            else output.add_stream("aac" if path.suffix == ".mp4" else "mp2", rate=16_000)
        )
        if audio is not None:
            audio.layout = "mono"
        for index in range(int(seconds * 25)):
            image = np.full((64, 96, 3), (7 * index) % 256, np.uint8)
            image[:, (3 * index) % 96] = 255
            output.mux(video.encode(av.VideoFrame.from_ndarray(image)))
        output.mux(video.encode(None))
        if audio is not None:
            frame = av.AudioFrame.from_ndarray((sound[None] * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate = 16_000
            frame.time_base = Fraction(1, 16_000)
            frame.pts = 0
            resampler = av.AudioResampler(audio.codec_context.format.name, "mono", 16_000, audio.frame_size)
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                output.mux(audio.encode(piece))
            output.mux(audio.encode(None))
    return path


def pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def test_a_video_keeps_its_picture(quiet: QuietTarget, tmp_path: Path) -> None:
    source = film(tmp_path / "talk.mp4", 5, speech()[: 5 * RATE_HZ])
    made = run(source, quiet, tmp_path / "out.mp4")
    before, after = pictures(source), pictures(made.path)
    assert len(before) == len(after) == 125
    origin_s = before[0][0]
    for (then_s, old), (now_s, new) in zip(before, after, strict=True):
        assert float(now_s - then_s + origin_s) == pytest.approx(float(after[0][0]), abs=1e-3)
        np.testing.assert_array_equal(old, new)
    # Sound and picture stay together: the notes sound over the beginning, not before it.
    sound = read(made.path)
    assert len(sound) == pytest.approx(5 * RATE_HZ, abs=0.1 * RATE_HZ)
    n = 1 << 18
    fit = np.fft.irfft(
        np.fft.rfft(sound[2 * RATE_HZ :], n) * np.conj(np.fft.rfft(speech()[2 * RATE_HZ : 5 * RATE_HZ], n))
    )
    late = int(fit.argmax())
    assert abs(late if late < n // 2 else late - n) < 0.01 * RATE_HZ
    found = likeness.verify(made.path)
    assert (found.state, found.act) == ("valid", "voice")
    assert (found.watermark.where, found.watermark.act) == ("sound", "voice")
    assert found.label


def test_a_video_of_another_kind_is_encoded_anew(quiet: QuietTarget, tmp_path: Path) -> None:
    source = film(tmp_path / "talk.mpg", 3, speech()[: 3 * RATE_HZ], "mpeg1video")
    made = run(source, quiet, tmp_path / "out.mp4")
    assert any("encoded anew" in note for note in made.warnings)
    assert len(pictures(made.path)) == pytest.approx(75, abs=1)
    assert [one for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    only = run(source, quiet, tmp_path / "out.wav")
    assert only.duration_s == pytest.approx(3, abs=0.1)


def test_a_video_that_was_made_here_keeps_its_time(quiet: QuietTarget, tmp_path: Path) -> None:
    late = np.concatenate((np.zeros(2 * RATE_HZ, np.float32), speech()[: 3 * RATE_HZ]))
    first = run(film(tmp_path / "talk.mp4", 5, late), quiet, tmp_path / "first.mp4")
    made = run(first.path, quiet, tmp_path / "second.mp4")
    assert "The notes are taken for a part of it." in made.warnings[0]
    assert made.duration_s == pytest.approx(first.duration_s, abs=0.1)


def test_a_silent_video(quiet: QuietTarget, tmp_path: Path) -> None:
    with pytest.raises(NoAudio):
        run(film(tmp_path / "talk.mp4", 1, None), quiet, tmp_path / "out.mp4")
