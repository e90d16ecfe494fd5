"""Converting with model files, as training writes them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from likeness.consent import check  # noqa: E402
from likeness.engines.swap.model import FILE_NAME, PREVIOUS_NAME, save_model  # noqa: E402
from likeness.engines.swap.model_file import Header  # noqa: E402
from likeness.engines.swap.nearest import look_at  # noqa: E402
from likeness.engines.swap.warp_model import save_warp_model  # noqa: E402
from likeness.errors import ConsentExpired, ConsentMissing, MediaNotFound, ModelFormat  # noqa: E402
from likeness.nn.swap import SwapNet  # noqa: E402
from likeness.nn.swap_warp import WarpConfig, WarpNet  # noqa: E402
from likeness.pipelines.swap import convert  # noqa: E402
from likeness.verification import verify  # noqa: E402

from ..puppet import Puppet  # noqa: E402
from ..swap_people import TINY  # noqa: E402
from .swap_fixtures import corpus_record  # noqa: E402

END_S = Fraction(1, 4)
KINDS = ("decoders", "warp")


def save(kind: str, folder: Path, header: dict[str, object] | None = None, *, broken: bool = False) -> Path:
    """A run's folder with a model that learned nothing."""
    torch.manual_seed(0)
    permission = check(corpus_record(folder.parent), act="swap")
    folder.mkdir(exist_ok=True)
    data = {"A": "aa" * 32, "B": "bb" * 32}
    config, net = (
        (TINY, SwapNet(TINY)) if kind == "decoders" else (small := WarpConfig(32, (4, 8)), WarpNet(small))
    )
    if broken:
        with torch.no_grad():
            next(net.parameters()).fill_(float("nan"))
    given = Header(f"tiny-{kind}", config, {"B": permission}, data, header or {})  # type: ignore[arg-type]
    if kind == "decoders":
        save_model(folder / FILE_NAME, given, net)
    else:
        look = Puppet()
        save_warp_model(folder / FILE_NAME, given, (look_at(look.draw(), look.face),), net)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_makes_a_clip(kind: str, talk: Path, folder: Path, tmp_path: Path) -> None:
    run = save(kind, tmp_path / "run")
    made = convert(talk, model=run, out=folder / "a.mp4", end_s=END_S)
    assert made.swapped_frames == made.frames == 8
    assert made.making.models[0].name == f"swap-tiny-{kind}"
    assert made.making.consent is not None
    assert verify(made.path).label
    assert convert(talk, model=run / FILE_NAME, out=folder / "b.mp4", end_s=END_S).frames == 8


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("decoders", {"shape": 0.2}),
        ("warp", {"mask": "face"}),
        ("warp", {"mask_erode": -0.1}),
        ("warp", {"shape": 0.2}),
    ],
)
def test_what_has_no_effect_is_said(
    kind: str, options: dict[str, object], talk: Path, folder: Path, tmp_path: Path
) -> None:
    run = save(kind, tmp_path / "run")
    made = convert(talk, model=run, out=folder / "a.mp4", end_s=Fraction(1, 10), **options)
    said = [warning for warning in made.warnings if "had no effect" in warning]
    assert len(said) == (options != {"shape": 0.2} or kind == "decoders")


def test_no_model_there(talk: Path, folder: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(MediaNotFound, match="no model") as told:
            convert(talk, model=path, out=folder / "a.mp4")
        assert "swap train" in told.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_no_numbers_are_refused(kind: str, talk: Path, folder: Path, tmp_path: Path) -> None:
    run = save(kind, tmp_path / "run", broken=True)
    with pytest.raises(ModelFormat):
        convert(talk, model=run, out=folder / "a.mp4", end_s=END_S)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_only_who_agreed_can_be_shown(kind: str, talk: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConsentMissing, match="person A"):
        convert(talk, model=save(kind, tmp_path / "run"), out=folder / "a.mp4", to="A")


def test_a_record_that_ended_since_stops_it(
    talk: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime as dt

    from likeness.consent import permission

    run = save("decoders", tmp_path / "run")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=800)
    monkeypatch.setattr(permission, "read_clock", lambda: later)
    with pytest.raises(ConsentExpired):
        convert(talk, model=run, out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_after_an_interrupted_save_the_model_before_is_used_and_said(
    talk: Path, folder: Path, tmp_path: Path
) -> None:
    run = save("decoders", tmp_path / "run")
    (run / FILE_NAME).rename(run / PREVIOUS_NAME)
    (run / FILE_NAME).write_bytes(b"half of it")
    made = convert(talk, model=run, out=folder / "a.mp4", end_s=END_S)
    assert any(PREVIOUS_NAME in warning for warning in made.warnings)


def test_a_card_that_knows_somebody_else_replaces_nobody(talk: Path, folder: Path, tmp_path: Path) -> None:
    """A's embedding far away from any face."""
    from likeness import models
    from likeness.errors import NoFace
    from likeness.faces.identity import MODEL

    if models.find(MODEL) is None:
        pytest.skip("needs the identity network")
    far = [float(one) for one in np.full(128, 0.5)]
    run = save("decoders", tmp_path / "run", {"identity": {"A": far}})
    with pytest.raises(NoFace, match="person A whom the model knows"):
        convert(talk, model=run, out=folder / "a.mp4", end_s=END_S)
    assert list(folder.iterdir()) == []
