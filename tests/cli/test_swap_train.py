"""`likeness swap train` and `refine` on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from likeness import consent
from likeness.engines.swap.model import SwapModel
from likeness.facesets.faceset import FaceSet
from likeness.nn import swap as nets

from ..swap_people import TINY, make_corpus_record, make_faces, make_record, write_set
from .conftest import Outcome

Cli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(nets.MODELS, "slim64", TINY)  # type: ignore[arg-type]
    # Nobody is in these pictures: who it is said to be is believed.
    monkeypatch.setattr(FaceSet, "embed", lambda faces, record: record.identity)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Face sets A, B and few, and records."""
    folder = tmp_path_factory.mktemp("swap")
    key = consent.create_key(folder / "key.pem")
    write_set(make_faces(1), folder / "A")
    write_set(make_faces(2), folder / "B")
    write_set(make_faces(2, 20), folder / "few")
    for person, name in ((1, "A"), (2, "B"), (3, "C")):
        make_record(person, key).save(folder / f"{name}.consent.json")
    make_corpus_record(key).save(folder / "corpus.consent.json")
    return folder


def train(cli: Cli, place: Path, out: Path, *words: object, b: str = "B", record: str = "B") -> Outcome:
    faces = place / "A", place / b
    given = ["--consent", place / f"{record}.consent.json"] if record else []
    quick = ["--model", "slim64", "--batch-size", 2, "--preview-every", 0, "--device", "cpu", "--threads", 1]
    return cli("swap", "train", *faces, "-o", out, *given, *quick, *words)


def test_train_go_on_refine(cli: Cli, place: Path, tmp_path: Path) -> None:
    done = train(cli, place, tmp_path / "run", "--steps", 3)
    assert (done.code, done.err) == (0, "")
    assert re.search(r"model\.safetensors  3 steps in \d\.\d minutes", done.out)
    assert SwapModel.load(tmp_path / "run").sides == ("B",)
    again = train(cli, place, tmp_path / "run", "--steps", 5)
    assert "went on from step 3" in again.out
    refined = cli("swap", "refine", tmp_path / "run", "--gan", "--rounds", 1, "--steps", 2, "--device", "cpu")
    assert refined.code == 0
    assert re.search(r"round 1: (kept|rolled back|no help)", refined.out)
    assert re.search(r"B: sharpness \d\.\d\d → \d\.\d\d \(1 = real\), SSIM", refined.out)
    assert (tmp_path / "run" / "refinement.json").is_file()


def test_both_records(cli: Cli, place: Path, tmp_path: Path) -> None:
    done = train(cli, place, tmp_path / "run", "--steps", 1, "--consent", place / "A.consent.json")
    assert done.code == 0
    assert SwapModel.load(tmp_path / "run").sides == ("A", "B")


@pytest.mark.parametrize(
    ("words", "changes", "code", "says"),
    [
        ((), {"record": ""}, 5, "needs a consent record"),
        ((), {"record": "nobody"}, 5, "there is no such file"),
        ((), {"record": "C"}, 5, "another person's"),
        ((), {"b": "few"}, 4, "holds 20 faces; training needs 50"),
        ((), {"b": "A", "record": "corpus"}, 2, "show the same person"),
        ((), {"b": "nothing"}, 3, "no folder"),
        (("--steps", 1, "--minutes", 1), {}, 2, "Both steps and minutes"),
        (("--learning-rate", 7), {}, 2, "learning_rate is 7"),
        (("--encoder", "missing.safetensors"), {}, 3, "no file"),
        (("--vgg", "missing.pth"), {}, 3, "no file"),
    ],
)
def test_refusals(
    cli: Cli, place: Path, tmp_path: Path, words: tuple[object, ...], changes: dict, code: int, says: str
) -> None:
    steps = () if "--steps" in words else ("--steps", 1)
    done = train(cli, place, tmp_path / "run", *steps, *words, **changes)
    assert done.is_refusal(code), done.err
    assert says in done.err


def test_nothing_to_refine(cli: Cli, tmp_path: Path) -> None:
    assert cli("swap", "refine", tmp_path).is_refusal(3)


def test_ctrl_c(
    cli: Cli,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from likeness.training.swap.learner import SwapLearner

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SwapLearner, "step", stop)
    with pytest.raises(SystemExit) as ended:
        train(cli, place, tmp_path / "run", "--steps", 3)
    assert ended.value.code == 130
    assert "goes on from what was last saved" in capfd.readouterr().err
