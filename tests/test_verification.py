from __future__ import annotations

import io
import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c2pa import Builder, C2paSignerInfo, C2paSigningAlg, Signer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from likeness.disclosure.credentials.statement import Statement, find_anchor, find_failures
from likeness.disclosure.credentials.store import SOURCE_TYPES, hash_file, open_context
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.seal import SealedVideo, seal_image
from likeness.disclosure.signer import identity
from likeness.errors import LikenessError, MediaNotFound, Unreadable, Unsupported
from likeness.types import Ingredient, Making
from likeness.verification import Verification, verify

PICTURE = np.tile(np.arange(96, dtype=np.uint8)[None, :, None], (80, 1, 3))


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own: its identity and trust list are nobody else's."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def make(folder: Path) -> Making:
    source = folder / "portrait.png"
    if not source.exists():
        Image.fromarray(PICTURE).save(source)
    return Making("animate", "mesh", "1", (Ingredient(source, "source"),))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A sealed picture."""
    seal_image(PICTURE, tmp_path / "sealed.png", make(tmp_path))
    return tmp_path / "sealed.png"


def clip(folder: Path, name: str) -> Path:
    """A sealed video."""
    with SealedVideo(folder / name, make(folder), width=96, height=80, rate=Fraction(25)) as video:
        for _ in range(5):
            video.write(PICTURE)
    return folder / name


def changed(path: Path, at: int) -> Path:
    """The file with one bit flipped."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    return path


def says(found: Verification) -> str:
    return " ".join(found.summary())


# Who signed


def test_own_identity_is_named_and_explained(picture: Path) -> None:
    found = verify(picture)
    assert (found.state, found.trusted, found.own, found.has_credentials) == ("valid", False, True, True)
    assert found.signer == identity.load_or_create().name
    assert "signed by this computer's own likeness identity" in says(found)
    assert "Others see an identity they have not chosen to trust" in says(found)


def test_a_stranger_is_named_as_one(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    found = verify(picture)
    assert (found.state, found.trusted, found.own) == ("valid", False, False)
    assert "signed by an identity you have not chosen to trust" in says(found)
    assert not (tmp_path / "elsewhere").exists()  # verifying makes no identity


def test_a_stranger_whose_certificate_was_added_is_trusted(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = identity.load_or_create().authority
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    identity.load_or_create()
    trust = tmp_path / "elsewhere" / "config" / "trust"
    trust.mkdir()
    (trust / "newsroom.pem").write_bytes(authority)
    found = verify(picture)
    assert (found.state, found.trusted, found.own) == ("valid", True, False)
    assert "newsroom.pem" in says(found)


def test_a_broken_trust_list_is_said_and_trusts_nobody(picture: Path, own_home: Path) -> None:
    (own_home / "config" / "trust").mkdir(parents=True)
    (own_home / "config" / "trust" / "bad.pem").write_text("hello")
    found = verify(picture)
    assert not found.trusted
    assert "bad.pem" in says(found)


def test_a_broken_identity_is_said_and_does_not_stop_verifying(picture: Path, own_home: Path) -> None:
    (own_home / "config").mkdir(parents=True)
    (own_home / "config" / "identity.pem").write_text("hello")
    found = verify(picture)
    assert (found.state, found.trusted) == ("valid", False)
    assert "identity.pem" in says(found)


def test_no_answer_calls_anything_authentic(picture: Path, tmp_path: Path) -> None:
    answers = [verify(picture), verify(make(tmp_path).ingredients[0].path)]
    answers.append(verify(changed(picture, -30)))
    for found in answers:
        words = says(found).lower()
        assert "authentic" not in words
        assert "genuine" not in words


# Changes


def test_one_bit_of_the_video_data(tmp_path: Path) -> None:
    path = clip(tmp_path, "clip.mp4")
    assert verify(path).state == "valid"
    found = verify(changed(path, path.read_bytes().index(b"mdat") + 200))
    assert (found.state, found.has_credentials, found.trusted) == ("invalid", True, False)
    assert "changed after it was signed" in found.reasons[0]
    assert "they do not hold" in says(found)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.gif"])
def test_one_bit_of_the_statement(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path, name)
    carrier = path.with_name("clip.webm.c2pa") if name == "clip.webm" else path
    data = carrier.read_bytes()
    changed(carrier, data.index(b"not stated"))
    found = verify(path)
    assert found.state == "invalid"
    assert not found.trusted
    assert "cannot" in says(found) or "changed" in says(found)


def test_one_bit_of_a_video_beside_its_credentials(tmp_path: Path) -> None:
    path = clip(tmp_path, "clip.webm")
    found = verify(changed(path, path.stat().st_size // 2))
    assert found.state == "invalid"
    assert "may also belong to another file" in says(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_anywhere_gets_past(tmp_path: Path, picture: Path, data: st.DataObject) -> None:
    """Whatever byte is changed: invalid, unreadable, or nothing that matters (padding that is not signed)."""
    whole = picture.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "changed.png"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
    try:
        found = verify(path)
    except LikenessError:
        return
    if found.state == "valid":
        start = whole.index(b"caBX")  # the chunk with the credentials; 4 bytes of length come before it
        assert start - 4 <= at < start + 8 + int.from_bytes(whole[start - 4 : start])
        before, after = (json.loads(one.manifest_json)["manifests"] for one in (verify(picture), found))
        assert after == before


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_cut_off_files(tmp_path: Path, keep: float) -> None:
    path = clip(tmp_path, "clip.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    try:
        assert verify(path).state == "invalid"
    except Unreadable as error:
        assert "damaged" in error.what


def test_an_ended_certificate(tmp_path: Path) -> None:
    """c2pa signs with no such certificate, so what it would report is fed in."""
    store = {"validation_results": {"activeManifest": {"failure": [{"code": "signingCredential.expired"}]}}}
    assert find_failures(store) == ("signingCredential.expired",)


# Nothing there


def test_absent_proves_nothing(tmp_path: Path) -> None:
    found = verify(make(tmp_path).ingredients[0].path)
    assert (found.state, found.has_credentials, found.trusted) == ("absent", False, False)
    assert "proves nothing" in says(found)
    assert found.sha256 == hash_file(found.path)


def test_a_sealed_file_that_was_encoded_again_has_lost_them(picture: Path, tmp_path: Path) -> None:
    Image.open(picture).save(tmp_path / "again.jpg")
    assert verify(tmp_path / "again.jpg").state == "absent"


def test_credentials_on_a_server_are_not_fetched(tmp_path: Path) -> None:
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        'dcterms:provenance="https://example.com/m.c2pa"/></rdf:RDF></x:xmpmeta>'
    )
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    Image.fromarray(PICTURE).save(tmp_path / "remote.png", pnginfo=info)
    found = verify(tmp_path / "remote.png")
    assert found.state == "absent"
    assert "server" in says(found)


def test_a_name_that_lies_does_not_matter(picture: Path, tmp_path: Path) -> None:
    assert verify(picture.rename(tmp_path / "sealed.jpg")).state == "valid"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", Unreadable),
        (b"hello, this is text\n" * 20, Unreadable),
        (b"\x00\x01\x02\x03" * 50, Unsupported),
    ],
)
def test_what_is_no_media(tmp_path: Path, content: bytes, error: type[LikenessError]) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(error, match=r"odd\.mp4") as raised:
        verify(path)
    assert raised.value.hint


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        verify(tmp_path / "gone.mp4")
    with pytest.raises(MediaNotFound, match="folder"):
        verify(str(tmp_path))


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"\x00\x00\x00\x18ftypmp42"]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.binary(max_size=400))
def test_rubbish_ends_in_an_answer_or_in_an_error_of_ours(tmp_path: Path, head: bytes, rest: bytes) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(head + rest)
    try:
        assert verify(path).state in ("absent", "invalid")
    except LikenessError as error:
        assert error.hint


# What other people's files say


def sign_elsewhere(path: Path, definition: dict[str, Any]) -> Path:
    """A picture with credentials that another program made."""
    maker = identity.load_or_create()
    info = C2paSignerInfo(C2paSigningAlg.ES256, maker.certificates, maker.key, None)
    source, target = io.BytesIO(), io.BytesIO()
    Image.fromarray(PICTURE).save(source, "PNG")
    with Builder(json.dumps(definition), open_context()) as builder, Signer.from_info(info) as signer:
        builder.sign(signer, "image/png", source, target)
    path.write_bytes(target.getvalue())
    return path


def created(**more: Any) -> dict[str, Any]:
    source = SOURCE_TYPES + "digitalCapture"
    return {
        "label": "c2pa.actions.v2",
        "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": source, **more}]},
    }


def test_files_of_other_programs(tmp_path: Path) -> None:
    definition = {
        "claim_generator_info": [{"name": "Camera", "version": "3"}],
        "assertions": [created()],
    }
    found = verify(sign_elsewhere(tmp_path / "other.png", definition))
    assert found.state == "valid"
    assert (found.act, found.engine) == ("c2pa.created", "Camera 3")
    assert found.digital_source_type == "digitalCapture"
    assert (found.rights, found.label, found.ingredients) == ("not stated", "", ())


def test_texts_of_strangers_cannot_reach_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\x07nice\r\n\u202egnp.exe" + "x" * 5000
    making = {
        "act": evil,
        "rights": {"kind": evil, "note": 3},
        "label": {"visible": True, "text": evil},
        "ingredients": [{"title": 5}, "x"],
    }
    definition = {
        "title": evil,
        "assertions": [
            created(softwareAgent={"name": evil}),
            {"label": "org.likeness.making", "data": making},
            {"label": "cawg.training-mining", "data": {"entries": {evil: {"use": evil}}}},
        ],
    }
    found = verify(sign_elsewhere(tmp_path / "evil.png", definition))
    for line in found.summary():
        assert line.isprintable()
        assert len(line) < 1000
    assert "nice" in found.act
    assert "\u202e" not in found.label


KEYS = (
    *("active_manifest", "manifests", "m", "assertions", "label", "data", "actions", "ingredients", "title"),
    *("making", "validation_results", "activeManifest", "failure", "code", "signature_info", "softwareAgent"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_without_an_error(value: object) -> None:
    store = {"active_manifest": "m", "manifests": {"m": value}, "validation_results": value}
    statement = Statement.read(store)
    assert isinstance(statement.signer, str)
    assert isinstance(find_failures(store), tuple)
    assert isinstance(find_anchor(store), str)


@given(st.text(max_size=2000))
def test_one_line(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert len(shown) <= 300


def test_a_sidecar_far_too_large_is_left_alone(tmp_path: Path) -> None:
    path = make(tmp_path).ingredients[0].path
    webm = tmp_path / "clip.webm"
    webm.write_bytes(b"\x1aE\xdf\xa3\x01\x00\x00\x00webm" + path.read_bytes())
    with (tmp_path / "clip.webm.c2pa").open("wb") as file:
        file.truncate(1 << 34)  # sparse: read at once it would take 16 GB
    assert verify(webm).state == "absent"


def test_a_sidecar_of_rubbish_is_damaged(tmp_path: Path) -> None:
    path = clip(tmp_path, "clip.webm")
    for rubbish in (b"rubbish", struct.pack(">I4s", 2**31, b"jumb") + bytes(50)):
        (tmp_path / "clip.webm.c2pa").write_bytes(rubbish)
        found = verify(path)
        assert found.state == "invalid"
        assert found.reasons[0]
