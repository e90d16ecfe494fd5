"""The model file: whole or not there, and useless without consent."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from likeness import consent  # noqa: E402
from likeness.consent import ConsentKey, check  # noqa: E402
from likeness.engines.swap.model import FILE_NAME, PREVIOUS_NAME, SwapModel, save_model  # noqa: E402
from likeness.engines.swap.model_file import Header, read_model  # noqa: E402
from likeness.errors import (  # noqa: E402
    ConsentExpired,
    ConsentInvalid,
    ConsentMissing,
    ConsentRevoked,
    ConsentScope,
    MediaNotFound,
    ModelFormat,
    SubjectMismatch,
    UsageError,
)
from likeness.nn.swap import SwapNet  # noqa: E402
from likeness.training.swap.permit import compare  # noqa: E402

from ...swap_people import TINY, make_corpus_record, make_faces, make_record  # noqa: E402

NET = SwapNet(TINY)
DATA = {"A": "aa" * 32, "B": "bb" * 32}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ConsentKey:
    return consent.create_key(tmp_path_factory.mktemp("keys") / "key.pem")


def header(key: ConsentKey, *people: int) -> Header:
    """With the consent of person 1 (who is A) or 2 (who is B), compared as in training."""
    permissions = {}
    for person in people:
        given = check(make_record(person, key), act="swap")
        permissions["AB"[person - 1]] = given.compare(compare(make_faces(person, 6), given), must_match=True)
    return Header("slim64", TINY, permissions, DATA, {"steps": 3})  # type: ignore[arg-type]


def change(path: Path, **values: object) -> None:
    """Write the file again with something else in its header."""
    with safe_open(path, framework="pt") as file:
        known = json.loads(file.metadata()["likeness"])
    save_file(load_file(path), path, {"likeness": json.dumps(known | values)})


def test_it_comes_back(tmp_path: Path, key: ConsentKey) -> None:
    save_model(tmp_path / FILE_NAME, header(key, 1, 2), NET)
    model = SwapModel.load(tmp_path)
    assert (model.size_px, model.name, model.sides, model.data) == (32, "slim64", ("A", "B"), DATA)
    assert model.card == {"steps": 3}
    assert model.notes == ()
    [ref] = model.refs
    assert ref.name == "swap-slim64"
    faces = np.random.default_rng(0).integers(0, 256, (19, 32, 32, 3)).astype(np.uint8)
    seen = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
    for side in ("A", "B"):
        rgb, mask = model.swap(faces, side)
        with torch.no_grad():
            made = NET(seen, side.lower())
        assert rgb.dtype == mask.dtype == np.float32
        assert np.allclose(rgb, made.rgb.permute(0, 2, 3, 1).numpy(), atol=1e-5)
        assert np.allclose(mask, made.mask[:, 0].numpy(), atol=1e-5)
        note = model.permission(side).describe()
        assert note.kind == "subject"
        assert "the face fitted its reference" in note.statement
    assert [part.shape for part in model.swap(faces[:0])] == [(0, 32, 32, 3), (0, 32, 32)]
    with pytest.raises(UsageError, match="cannot be swapped"):
        model.swap(faces[:, :16])


def test_nobody_is_in_it_without_a_record(tmp_path: Path, key: ConsentKey) -> None:
    save_model(tmp_path / FILE_NAME, header(key, 2), NET)
    assert not any(name.startswith("decoders.a") for name in load_file(tmp_path / FILE_NAME))
    model = SwapModel.load(tmp_path / FILE_NAME)
    assert model.sides == ("B",)
    for ask in (model.permission, lambda to: model.swap(np.zeros((1, 32, 32, 3), np.uint8), to)):
        with pytest.raises(ConsentMissing, match="no consent of person A"):
            ask("A")


def test_a_corpus_record_compares_nobody(tmp_path: Path, key: ConsentKey) -> None:
    given = check(make_corpus_record(key), act="swap")
    save_model(tmp_path / FILE_NAME, replace(header(key, 2), permissions={"B": given}), NET)
    assert "benchmarks and tests only" in SwapModel.load(tmp_path).permission("B").describe().statement


def test_it_does_not_load_without_a_valid_record(tmp_path: Path, key: ConsentKey) -> None:
    path = tmp_path / FILE_NAME
    save_model(path, header(key, 2), NET)
    with safe_open(path, framework="pt") as file:
        whole = json.loads(file.metadata()["likeness"])["consent"]["B"]
    day = dt.date(2026, 1, 1)
    old = make_record(2, key, valid_from=day, valid_until=day).to_bytes().decode()
    other_act = make_record(2, key, acts=["voice"]).to_bytes().decode()
    altered = whole["record"].replace("a film", "a farm")
    for record, error in ((old, ConsentExpired), (other_act, ConsentScope), (altered, ConsentInvalid)):
        change(path, consent={"B": {**whole, "record": record}})
        with pytest.raises(error):
            SwapModel.load(path)
    change(path, consent={})
    with pytest.raises(ConsentMissing):
        SwapModel.load(path)
    change(path, consent={"B": {**whole, "compared": []}})
    with pytest.raises(SubjectMismatch, match="never compared"):
        SwapModel.load(path)
    unsure = {**whole["compared"][0], "verdict": "cannot tell"}
    change(path, consent={"B": {**whole, "compared": [unsure]}})
    with pytest.raises(SubjectMismatch):
        SwapModel.load(path)
    for value in (10**400, "0.3"):
        change(path, consent={"B": {**whole, "compared": [{**unsure, "value": value}]}})
        with pytest.raises(ModelFormat):
            SwapModel.load(path)
    change(path, consent={"B": whole})
    SwapModel.load(path)


def test_a_revoked_record_ends_it(tmp_path: Path, key: ConsentKey) -> None:
    made = header(key, 2)
    save_model(tmp_path / FILE_NAME, made, NET)
    revocation = consent.revoke(made.permissions["B"].record, key)
    other, beside = tmp_path / "elsewhere" / "b.revocation.json", tmp_path / "b.revocation.json"
    other.parent.mkdir()
    other.write_bytes(revocation.to_bytes())
    SwapModel.load(tmp_path / FILE_NAME)
    with pytest.raises(ConsentRevoked):
        SwapModel.load(tmp_path, revocations=[other])
    other.rename(beside)
    for path in (tmp_path, tmp_path / FILE_NAME):
        with pytest.raises(ConsentRevoked):
            SwapModel.load(path)


def test_the_one_before_is_kept(tmp_path: Path, key: ConsentKey) -> None:
    path = tmp_path / FILE_NAME
    save_model(path, header(key, 2), NET)
    save_model(path, replace(header(key, 2), card={"steps": 4}), NET)
    assert SwapModel.load(tmp_path).card == {"steps": 4}
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelFormat, match="damaged"):
        SwapModel.load(path)
    model = SwapModel.load(tmp_path)
    assert model.card == {"steps": 3}
    assert PREVIOUS_NAME in model.notes[0]
    path.unlink()
    assert SwapModel.load(tmp_path).card == {"steps": 3}
    (tmp_path / PREVIOUS_NAME).unlink()
    with pytest.raises(MediaNotFound):
        SwapModel.load(tmp_path)


@pytest.mark.parametrize(
    "values",
    [{"format": "x"}, {"version": 1}, {"version": 3}, {"config": {}},
     {"config": TINY.to_json() | {"latent": 10**12}}, {"data": []}, {"consent": 7},
     {"consent": {"B": 3}}, {"card": 3}, {"config": replace(TINY, latent=5).to_json()},
     {"consent": {"B": {"record": "{}", "compared": [{}]}}}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(tmp_path: Path, key: ConsentKey, values: dict) -> None:
    path = tmp_path / FILE_NAME
    save_model(path, header(key, 2), NET)
    change(path, **values)
    with pytest.raises(ModelFormat):
        SwapModel.load(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"x" * 100, b"\x80\x04N."):
        (tmp_path / "m.safetensors").write_bytes(content)
        with pytest.raises(ModelFormat):
            SwapModel.load(tmp_path / "m.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "m.safetensors")
    with pytest.raises(ModelFormat, match="not a face swap model"):
        read_model(tmp_path / "m.safetensors")
