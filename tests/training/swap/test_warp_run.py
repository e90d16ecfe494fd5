"""Training a swap by warping: the same loop, another kind of model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.engines.swap.model import FILE_NAME, SwapModel, open_model
from likeness.engines.swap.warp_model import WarpModel
from likeness.errors import ConsentMissing, ModelFormat, UsageError
from likeness.nn.swap_warp import WARP_MODELS, WarpConfig
from likeness.progress import Progress
from likeness.training.journal import read_journal
from likeness.training.swap import kinds, sheet
from likeness.training.swap.faces import Faces
from likeness.training.swap.kinds import gather_looks
from likeness.training.swap.refine import refine_swap
from likeness.training.swap.run import Rhythm, TrainedSwap, train_swap
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.warp_learner import WarpLearner
from likeness.types import Picture
from likeness.verification import verify

from ...swap_people import CUT_PX, make_faces

FAST = SwapSettings.of("warp64", batch_size=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WARP_MODELS, "warp64", WarpConfig(32, (4, 8)))  # type: ignore[arg-type]


def train(sets: tuple[Path, Path], consent: Path, out: Path, **more: object) -> TrainedSwap:
    said = {"settings": FAST, "rhythm": Rhythm(save=4, report=1, preview=0), "device": "cpu"}
    return train_swap(*sets, out, model="warp64", consent=consent, **{**said, **more})  # type: ignore[arg-type]


def test_it_goes_on_exactly_and_leaves_a_model(sets: tuple[Path, Path], corpus: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(sets, corpus, tmp_path / "cut", steps=10, on_progress=stop)
    assert train(sets, corpus, tmp_path / "cut", steps=10).resumed_at == 4
    train(sets, corpus, tmp_path / "whole", steps=10)
    one, other = (read_journal(tmp_path / name / "losses.jsonl") for name in ("whole", "cut"))
    assert [line["step"] for line in other] == list(range(10))
    for a, b in zip(one, other, strict=True):
        assert b == pytest.approx(a, rel=1e-5)
    model = open_model(tmp_path / "cut")
    assert isinstance(model, WarpModel)
    # It holds nothing of A, even under a record that covers both.
    assert model.sides == ("B",)
    assert set(model.card["identity"]) == {"B"}
    assert model.card["what"].endswith("anybody's performance.")
    with pytest.raises(ConsentMissing):
        model.permission("A")
    with pytest.raises(ModelFormat, match="no encoder"):
        SwapModel.load(tmp_path / "cut" / FILE_NAME)


def test_its_sheets_are_sealed(sets: tuple[Path, Path], of_b: Path, tmp_path: Path) -> None:
    train(sets, of_b, tmp_path / "run", steps=4, rhythm=Rhythm(save=0, report=0, preview=2))
    assert len(list((tmp_path / "run" / "previews").iterdir())) == 2
    for name in ("preview.jpg", "time-lapse.mp4"):
        assert verify(tmp_path / "run" / name).state == "valid"


def test_the_sheet_shows_a_mended_face_where_it_belongs(
    sets: tuple[Path, Path], of_b: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no picture of B reaches, as between lips, is what was filmed and no hole."""
    monkeypatch.setattr(
        WarpLearner, "mend", lambda learner, bent: np.zeros((len(bent), 32, 32, 3), np.float32)
    )
    sheets: list[Picture] = []
    monkeypatch.setattr(sheet, "save_sheet", lambda picture, *_: sheets.append(picture))
    train(sets, of_b, tmp_path / "run", steps=1, rhythm=Rhythm(save=0, report=0, preview=1))
    filmed, mended = (sheets[0][:168, 168 * i : 168 * (i + 1)].astype(int) for i in (2, 4))
    assert abs(filmed - mended)[8:24, 8:24].max() <= 2
    assert mended[84, 84].max() == 0  # but within the face it is what was made


def test_what_suits_the_other_kind_only_is_refused(
    sets: tuple[Path, Path], of_b: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has no encoder"):
        train(sets, of_b, tmp_path / "run", steps=2, encoder=tmp_path / "x.safetensors")
    with pytest.raises(UsageError, match="no model 'huge'") as told:
        train_swap(*sets, tmp_path / "run", model="huge", consent=of_b)
    assert "warp128, warp256, slim64" in told.value.hint
    train(sets, of_b, tmp_path / "run", steps=2)
    with pytest.raises(UsageError, match="nothing to sharpen"):
        refine_swap(tmp_path / "run", rounds=1, steps=1)


def test_looks_are_as_large_as_they_were_filmed() -> None:
    faces = make_faces(2, 60)
    small = Faces(faces.pictures, faces.points, faces.zoom, sides_px=np.full(60, 40.0, np.float32))
    looks, smaller = gather_looks(faces), gather_looks(small)
    assert len(looks) == len(smaller) == kinds.LOOKS  # of 60, those that differ most
    assert abs(len(looks[0].texture) - 1.1 * CUT_PX / 1.25) <= 4
    assert len(smaller[0].texture) == 64  # no smaller, whatever was filmed


def test_defaults_know_every_model() -> None:
    assert set(kinds.STEPS) == set(kinds.NAMES) >= {kinds.DEFAULT}
    for name in kinds.NAMES:
        assert kinds.config_of(name).size_px in (32, 64, 128, 256)
        assert (SwapSettings.of(name).augmentation.warp == 0) == name.startswith("warp")
