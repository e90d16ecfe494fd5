"""The `.voice` file: whole, checked, and only under a consent record that holds now."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from likeness import consent
from likeness.consent.match import Comparison
from likeness.errors import (
    ConsentExpired,
    ConsentInvalid,
    ConsentMissing,
    ConsentRevoked,
    ConsentScope,
    LikenessError,
    MediaNotFound,
    ModelFormat,
    NotWritable,
    SubjectMismatch,
)
from likeness.voices.voice import PitchRange, Voice
from likeness.voices.voice_file import open_voice, write_voice

from ..voice_people import corpus_record, make_voice, subject_record

MATCH = Comparison("voice", "the samples", "match", 0.93, 0.8, 0.6, 1, 1)


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    return make_voice(corpus_record(tmp_path))


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the header, and leave everything else as it is."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    values = json.loads(head["__metadata__"]["likeness"])
    change(values)
    head["__metadata__"]["likeness"] = json.dumps(values)
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def test_round_trip(voice: Voice, tmp_path: Path) -> None:
    path = tmp_path / "anna.voice"
    sha256 = write_voice(voice, path)
    found = open_voice(path)
    assert (found.name, found.sha256, found.recordings) == ("anna", sha256, voice.recordings)
    assert (found.pitch, found.learnt.settings) == (voice.pitch, {"depth": 2})
    assert (found.learnt.engine, found.learnt.version) == ("quiet", "1")
    assert found.learnt.models == voice.learnt.models
    assert found.card == {"what": "a test"}
    assert found.permission.record == voice.permission.record
    np.testing.assert_array_equal(found.pool["samples"], voice.pool["samples"])
    assert found.pool["samples"].dtype == np.int16
    np.testing.assert_array_equal(found.decoder["gain"], voice.decoder["gain"])
    np.testing.assert_array_equal(found.speaker, voice.speaker)
    assert found.refs[0].sha256 == sha256
    assert "anna" not in str(found.refs)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_subject_needs_to_have_been_compared(tmp_path: Path) -> None:
    bare = make_voice(subject_record(tmp_path, np.full(256, 1 / 16, np.float32)))
    path = tmp_path / "anna.voice"
    write_voice(bare, path)
    with pytest.raises(SubjectMismatch, match="never compared"):
        open_voice(path)
    compared = dataclasses.replace(bare, permission=bare.permission.compare(MATCH))
    write_voice(compared, path)
    assert open_voice(path).permission.compared == (MATCH,)
    doubtful = dataclasses.replace(MATCH, verdict="cannot tell", value=0.7)
    write_voice(dataclasses.replace(bare, permission=bare.permission.compare(doubtful)), path)
    with pytest.raises(SubjectMismatch):
        open_voice(path)


def test_revoked(tmp_path: Path) -> None:
    key = consent.create_key(tmp_path / "anna.pem")
    said: dict[str, Any] = {
        "subject": "Anna",
        "requester": "Studio",
        "acts": ["voice"],
        "purposes": ["a film"],
    }
    record = consent.sign(consent.draft(**said), key)
    bare = make_voice(record)
    path = tmp_path / "anna.voice"
    write_voice(dataclasses.replace(bare, permission=bare.permission.compare(MATCH)), path)
    open_voice(path)
    taken_back = tmp_path / "anna.revocation.json"
    taken_back.write_bytes(consent.revoke(record, key).to_bytes())
    with pytest.raises(ConsentRevoked):
        open_voice(path)  # as it lies beside the voice
    elsewhere = tmp_path / "elsewhere" / "anna.voice"
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    open_voice(elsewhere)
    with pytest.raises(ConsentRevoked):
        open_voice(elsewhere, revocations=[taken_back])


def test_another_act(tmp_path: Path) -> None:
    record = corpus_record(tmp_path, acts=["swap"])
    voice = make_voice(corpus_record(tmp_path))
    path = tmp_path / "anna.voice"
    write_voice(dataclasses.replace(voice, permission=consent.check(record, act="swap")), path)
    with pytest.raises(ConsentScope):
        open_voice(path)


def test_expired(tmp_path: Path) -> None:
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    record = corpus_record(tmp_path, valid_from=yesterday, valid_until=yesterday)
    permission = consent.check(record, act="voice", when=yesterday)
    path = tmp_path / "anna.voice"
    write_voice(dataclasses.replace(make_voice(corpus_record(tmp_path)), permission=permission), path)
    with pytest.raises(ConsentExpired):
        open_voice(path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda v: v.update(format="likeness swap model"), ModelFormat),
        (lambda v: v.update(version=99), ModelFormat),
        (lambda v: v.pop("consent"), ConsentMissing),
        (
            lambda v: v["consent"].update(record=v["consent"]["record"].replace("Voices", "Noises")),
            ConsentInvalid,
        ),
        (lambda v: v.update(pitch={"median_hz": 0, "spread": 0.2}), ModelFormat),
        (lambda v: v.update(pitch={"median_hz": True, "spread": 0.2}), ModelFormat),
        (lambda v: v.update(pitch=[]), ModelFormat),
        (lambda v: v.update(arrays_sha256="00" * 32), ModelFormat),
        (lambda v: v.update(recordings=[{"name": 1, "sha256": "", "used_s": 0}]), ModelFormat),
        (lambda v: v.update(models=[{"name": "x", "sha256": "y"}]), ModelFormat),
        (lambda v: v.pop("card"), ModelFormat),
        (lambda v: v.pop("arrays_sha256"), ModelFormat),
        (lambda v: v.update(pitch={"median_hz": 10**400, "spread": 0.2}), ModelFormat),
        (
            lambda v: v["consent"].update(
                compared=[dataclasses.asdict(MATCH) | {"verdict": "cannot tell", "value": 10**400}]
            ),
            ModelFormat,
        ),
        (lambda v: v["consent"].update(compared=["x"]), ConsentMissing),
    ],
)
def test_a_header_that_says_something_else(
    voice: Voice, tmp_path: Path, change: Callable[[dict[str, Any]], None], error: type[LikenessError]
) -> None:
    path = tmp_path / "anna.voice"
    write_voice(voice, path)
    rewrite(path, change)
    with pytest.raises(error):
        open_voice(path)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.voice"
    with pytest.raises(MediaNotFound):
        open_voice(path)
    for data in (b"", b"PK\x03\x04 a zip", b"\x80\x02cos\nsystem\n(S'true'\ntR.", save({"x": np.zeros(3)})):
        path.write_bytes(data)
        with pytest.raises(ModelFormat):
            open_voice(path)


def test_numbers_that_are_none(voice: Voice, tmp_path: Path) -> None:
    spoilt = dataclasses.replace(voice.learnt, decoder={"gain": np.array([np.nan], np.float32)})
    path = tmp_path / "a.voice"
    write_voice(dataclasses.replace(voice, learnt=spoilt), path)
    with pytest.raises(ModelFormat, match="no number"):
        open_voice(path)


def test_nothing_half_written(voice: Voice, tmp_path: Path) -> None:
    with pytest.raises(NotWritable):
        write_voice(voice, tmp_path / "none" / "a.voice")
    assert not (tmp_path / "none").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255), cut=st.booleans())
def test_damage_is_noticed(voice: Voice, tmp_path: Path, at: float, bits: int, cut: bool) -> None:
    path = tmp_path / "a.voice"
    write_voice(voice, path)
    data = bytearray(path.read_bytes())
    place = int(at * len(data))
    if cut:
        data = data[:place]
    else:
        data[place] ^= bits
    path.write_bytes(data)
    try:
        found = open_voice(path)
    except LikenessError:
        return
    # Only what is said beside the arrays, and no more than a text, can have changed unnoticed.
    np.testing.assert_array_equal(found.pool["samples"], voice.pool["samples"])
    assert found.permission.record == voice.permission.record


def test_pitch_range() -> None:
    steps = np.random.default_rng(0).normal(0, 0.2, 4000)
    f0_hz = (150 * np.exp(steps)).astype(np.float32)
    voiced = np.ones(4000, np.float32)
    found = PitchRange.of(f0_hz, voiced)
    assert found is not None
    assert found.median_hz == pytest.approx(150, rel=0.02)
    assert found.spread == pytest.approx(0.2, rel=0.05)
    f0_hz[::20] *= 2  # octave errors
    again = PitchRange.of(f0_hz, voiced)
    assert again is not None
    assert again.spread == pytest.approx(0.2, rel=0.15)
    assert PitchRange.of(f0_hz, voiced * 0.4) is None
