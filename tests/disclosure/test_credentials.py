from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c2pa import Reader
from PIL import Image

from likeness.disclosure.credentials import store
from likeness.disclosure.credentials.signing import Credentials, plain
from likeness.disclosure.signer import identity
from likeness.errors import MediaNotFound, SealFailed
from likeness.types import Ingredient, Rights
from likeness.verification import verify

from .conftest import MakeMaking, moving_picture


def signed_png(credentials: Credentials, **options: Any) -> bytes:
    source, target = io.BytesIO(), io.BytesIO()
    Image.fromarray(moving_picture(1)).save(source, "PNG")
    credentials.sign(source, target, "image/png", title="out.png", **options)
    return target.getvalue()


def state(making: Any, text: str | None = "AI-generated") -> Credentials:
    return Credentials(making, identity.load_or_create(), label_text=text, layers=("label", "credentials"))


def read(data: bytes) -> dict[str, Any]:
    with Reader("image/png", io.BytesIO(data), None, store.open_context()) as reader:
        assert reader.get_validation_state() == "Valid"
        found: dict[str, Any] = json.loads(reader.json())
    return found


def active(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The active manifest, and its assertions by label."""
    found = read(data)
    manifest = found["manifests"][found["active_manifest"]]
    return manifest, {one["label"]: one["data"] for one in manifest["assertions"]}


def test_says_what_was_done_to_what(making: MakeMaking) -> None:
    manifest, assertions = active(signed_png(state(making())))
    opened, edited = assertions["c2pa.actions.v2"]["actions"]
    by_label = {one["label"]: one for one in manifest["ingredients"]}
    of_opened = [by_label[one["url"].split("/")[-1]] for one in opened["parameters"]["ingredients"]]
    of_edited = [by_label[one["url"].split("/")[-1]] for one in edited["parameters"]["ingredients"]]
    assert opened["action"] == "c2pa.opened"
    assert [(one["title"], one["relationship"]) for one in of_opened] == [("portrait.png", "parentOf")]
    assert edited["action"] == "c2pa.edited"
    assert edited["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert edited["softwareAgent"] == {"name": "likeness mesh", "version": "1.2.3"}
    assert edited["parameters"]["org.likeness.parameters"] == {"smooth": 0.5}
    assert [(one["title"], one["relationship"], one["format"]) for one in of_edited] == [
        ("driver.mpg", "inputTo", "video/mpeg")
    ]
    assert manifest["title"] == "out.png"
    assert manifest["claim_generator_info"][0]["name"] == "likeness"


def test_says_what_the_standard_has_no_field_for(making: MakeMaking, portrait: Path, driver: Path) -> None:
    rights = Rights("licensed", "contract 7")
    _, assertions = active(signed_png(state(making(rights=rights))))
    made = assertions["org.likeness.making"]
    assert made["act"] == "animate"
    assert made["label"] == {"visible": True, "text": "AI-generated"}
    assert made["layers"] == ["label", "credentials"]
    assert made["models"] == [{"name": "face-mesh", "sha256": "ab" * 32}]
    assert made["rights"] == {"kind": "licensed", "note": "contract 7"}
    assert [(one["role"], one["sha256"]) for one in made["ingredients"]] == [
        ("source", store.hash_file(portrait)),
        ("driver", store.hash_file(driver)),
    ]
    uses = assertions["cawg.training-mining"]["entries"]
    assert {name: entry["use"] for name, entry in uses.items()} == {
        "cawg.ai_generative_training": "notAllowed",
        "cawg.ai_training": "notAllowed",
        "cawg.data_mining": "notAllowed",
    }


def test_rights_that_nobody_stated_are_called_so(making: MakeMaking) -> None:
    _, assertions = active(signed_png(state(making(), None)))
    assert assertions["org.likeness.making"]["rights"] == {"kind": "not stated"}
    assert assertions["org.likeness.making"]["label"] == {"visible": False, "text": ""}


def test_no_thumbnails(making: MakeMaking) -> None:
    manifest, _ = active(signed_png(state(making())))
    assert "thumbnail" not in manifest
    assert all("thumbnail" not in one for one in manifest["ingredients"])


def test_audio_is_a_part_of_the_output(making: MakeMaking, portrait: Path, driver: Path) -> None:
    ingredients = (Ingredient(portrait, "source"), Ingredient(driver, "audio"))
    manifest, assertions = active(signed_png(state(making(ingredients=ingredients))))
    assert [one["action"] for one in assertions["c2pa.actions.v2"]["actions"]] == [
        "c2pa.opened",
        "c2pa.placed",
        "c2pa.edited",
    ]
    assert [one["relationship"] for one in manifest["ingredients"]] == ["parentOf", "componentOf"]


def test_without_ingredients_it_is_wholly_synthetic(making: MakeMaking) -> None:
    _, assertions = active(signed_png(state(making(ingredients=()))))
    created, edited = assertions["c2pa.actions.v2"]["actions"]
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert edited["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"ingredients": (), "models": ()}, "digitalCreation"),
        # What is made from something, or with what has learned, is never only drawn.
        ({"ingredients": ()}, "trainedAlgorithmicMedia"),
        ({"models": ()}, "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_what_a_program_drew(making: MakeMaking, fields: dict[str, object], kind: str) -> None:
    signed = signed_png(state(making(rendered=True, **fields)))
    _, assertions = active(signed)
    actions = assertions["c2pa.actions.v2"]["actions"]
    assert {one["digitalSourceType"].rpartition("/")[2] for one in actions if "digitalSourceType" in one} == {
        kind
    }


def test_many_files_from_one_statement_have_names_of_their_own(making: MakeMaking) -> None:
    credentials = state(making())
    chosen = store.new_manifest_id()
    assert read(signed_png(credentials, manifest_id=chosen))["active_manifest"] == chosen
    assert len({read(signed_png(credentials))["active_manifest"] for _ in range(3)}) == 3


def test_missing_ingredient(making: MakeMaking, tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound, match=r"gone\.png"):
        state(making(ingredients=(Ingredient(tmp_path / "gone.png", "source"),)))


@pytest.mark.parametrize(
    "content", [b"x", b"just text, whatever the name says", b"\x89PNG\r\n\x1a\n" + b"x" * 99]
)
def test_odd_ingredients_are_named_and_hashed(making: MakeMaking, tmp_path: Path, content: bytes) -> None:
    odd = tmp_path / "odd.png"
    odd.write_bytes(content)
    credentials = state(making(ingredients=(Ingredient(odd, "source"),)))
    manifest, assertions = active(signed_png(credentials))
    assert manifest["ingredients"][0]["title"] == "odd.png"
    assert assertions["org.likeness.making"]["ingredients"][0]["sha256"] == store.hash_file(odd)


def test_credentials_of_an_ingredient_come_along(making: MakeMaking, tmp_path: Path) -> None:
    first = signed_png(state(making()))
    path = tmp_path / "first.png"
    path.write_bytes(first)
    credentials = state(making(ingredients=(Ingredient(path, "source"),)))
    second = signed_png(credentials)
    assert credentials.notes == ()
    manifest, _ = active(second)
    assert manifest["ingredients"][0]["active_manifest"] == read(first)["active_manifest"]
    assert read(first)["active_manifest"] in read(second)["manifests"]


def test_changed_credentials_of_an_ingredient_are_recorded_as_such(
    making: MakeMaking, tmp_path: Path
) -> None:
    changed = bytearray(signed_png(state(making())))
    changed[-20] ^= 1  # in the picture
    path = tmp_path / "changed.png"
    path.write_bytes(changed)
    out = tmp_path / "out.png"
    out.write_bytes(signed_png(state(making(ingredients=(Ingredient(path, "source"),)))))
    (source,) = verify(out).ingredients
    assert source.credentials == "invalid"


def test_unreadable_credentials_of_an_ingredient_are_noted(making: MakeMaking, tmp_path: Path) -> None:
    damaged = bytearray(signed_png(state(making())))
    damaged[damaged.index(b"c2pa.claim.v2") - 10] ^= 0xFF
    path = tmp_path / "damaged.png"
    path.write_bytes(damaged)
    credentials = state(making(ingredients=(Ingredient(path, "source"),)))
    assert any("damaged.png" in note and "hash" in note for note in credentials.notes)
    manifest, _ = active(signed_png(credentials))
    assert manifest["ingredients"][0]["title"] == "damaged.png"


def test_too_many_credentials_of_an_ingredient_are_noted(
    making: MakeMaking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "first.png"
    path.write_bytes(signed_png(state(making())))
    monkeypatch.setattr("likeness.disclosure.credentials.ingredients.MAX_KEPT_BYTES", 1000)
    credentials = state(making(ingredients=(Ingredient(path, "source"),)))
    assert any("too much" in note for note in credentials.notes)


def test_an_identity_that_c2pa_refuses_is_found_at_once(
    making: MakeMaking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "SIGNER_DAYS", -1)
    monkeypatch.setattr(identity, "CLOCK_SKEW", identity.dt.timedelta(days=30))
    expired = identity._Bundle.create().identity(tmp_path)
    with pytest.raises(SealFailed, match="signed"):
        Credentials(making(), expired, label_text=None, layers=("credentials",))


def test_plain_keeps_json_and_drops_places() -> None:
    given = {
        "n": 1,
        "x": 0.5,
        "no": math.inf,
        "path": Path("/pictures/private/a.png"),
        "posix": "/pictures/private/b.png",
        "windows": "C:\\Users\\somebody\\c.png",
        "text": "a/b",
        "list": (True, None),
    }
    kept = plain(given)
    assert kept["path"] == "a.png"
    assert kept["posix"] == "b.png"
    assert kept["windows"] == "c.png"
    assert kept["text"] == "a/b"
    assert kept["list"] == [True, None]
    written = json.dumps(kept, allow_nan=False)
    assert "somebody" not in written
    assert "private" not in written
    with pytest.raises(TypeError):
        plain(np.zeros(2))
