"""Whether media show the person of a record: the portrait of the demo, and somebody drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Embedding, References, gathering
from likeness.consent.gathering import MOST_FRAMES, add_references, gather_faces
from likeness.consent.match import Comparison, compare_faces, compare_media, tell_apart, worst
from likeness.consent.record import Act
from likeness.errors import MediaNotFound, NoFace, NoSpeech, SubjectMismatch, UsageError
from likeness.faces import identity
from likeness.media.video import probe
from likeness.speech import speaker

Draft = Callable[..., ConsentRecord]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, hopper_path: Path) -> Path:
    """A folder: Hopper, Hopper changed, nobody, and both the frame of a film and a film."""
    folder = tmp_path_factory.mktemp("people")
    hopper = Image.open(hopper_path).convert("RGB")
    hopper.save(folder / "hopper.png")
    ImageEnhance.Brightness(ImageOps.mirror(hopper)).enhance(0.8).resize((400, 469)).save(
        folder / "mirrored.jpg", quality=80
    )
    Image.new("RGB", (320, 240), (120, 130, 140)).save(folder / "nobody.png")
    return folder


def write_sound(path: Path, samples: NDArray[np.float64]) -> Path:
    """A wav of these samples, 16 kHz, -1 … 1."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        whole = np.rint(samples * 32767).astype(np.int16)[None]
        sound = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        sound.rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


def write_film(path: Path, images: list[Image.Image], each: int = 10) -> Path:
    """A film of these pictures, so many frames of each, ten a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height = images[0].size
        stream.pix_fmt = "yuv420p"
        for image in images:
            for _ in range(each):
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path


def a_stranger(carphone_path: Path) -> Image.Image:
    """A frame of the demo's driver."""
    with av.open(str(carphone_path)) as container:
        frame = next(container.decode(video=0))
        return frame.to_image().resize((704, 576), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def hopper(pictures: Path) -> References:
    """What Hopper looks like."""
    request = consent.draft(subject="Grace", requester="Ada", acts=["animate"], purposes=["a test"])
    return add_references(request, face=pictures / "hopper.png").references


@pytest.fixture(scope="module")
def two(pictures: Path, carphone_path: Path) -> Path:
    """Hopper and a stranger beside each other."""
    canvas = Image.new("RGB", (1216, 600))
    canvas.paste(Image.open(pictures / "hopper.png"), (0, 0))
    canvas.paste(a_stranger(carphone_path), (512, 12))
    canvas.save(pictures / "two.png")
    return pictures / "two.png"


def test_the_same_person(pictures: Path, hopper: References) -> None:
    for name in ("hopper.png", "mirrored.jpg"):
        (found,) = compare_media(pictures / name, hopper)
        assert (found.verdict, found.persons, found.looked_at) == ("match", 1, 1)
        assert found.value is not None
        assert found.value < found.match == identity.MATCH
        assert "fits the record's reference" in found.describe()


def test_somebody_else(pictures: Path, hopper: References, carphone_path: Path) -> None:
    a_stranger(carphone_path).save(pictures / "stranger.png")
    (found,) = compare_media(pictures / "stranger.png", hopper)
    assert found.verdict == "no match"
    assert found.value is not None
    assert found.value > found.no_match == identity.NO_MATCH
    assert f"{found.value:.3f}" in found.describe()


def test_every_face_counts(two: Path, hopper: References) -> None:
    (found,) = compare_media(two, hopper)
    assert (found.verdict, found.persons, found.looked_at) == ("no match", 2, 2)
    assert "2 different people" in found.describe()


def test_nobody_there(pictures: Path, hopper: References) -> None:
    (found,) = compare_media(pictures / "nobody.png", hopper)
    assert (found.verdict, found.value) == ("cannot tell", None)
    assert "no face was found" in found.describe()


def test_frames_all_over_a_film_are_looked_at(
    pictures: Path, hopper: References, carphone_path: Path
) -> None:
    portrait = Image.open(pictures / "hopper.png").resize((256, 300))
    alone = write_film(pictures / "alone.mp4", [portrait] * 2)
    (found,) = compare_media(alone, hopper)
    assert (found.verdict, found.looked_at) == ("match", MOST_FRAMES)
    stranger = Image.new("RGB", portrait.size)
    stranger.paste(a_stranger(carphone_path).resize((256, 210)))
    people = [portrait, portrait, portrait, stranger]
    changing = write_film(pictures / "changing.mp4", people)
    (found,) = compare_media(changing, hopper)
    assert (found.verdict, found.persons) == ("no match", 2)
    short = write_film(pictures / "short.mp4", [*people, stranger], each=1)
    (found,) = compare_media(short, hopper)
    assert (found.verdict, found.looked_at) == ("no match", 5)


def test_a_stranger_who_resembles_the_subject_does_not_vanish_in_a_median() -> None:
    def at(far: float) -> gathering.Seen:
        return gathering.Seen(np.eye(1, 128, dtype=np.float32)[0] * np.float32(far), 0)

    subject = Embedding.of(identity.FACE_MODEL, np.zeros(128, np.float32))
    own, stranger = [at(0.2), at(0.3), at(0.25), at(0.3), at(0.35)], [at(0.7), at(0.72)]
    assert len(tell_apart([*own, *stranger])) == 1, "close enough to the person's mean to join them"
    found = compare_faces([*own, *stranger], subject, "film")
    assert (found.verdict, found.persons, found.looked_at) == ("no match", 2, 7)
    assert found.value == pytest.approx(0.71)
    once = compare_faces([*own, stranger[0]], subject, "film")
    assert once.verdict == "cannot tell", "a face seen only once may be seen badly"
    assert compare_faces(own, subject, "film").verdict == "match"
    alone = compare_faces(stranger, subject, "film")
    assert (alone.verdict, alone.persons) == ("no match", 1)


def test_a_film_that_does_not_say_how_long_it_is(
    pictures: Path, hopper: References, carphone_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = Image.open(pictures / "hopper.png").resize((256, 300))
    stranger = Image.new("RGB", portrait.size)
    stranger.paste(a_stranger(carphone_path).resize((256, 210)))
    film = write_film(pictures / "endless.mp4", [portrait, stranger, stranger], each=7)
    monkeypatch.setattr(gathering, "probe", lambda path: replace(probe(path), duration_s=None))
    seen = gathering.gather_faces(film)
    assert [one.at_s for one in seen] == pytest.approx([0, 0.4, 0.8, 1.2, 1.6, 2.0])
    (found,) = compare_media(film, hopper)
    assert (found.verdict, found.persons) == ("no match", 2)


def test_a_record_without_a_face(pictures: Path) -> None:
    (found,) = compare_media(pictures / "hopper.png", References())
    assert (found.verdict, found.value) == ("cannot tell", None)
    assert "holds no face" in found.describe()


def test_embeddings_of_another_network_are_not_compared(pictures: Path, hopper: References) -> None:
    assert hopper.face is not None
    other = References(face=Embedding("another-network/7", hopper.face.values))
    (found,) = compare_media(pictures / "hopper.png", other)
    assert (found.verdict, found.value) == ("cannot tell", None)
    assert "another-network/7" in found.describe()
    shorter = Embedding(hopper.face.model, hopper.face.values[: 4 * 64])
    (found,) = compare_media(pictures / "hopper.png", replace(hopper, face=shorter))
    assert found.verdict == "cannot tell"
    assert "has 64 numbers" in found.describe()


def test_require_refuses_strangers(
    pictures: Path, two: Path, hopper: References, draft: Draft, key: ConsentKey
) -> None:
    record = consent.sign(add_references(draft(), face=pictures / "hopper.png"), key)
    assert record.references.face == hopper.face
    assert record.references.files[0].name == "hopper.png"
    allowed = consent.require(record, "animate", media=[pictures / "hopper.png"])
    assert [one.verdict for one in allowed.compared] == ["match"]
    assert "the face fitted its reference" in allowed.describe().statement
    with pytest.raises(SubjectMismatch, match=r"two\.png.*Anna Beispiel") as raised:
        consent.require(record, "animate", media=[pictures / "hopper.png", two])
    assert raised.value.exit_code == 5
    unsure = consent.require(record, "animate", media=[pictures / "nobody.png"])
    assert "no face was found" in unsure.notes[0]
    assert "nobody was compared" in unsure.describe().statement
    for name in ("nobody.png", "hopper.png"):
        bare = consent.sign(draft(), key)
        with pytest.raises(SubjectMismatch, match="surely"):
            consent.require(bare, "animate", media=[pictures / name], must_match=True)
    with pytest.raises(SubjectMismatch, match="no face was found"):
        consent.require(record, "animate", media=[pictures / "nobody.png"], must_match=True)
    consent.require(record, "animate", media=[pictures / "hopper.png"], must_match=True)
    with pytest.raises(MediaNotFound):
        consent.require(record, "animate", media=[pictures / "absent.png"])


@pytest.mark.parametrize("act", ["swap", "voice"])
def test_models_of_a_person_need_media_that_surely_show_the_person(
    pictures: Path, tmp_path: Path, hopper: References, draft: Draft, key: ConsentKey, act: Act
) -> None:
    # What cannot be told is not enough here: neither a face too small, nor a voice through a telephone.
    record = consent.sign(add_references(draft(acts=[act]), face=pictures / "hopper.png"), key)
    unclear = {"swap": pictures / "nobody.png", "voice": write_sound(tmp_path / "a.wav", np.zeros(16000))}[
        act
    ]
    with pytest.raises(SubjectMismatch, match="could not be compared"):
        consent.require(record, act, media=[unclear])
    consent.require(record, act, media=[unclear], must_match=False)
    with pytest.raises(UsageError, match="nothing to compare"):
        consent.require(record, act)


def test_a_reference_shows_one_person(pictures: Path, two: Path, draft: Draft) -> None:
    with pytest.raises(NoFace):
        add_references(draft(), face=pictures / "nobody.png")
    with pytest.raises(UsageError, match="2 different people"):
        add_references(draft(), face=two)


def test_people_are_told_apart(pictures: Path, two: Path) -> None:
    seen = [*gather_faces(two), *gather_faces(pictures / "mirrored.jpg")]
    assert sorted(len(person) for person in tell_apart(seen)) == [1, 2]


def test_a_recording_of_noise_is_no_voice(tmp_path: Path, draft: Draft) -> None:
    path = write_sound(tmp_path / "silence.wav", np.zeros(16000))
    with pytest.raises(NoSpeech):
        add_references(draft(), voice=path)
    known = References(voice=Embedding.of(speaker.VOICE_MODEL, np.full(256, 1 / 16)))
    (found,) = compare_media(path, known)
    assert (found.what, found.verdict, found.value) == ("voice", "cannot tell", None)
    assert "too little speech" in found.describe()


def test_sound_alone_is_no_picture(tmp_path: Path, hopper: References) -> None:
    """Whatever its name says."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        sound.rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    (found,) = compare_media(path, hopper)
    assert (found.what, found.verdict) == ("voice", "cannot tell")
    assert "the record holds no voice to compare with" in found.describe()


def test_the_statement_claims_no_more_than_was_seen(record: ConsentRecord) -> None:
    allowed = consent.check(record, act="animate")
    match = Comparison("face", "a.png", "match", 0.3, 0.5, 0.6)
    unsure = Comparison("face", "b.png", "cannot tell", 0.55, 0.5, 0.6)
    unseen = Comparison("face", "c.png", "cannot tell", None, 0.5, 0.6, why="it is too small")
    voice = Comparison("voice", "d.wav", "match", 0.9, 0.8, 0.65)

    def said(*found: Comparison) -> str:
        permission = allowed
        for one in found:
            permission = permission.compare(one)
        return permission.describe().statement.split("; ")[1]

    assert said() == said(unseen) == "nobody was compared with its reference."
    assert said(match) == said(match, match) == "the face fitted its reference."
    assert said(match, voice) == "the face and the voice fitted its reference."
    for found in ((unsure,), (match, unsure), (match, unseen)):
        assert said(*found).startswith("it could not be told for sure whether the face fitted"), found


def test_the_worst_counts() -> None:
    match, unsure, stranger = (
        Comparison("face", "a.png", verdict, 0.3, 0.5, 0.6)
        for verdict in ("match", "cannot tell", "no match")
    )
    assert worst([match]) == "match"
    assert worst([match, unsure]) == "cannot tell"
    assert worst([match, stranger, unsure]) == "no match"
    assert worst([]) == "cannot tell"
    assert stranger.to_json()["verdict"] == "no match"


def test_real_voices(shared: Path, draft: Draft, key: ConsentKey) -> None:
    """Two recordings of one speaker and one of another, where the folder of real media is at hand."""
    speech = shared / "media" / "speech"
    same, other = (
        sorted((speech / name).glob("*.flac")) for name in ("libri_2033_f0-162", "libri_367_f0-278")
    )
    if len(same) < 2 or not other:
        pytest.skip("needs ../shared/media/speech")
    record = consent.sign(add_references(draft(acts=["voice"]), voice=same[0]), key)
    allowed = consent.require(record, "voice", media=[same[1]])
    assert "the voice fitted its reference" in allowed.describe().statement
    with pytest.raises(SubjectMismatch, match="voice is another person's"):
        consent.require(record, "voice", media=[other[0]])


def test_nobody_is_called_a_stranger_through_a_telephone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 27 % of a person's own recordings through a telephone are less alike than "no match" asks for.
    draw = np.random.default_rng(1)
    known = References(voice=Embedding.of(speaker.VOICE_MODEL, np.full(256, 1 / 16)))
    stranger = np.concatenate([np.full(128, 1 / 16), np.full(128, -1 / 16)]).astype(np.float32)
    monkeypatch.setattr(speaker, "embed_voice", lambda *_, **__: stranger)
    spectrum = np.fft.rfft(draw.standard_normal(4 * speaker.RATE_HZ))
    for highest_hz, verdict in ((8000, "no match"), (3400, "cannot tell")):
        spectrum[int(len(spectrum) * highest_hz / (speaker.RATE_HZ / 2)) :] = 0
        sound = np.fft.irfft(spectrum)
        path = write_sound(tmp_path / "a.wav", 0.9 * sound / np.abs(sound).max())
        (found,) = compare_media(path, known)
        assert found.verdict == verdict
        assert ("telephone" in found.describe()) == (verdict == "cannot tell")
