"""`likeness swap convert` and `likeness swap quick`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from likeness import config
from likeness.cli import swap_convert
from likeness.media import probe

from ..pipelines.swap_fixtures import YESTERDAY, corpus_record
from .conftest import Outcome

Cli = Callable[..., Outcome]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.consent.json"
    corpus_record(tmp_path).save(path)
    return path


@pytest.mark.parametrize(
    ("command", "kind", "renamed", "others"),
    [
        (swap_convert.convert, config.SwapConfig, {}, {"clip", "model", "out", "note"}),
        (
            swap_convert.quick,
            config.QuickSwapConfig,
            {"number": "face"},
            {"clip", "shown", "consent", "out", "note"},
        ),
    ],
)
def test_it_offers_what_the_configuration_knows(
    command: Callable[..., None], kind: type[Any], renamed: dict[str, str], others: set[str]
) -> None:
    """The choices and defaults are written twice, since the configuration is too heavy for --help."""
    renamed = {"start": "start_s", "end": "end_s", **renamed}
    given = {
        renamed.get(name, name): parameter.default
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in others
    }
    known = {field.name: field.default for field in fields(kind)}
    assert given == known
    offered = get_type_hints(command)
    assert get_args(offered["colour"]) == get_args(config.Colour)
    if "mask" in offered:
        assert get_args(offered["mask"]) == get_args(config.MaskOf)


def test_help_names_both(cli: Cli) -> None:
    said = cli("swap", "--help").out
    assert "convert" in said
    assert "quick" in said
    for verb in ("convert", "quick"):
        outcome = cli("swap", verb, "--help")
        assert outcome.code == 0
        assert f"likeness swap {verb}" in outcome.out


def test_quick_makes_a_clip(
    cli: Cli, record: Path, carphone_path: Path, hopper_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    words = ("--face", hopper_path, "--consent", record, "-o", out, "--end", "0.3", "--no-occlusion")
    outcome = cli("swap", "quick", carphone_path, *words)
    assert outcome.code == 0, outcome.err
    clip = probe(carphone_path)
    assert (probe(out).width, probe(out).height) == (clip.width + clip.width % 2, clip.height)
    first, second, third = outcome.out.splitlines()[:3]
    assert first.startswith(str(out))
    assert "face replaced in" in second
    assert third == "marked with: label, watermark, credentials"
    assert cli("swap", "quick", carphone_path, *words).is_refusal(9)  # it is there already


def test_quick_without_a_good_record_opens_nothing(cli: Cli, tmp_path: Path) -> None:
    words = ("swap", "quick", tmp_path / "no.mp4", "--face", tmp_path / "no.png", "-o", tmp_path / "o.mp4")
    assert cli(*words).code == 2  # --consent has to be given
    assert cli(*words, "--consent", tmp_path / "none.json").is_refusal(5)
    old = tmp_path / "old.json"
    corpus_record(tmp_path, valid_from=YESTERDAY, valid_until=YESTERDAY).save(old)
    assert cli(*words, "--consent", old).is_refusal(5)
    good = tmp_path / "good.json"
    corpus_record(tmp_path).save(good)
    assert cli(*words, "--consent", good).is_refusal(3)


def test_quick_with_bad_files(
    cli: Cli, record: Path, bad_files: Path, carphone_path: Path, hopper_path: Path, tmp_path: Path
) -> None:
    def swap(clip: Path, face: Path) -> Outcome:
        return cli("swap", "quick", clip, "--face", face, "--consent", record, "-o", tmp_path / "o.mp4")

    for name, code in {
        "nobody.png": 4,
        "nobody.mp4": 4,
        "text.jpg": 3,
        "empty.mp4": 3,
        "huge.png": 3,
    }.items():
        assert swap(carphone_path, bad_files / name).is_refusal(code), name
    for name, code in {"nobody.mp4": 4, "text.mp4": 3, "truncated.mp4": 3, "sound_only.mp4": 3}.items():
        assert swap(bad_files / name, hopper_path).is_refusal(code), name
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--mask-blur", "2"),
        ("--face-scale", "3"),
        ("--sharpen", "-1"),
        ("--shape", "7"),
        ("--start", "2", "--end", "1"),
        ("--clip-face", "0"),
        ("--tsa-url", "ftp://x"),
    ],
)
def test_values_out_of_range_are_refused(words: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    outcome = cli("swap", "quick", "a", "--face", "b", "--consent", "c", "-o", "d.mp4", *words)
    assert outcome.is_refusal(2)


def test_convert_without_a_model(cli: Cli, carphone_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "o.mp4"
    assert cli("swap", "convert", carphone_path, "--model", tmp_path / "none", "-o", out).is_refusal(3)
    (tmp_path / "model.safetensors").write_bytes(b"no model" * 10)
    assert cli("swap", "convert", carphone_path, "--model", tmp_path, "-o", out).is_refusal(7)
    assert not out.exists()
