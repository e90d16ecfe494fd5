"""WAVs that are signed without being held in memory say the same as all others, and hold as fast."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from c2pa import Reader

from likeness.disclosure.credentials import large_wav, signing, store
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.signer import identity
from likeness.errors import SealFailed
from likeness.types import Ingredient
from likeness.verification import verify

from .conftest import MakeMaking

ID = "urn:c2pa:12345678-1234-4123-8123-123456789abc"


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "LARGE_FILE_BYTES", 0)


@pytest.fixture
def only_c2pa(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with another version of c2pa, whose functions are not known."""
    monkeypatch.setattr(large_wav, "c2pa", SimpleNamespace(c2pa=object()))


@pytest.fixture
def credentials(making: MakeMaking) -> Credentials:
    return Credentials(
        making(act="voice"), identity.load_or_create(), label_text=None, layers=("credentials",)
    )


def wav(frames: int, *, width: int = 2, after: bytes = b"") -> bytes:
    """Noise, one channel of 8 or 16 bit, and perhaps other chunks after it."""
    data = np.random.default_rng(0).integers(0, 255, frames * width, np.uint8).tobytes()
    layout = struct.pack("<HHIIHH", 1, 1, 16_000, 16_000 * width, width, 8 * width)
    chunks = b"fmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data)) + data
    chunks += bytes(len(data) % 2) + after
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def sign(credentials: Credentials, data: bytes) -> bytes:
    target = io.BytesIO()
    store_bytes = credentials.sign(io.BytesIO(data), target, store.WAV, title="out.wav", manifest_id=ID)
    assert store_bytes in target.getvalue()
    return target.getvalue()


def read(data: bytes) -> tuple[str, dict[str, Any]]:
    """The state, and what is stated."""
    with Reader(store.WAV, io.BytesIO(data), None, store.open_context()) as reader:
        return reader.get_validation_state(), json.loads(reader.json())


@pytest.mark.parametrize("data", [wav(4000), wav(3999, width=1), wav(1000, after=b"LIST\x04\0\0\0INFO")])
def test_the_sound_is_as_it_was_and_the_credentials_hold(credentials: Credentials, data: bytes) -> None:
    signed = sign(credentials, data)
    assert signed[8 : len(data)] == data[8:]
    assert struct.unpack("<I", signed[4:8])[0] == len(signed) - 8
    assert signed[len(data) : len(data) + 4] == b"C2PA"
    assert read(signed)[0] == "Valid"


def test_c2pa_is_not_given_the_file(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing.Builder, "sign", lambda *_: pytest.fail("held in memory"))
    assert read(sign(credentials, wav(4000)))[0] == "Valid"


def test_it_says_what_c2pa_would_have_said(credentials: Credentials, request: pytest.FixtureRequest) -> None:
    ours = stated(sign(credentials, wav(4000)))
    request.getfixturevalue("only_c2pa")
    assert ours == stated(sign(credentials, wav(4000)))
    assert ours["label"] == ID
    assert len(ours["ingredients"]) == 2


def stated(data: bytes) -> Any:
    state, found = read(data)
    assert state == "Valid"
    return without_chance(found["manifests"][found["active_manifest"]])


def without_chance(value: Any) -> Any:
    """Without what is another each time: when it was signed, names that are drawn, and hashes of both."""
    if isinstance(value, dict):
        chance = {"hash", "when", "instance_id", "signature_info"}
        return {key: without_chance(one) for key, one in value.items() if key not in chance}
    return [without_chance(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("where", [5, 22, 44, 5000, -1, 8])
def test_every_change_is_noticed(credentials: Credentials, where: int) -> None:
    """Of the size, the layout, the sound, its end, and what is around the credentials."""
    sound = wav(4000)
    signed = bytearray(sign(credentials, sound))
    signed[where if where >= 0 else len(sound) + where] ^= 1
    try:
        state = read(bytes(signed))[0]
    except Exception as error:  # noqa: BLE001 — of c2pa, which may not find its way through it any more
        assert "C2pa" in type(error).__name__
    else:
        assert state == "Invalid"


def test_nothing_can_be_put_after_it(credentials: Credentials) -> None:
    signed = sign(credentials, wav(4000))
    more = b"LIST\x04\0\0\0INFO"
    longer = signed[:4] + struct.pack("<I", len(signed) + len(more) - 8) + signed[8:] + more
    assert read(longer)[0] == "Invalid"


def test_credentials_of_the_source_come_along(
    credentials: Credentials, making: MakeMaking, tmp_path: Path
) -> None:
    first = tmp_path / "first.wav"
    first.write_bytes(sign(credentials, wav(4000)))
    second = tmp_path / "second.wav"
    again = Credentials(
        making(ingredients=(Ingredient(first, "source"),)),
        identity.load_or_create(),
        label_text=None,
        layers=("credentials",),
    )
    with second.open("w+b") as target:
        again.sign(io.BytesIO(wav(2000)), target, store.WAV, title="second.wav")
    assert verify(second).state == "valid"
    assert read(second.read_bytes())[1]["manifests"].keys() >= {ID}


@pytest.mark.parametrize("data", [wav(4000) + b"more", wav(4000)[:-4], b"RIFX" + wav(4000)[4:], b"RIFF"])
def test_odd_files_are_left_to_c2pa(credentials: Credentials, data: bytes) -> None:
    """It is no matter here what c2pa makes of them; nothing may have been written before it."""
    asked = []

    def refuse(*given: Any) -> bytes:
        source, target = given[-2:]
        asked.append((source.tell(), target.getvalue()))
        return b"c2pa"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing.Builder, "sign", refuse)
        assert credentials.sign(io.BytesIO(data), io.BytesIO(), store.WAV, title="a.wav") == b"c2pa"
    assert asked == [(0, b"")]


def test_signed_ones_are_left_to_c2pa(credentials: Credentials) -> None:
    twice = sign(credentials, sign(credentials, wav(4000)))
    assert twice.count(b"C2PA") == 1
    assert read(twice)[0] == "Valid"


def test_a_refusal_is_told(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_wav, "_RAW", b"no/format")
    with pytest.raises(SealFailed, match=r"could not be signed: \w+"):
        sign(credentials, wav(4000))
