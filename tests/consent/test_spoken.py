"""Spoken consent: what is asked for, and every way in which a recording can be refused.

Nobody's voice travels with the tests. What a recording tells is measured on real speech where there is some,
and in `benchmarks/spoken_consent.py`; here it is mostly given, and what follows from it is tested.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import types
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness import consent
from likeness.cli.main import run
from likeness.consent import ConsentKey, ConsentRecord, challenge, listening, microphone, spoken
from likeness.consent.listening import Heard
from likeness.consent.parts import Challenge
from likeness.disclosure.watermark.audio import AudioMark
from likeness.disclosure.watermark.audio_search import FoundSound
from likeness.errors import (
    ConsentError,
    ConsentExpired,
    ConsentMissing,
    ConsentScope,
    EvidenceRefused,
    MediaNotFound,
    MissingExtra,
    NoAudio,
    NoSpeech,
    OutputExists,
    SubjectMismatch,
    TooLarge,
    UsageError,
)
from likeness.media.mono import read_mono
from likeness.speech import phonemes, speaker
from likeness.types import Floats

Draft = Callable[..., ConsentRecord]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
CODES = st.text("0123456789", min_size=6, max_size=6)
CHALLENGE = Challenge(challenge.spell_sentence(("voice",), "742915"), "742915", NOW)
RIGHT = Heard("i agree that … my code is seven four two nine one five", "742915", 0.1, 0.9, 0.85, None)
MARK = FoundSound(7, 0.8, 12.0, 1.0, 1.0, 0.0)

pytestmark = pytest.mark.usefixtures("own_home")


def write_wav(path: Path, samples: Floats, rate_hz: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def hum(seconds: float, pitch_hz: float = 120.0) -> Floats:
    """Something that is loud enough to have a voice's embedding."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    phase = 2 * np.pi * pitch_hz * time + 2 * np.sin(2 * np.pi * 3 * time)
    return (0.1 * sum(np.sin(n * phase) / n for n in range(1, 20))).astype(np.float32)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "said.wav", hum(4))


@pytest.fixture
def enrolment(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "voice.wav", hum(5))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Callable[[Heard], None]:
    """Say what will be heard in the recording, whatever it holds; a right code is the one asked for."""

    def give(what: Heard) -> None:
        def listen(samples: Floats, rate_hz: int, asked: Challenge, *_: object, **__: object) -> Heard:
            return replace(what, code=asked.code) if what.code == CHALLENGE.code else what

        monkeypatch.setattr(spoken, "listen", listen)
        monkeypatch.setattr(spoken.words, "transcribe", lambda *_: "i agree that a computer")

    return give


@given(CODES, st.sampled_from([("voice",), ("animate",), ("animate", "swap"), ("animate", "swap", "voice")]))
def test_a_sentence_carries_its_code_in_words_that_can_be_heard(code: str, acts: tuple[consent.Act]) -> None:
    sentence = challenge.spell_sentence(acts, code)
    assert listening.read_code(sentence.lower().rstrip(".")) == code
    assert len(phonemes.expect(sentence)) > 40
    rule = listening.write_rule(Challenge(sentence, code, NOW))
    assert rule.startswith("i (agree | do not agree")
    assert rule.count("seven") == len(code)
    assert challenge.spell_code(code) not in rule, "a grammar that knows the code would hear it anywhere"


def test_zero_may_be_said_as_oh() -> None:
    assert listening.read_code("my code is oh zero one oh two three") == "001023"
    assert listening.read_code("") == ""


def test_codes_are_drawn_anew(draft: Draft) -> None:
    request = draft()
    found = [spoken.ask(request) for _ in range(20)]
    assert len({one.code for one in found}) > 15
    assert all(len(one.code) == 6 for one in found)
    assert challenge.recall(request) == found[-1], "the last one counts"


def test_evidence_goes_into_the_request_and_can_be_signed(
    draft: Draft, key: ConsentKey, recording: Path, enrolment: Path, heard: Callable[[Heard], None]
) -> None:
    request = draft(acts=["voice"])
    asked = spoken.ask(request)
    heard(RIGHT)
    found = spoken.accept(request, recording, enrolment=enrolment)
    evidence = found.evidence[0]
    assert found.challenge == asked
    assert evidence.code == asked.code
    assert evidence.transcript == "i agree that a computer"
    assert dict(evidence.scores)["voice similarity"] == "0.9000"
    assert found.references.voice is not None
    assert found.references.files[0].name == "voice.wav"
    signed = consent.sign(found, key)
    assert consent.check(signed, act="voice").record == signed
    with pytest.raises(ConsentMissing):  # the sentence is used up: no second recording
        spoken.accept(request, recording, enrolment=enrolment)


FAULTS = [
    (replace(RIGHT, mark=MARK), EvidenceRefused, "watermark"),
    (replace(RIGHT, said="i do not agree that …"), EvidenceRefused, "do not agree"),
    (replace(RIGHT, said="i agree that a computer may not …"), EvidenceRefused, "do not agree"),
    (replace(RIGHT, phoneme_error=0.8), EvidenceRefused, "Something else"),
    (replace(RIGHT, code="742916"), EvidenceRefused, "nine one six"),
    (replace(RIGHT, code=""), EvidenceRefused, "no code"),
    (replace(RIGHT, similarity=0.7), SubjectMismatch, "0.70"),
    (replace(RIGHT, similarity=0.3), SubjectMismatch, "0.30"),
    (replace(RIGHT, least_similarity=0.4), SubjectMismatch, "another voice"),
]


@pytest.mark.parametrize(("found", "error", "says"), FAULTS)
def test_each_check_refuses(
    draft: Draft,
    recording: Path,
    enrolment: Path,
    heard: Callable[[Heard], None],
    found: Heard,
    error: type[ConsentError],
    says: str,
) -> None:
    request = draft(acts=["voice"])
    spoken.ask(request)
    heard(found)
    with pytest.raises(error, match=says) as caught:
        spoken.accept(request, recording, enrolment=enrolment)
    assert caught.value.hint
    assert caught.value.exit_code == 5
    heard(RIGHT)  # the same sentence may be tried again
    assert spoken.accept(request, recording, enrolment=enrolment).evidence


def test_nothing_speaks_against_what_is_right() -> None:
    assert listening.find_fault(RIGHT, CHALLENGE) is None


@pytest.mark.parametrize(("minutes", "why"), [(-3, "set back"), (11, "10 minutes"), (60 * 24, "10 minutes")])
def test_a_sentence_lives_ten_minutes(draft: Draft, recording: Path, minutes: int, why: str) -> None:
    request = draft()
    spoken.ask(request, now=NOW)
    with pytest.raises(ConsentExpired, match=why):
        spoken.accept(request, recording, now=NOW + dt.timedelta(minutes=minutes))


def test_a_recording_from_before_is_refused(draft: Draft, recording: Path, enrolment: Path) -> None:
    request = draft()
    spoken.ask(request)
    yesterday = NOW.timestamp() - 86_400
    os.utime(recording, (yesterday, yesterday))
    with pytest.raises(ConsentExpired, match="before its sentence"):
        spoken.accept(request, recording, enrolment=enrolment)


def test_without_a_sentence_nothing_is_accepted(draft: Draft, recording: Path) -> None:
    request = draft()
    with pytest.raises(ConsentMissing, match="No sentence"):
        spoken.accept(request, recording)
    spoken.ask(request)
    other = replace(request, purposes=("something else",))
    with pytest.raises(ConsentMissing, match="changed"):
        spoken.accept(other, recording)
    with pytest.raises(ConsentMissing, match="No sentence"):  # of another request
        spoken.accept(draft(), recording)
    challenge.path_of(request).write_text('{"request": 1}')
    with pytest.raises(ConsentMissing):
        spoken.accept(request, recording)


def test_there_must_be_a_voice_to_compare_with(draft: Draft, recording: Path) -> None:
    request = draft()
    spoken.ask(request)
    with pytest.raises(ConsentMissing, match="no voice"):
        spoken.accept(request, recording)
    with pytest.raises(ConsentScope, match="itself"):
        spoken.accept(request, recording, enrolment=recording)


def test_only_a_person_s_request_is_spoken_for(draft: Draft, record: ConsentRecord) -> None:
    with pytest.raises(ConsentScope, match="signed already"):
        spoken.ask(record)
    corpus = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Lab")
    with pytest.raises(ConsentScope, match="corpus"):
        spoken.ask(corpus)


def test_recordings_that_cannot_be_used(draft: Draft, enrolment: Path, tmp_path: Path) -> None:
    request = draft()
    spoken.ask(request)

    def accept(path: Path) -> ConsentRecord:
        return spoken.accept(request, path, enrolment=enrolment)

    with pytest.raises(MediaNotFound):
        accept(tmp_path / "none.wav")
    with pytest.raises(TooLarge):
        accept(write_wav(tmp_path / "long.wav", np.zeros(61 * 16_000, np.float32)))
    with pytest.raises(NoSpeech):
        accept(write_wav(tmp_path / "silent.wav", np.zeros(32_000, np.float32)))
    huge = tmp_path / "huge.wav"
    with huge.open("wb") as file:
        file.truncate(spoken.MAX_BYTES + 1)
    with pytest.raises(TooLarge):
        accept(huge)


def test_a_hum_says_nothing(draft: Draft, recording: Path, enrolment: Path) -> None:
    """All of it for real: the words are heard to be missing."""
    request = draft()
    spoken.ask(request)
    with pytest.raises(EvidenceRefused, match="Something else"):
        spoken.accept(request, recording, enrolment=enrolment)


def test_our_mark_is_found_in_a_recording() -> None:
    sound = hum(8) + np.random.default_rng(0).normal(0, 0.02, 8 * 16_000).astype(np.float32)
    marker = AudioMark(16_000, 1, 0xCAFE)
    marked = np.concatenate([marker.process(sound[None]), marker.flush()], axis=1)[0]
    voice = speaker.embed_voice(sound, 16_000)
    found = listening.listen(marked, 16_000, CHALLENGE, voice)
    assert found.mark is not None
    assert isinstance(listening.find_fault(found, CHALLENGE), EvidenceRefused)
    assert listening.listen(sound, 16_000, CHALLENGE, voice).mark is None


def test_what_is_whispered_into_a_pause_is_not_heard() -> None:
    loud, low = hum(2), hum(2, 200) * np.float32(0.005)
    heard = listening.only_audible(np.concatenate([loud, low, loud]))
    assert np.array_equal(heard[:32_000], loud)
    assert not heard[35_500:60_500].any()


def test_a_second_voice_shows(shared: Path) -> None:
    paths = sorted((shared / "media" / "speech" / "libri_train_clean_100").glob("*.flac"))
    one, two = (read_mono(path, rate_hz=16_000, max_s=12, cut=True) for path in (paths[0], paths[7]))
    voice = speaker.embed_voice(one[:96_000], 16_000)
    alone, _ = speaker.embed_windows(one[96_000:], 16_000)
    joined, _ = speaker.embed_windows(np.concatenate([one[96_000:], two[:64_000]]), 16_000)
    assert listening.least_similarity(alone, voice) > listening.MIN_STRETCH
    assert listening.least_similarity(joined, voice) < listening.MIN_STRETCH


def test_off_the_script_is_refused_in_a_real_voice(shared: Path) -> None:
    sound = read_mono(shared / "media" / "speech" / "whisper__jfk.flac", rate_hz=16_000, max_s=60)
    found = listening.listen(sound, 16_000, CHALLENGE, speaker.embed_voice(sound, 16_000))
    assert found.similarity > 0.99
    assert found.phoneme_error > 2 * listening.MAX_PHONEME_ERROR - 0.2
    assert isinstance(listening.find_fault(found, CHALLENGE), EvidenceRefused)


class FakeDevice(types.ModuleType):
    """A sounddevice whose microphone hears a hum, or is not there."""

    class PortAudioError(Exception):
        pass

    def __init__(self, *, works: bool = True) -> None:
        super().__init__("sounddevice")
        self.works = works

    def rec(self, count: int, rate_hz: int, **_: object) -> np.ndarray:
        if not self.works:
            raise self.PortAudioError("Error querying device -1")
        return (np.sin(np.arange(count) / 20) * 9000).astype(np.int16)[:, None]


def test_the_microphone_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeDevice())
    path = tmp_path / "said.wav"
    microphone.record(path, 2)
    assert len(read_mono(path, rate_hz=48_000, max_s=3)) == 96_000
    with pytest.raises(OutputExists):
        microphone.record(path, 2)
    with pytest.raises(UsageError):
        microphone.record(path, 600, overwrite=True)


def test_a_missing_microphone_is_said_politely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeDevice(works=False))
    with pytest.raises(NoAudio, match="no microphone"):
        microphone.record(tmp_path / "a.wav", 2)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtra, match="sounddevice"):
        microphone.record(tmp_path / "a.wav", 2)
    assert list(tmp_path.iterdir()) == []


def test_on_the_command_line(
    draft: Draft,
    tmp_path: Path,
    recording: Path,
    enrolment: Path,
    heard: Callable[[Heard], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    request = draft(acts=["voice"])
    path = tmp_path / "anna.consent.json"
    path.write_bytes(request.to_bytes())
    assert run(["consent", "record-voice", str(path)]) == 0
    assert challenge.recall(request).sentence in capsys.readouterr().out
    words = ["consent", "record-voice", str(path), "--recording", str(recording), "--voice", str(enrolment)]
    heard(replace(RIGHT, similarity=0.5))
    before = path.read_bytes()
    assert run(words) == 5
    assert path.read_bytes() == before
    heard(RIGHT)
    assert run(words) == 0
    assert "evidence, not proof" in capsys.readouterr().out
    assert ConsentRecord.load(path).evidence[0].sentence.startswith("I agree that a computer may speak")
    assert run([*words, "--microphone"]) == 2


@pytest.fixture
def spoken_record(
    draft: Draft, key: ConsentKey, recording: Path, enrolment: Path, heard: Callable[[Heard], None]
) -> ConsentRecord:
    request = draft(acts=["voice"])
    spoken.ask(request)
    heard(RIGHT)
    return consent.sign(spoken.accept(request, recording, enrolment=enrolment), key)


def test_a_recording_is_listened_to_again(
    spoken_record: ConsentRecord, recording: Path, enrolment: Path, heard: Callable[[Heard], None]
) -> None:
    evidence = spoken.find_evidence(spoken_record, recording)
    assert evidence == spoken_record.evidence[0]
    with pytest.raises(EvidenceRefused, match="not the recording that the record names"):
        spoken.find_evidence(spoken_record, enrolment)
    found = spoken.listen_again(spoken_record, evidence, recording, spoken_record.references)
    assert found.similarity == RIGHT.similarity
    for wrong, why in ((replace(RIGHT, code="000000"), "code"), (replace(RIGHT, similarity=0.5), "voice")):
        heard(wrong)
        with pytest.raises(EvidenceRefused, match=f"does not bear the evidence out.*{why}"):
            spoken.listen_again(spoken_record, evidence, recording, spoken_record.references)
    with pytest.raises(ConsentMissing, match="no voice"):
        spoken.listen_again(spoken_record, evidence, recording, consent.References())


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "123456"},
        {"code": "1234567"},
        {"code": "١٢٣٤٥٦"},
        {"sentence": "Yes. My code is one."},
        {"sentence": "I agree | yes). My code is ; grammar"},
    ],
)
def test_evidence_of_another_sentence_is_not_listened_to(
    spoken_record: ConsentRecord, recording: Path, changes: dict[str, str]
) -> None:
    """Whoever signs writes what they like into the evidence."""
    evidence = replace(spoken_record.evidence[0], **changes)  # type: ignore[arg-type]
    with pytest.raises(EvidenceRefused, match="not the one that is asked for"):
        spoken.listen_again(spoken_record, evidence, recording, spoken_record.references)


def test_a_voice_of_another_length_is_not_compared(spoken_record: ConsentRecord, recording: Path) -> None:
    short = consent.References(voice=consent.Embedding.of(speaker.VOICE_MODEL, np.ones(64)))
    with pytest.raises(ConsentScope, match="another network"):
        spoken.listen_again(spoken_record, spoken_record.evidence[0], recording, short)


def test_made_up_figures_do_not_survive_the_recording(
    draft: Draft, key: ConsentKey, recording: Path, enrolment: Path
) -> None:
    """All of it for real: a hum, in whose evidence somebody wrote that all was well."""
    request = consent.add_references(draft(acts=["voice"]), voice=enrolment)
    evidence = consent.Evidence(
        "spoken",
        NOW,
        spoken._hash(recording),
        challenge.spell_sentence(request.acts, "742915"),
        "742915",
        "i agree",
        consent.spell_scores({"voice similarity": 0.99}),
        "somebody",
    )
    record = consent.sign(replace(request, evidence=(evidence,)), key)
    with pytest.raises(EvidenceRefused, match=r"does not bear .* Something else was said"):
        spoken.listen_again(record, spoken.find_evidence(record, recording), recording, record.references)


def test_a_record_without_evidence(record: ConsentRecord, recording: Path) -> None:
    with pytest.raises(ConsentMissing, match="no spoken evidence"):
        spoken.find_evidence(replace(record, evidence=()), recording)


def test_listening_again_on_the_command_line(
    spoken_record: ConsentRecord,
    recording: Path,
    enrolment: Path,
    tmp_path: Path,
    key: ConsentKey,
    heard: Callable[[Heard], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "anna.consent.json"
    path.write_bytes(spoken_record.to_bytes())
    words = ["consent", "check", str(path), "--recording"]
    assert run([*words, str(recording)]) == 0
    said = capsys.readouterr().out
    assert "said.wav: is the recording that the record names" in said
    assert "listened to again: the sentence and its code, in the record's voice" in said
    assert "0.9000" in said
    assert run([*words, str(recording), "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["recording"]["scores"]["voice similarity"] == 0.9
    assert run([*words, str(enrolment)]) == 5
    assert "not the recording" in capsys.readouterr().err
    heard(replace(RIGHT, code="000000"))
    assert run([*words, str(recording)]) == 5
    found = capsys.readouterr()
    assert "is the recording" in found.out
    assert "does not bear the evidence out" in found.err
    heard(RIGHT)
    consent.store(consent.revoke(spoken_record, key))
    assert run([*words, str(recording)]) == 5
    found = capsys.readouterr()
    assert "listened to again" in found.out
    assert "was taken back" in found.err
