"""The voice benchmark's own measures say what they are said to say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import voice_listening as listening
from voice_aims import judge_aims, worse_than_copy
from voice_second import SecondSpeaker, log_mels, margins
from voice_sheets import HEIGHT_PX, WIDTH_PX, draw_spectrogram, write_sheet

RATE_HZ = 16_000
WORDS = st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=8)


@given(WORDS, WORDS)
def test_word_errors_are_a_distance(a: list[str], b: list[str]) -> None:
    there, back = (listening.count_errors(" ".join(x), " ".join(y)) for x, y in ((a, b), (b, a)))
    assert there["errors"] == back["errors"]
    assert abs(len(a) - len(b)) <= there["errors"] <= max(len(a), len(b))
    assert (there["errors"] == 0) == (a == b)
    assert there["words"] == len(a)


@pytest.mark.parametrize(
    ("text", "spelt"),
    [("42 lines", "forty two lines"), ("of 1455", "of 1455"), ("7, 13 or 20", "seven, thirteen or twenty")],
)
def test_small_numbers_are_spelt(text: str, spelt: str) -> None:
    assert listening.spell_numbers(text) == spelt


def test_the_error_of_a_rate_shrinks_with_what_was_heard() -> None:
    chance = np.random.default_rng(0)
    many = [{"errors": int(chance.binomial(20, 0.3)), "words": 20} for _ in range(160)]
    few = many[:10]
    assert listening.word_error_rate(many) == pytest.approx(0.3, abs=0.03)
    assert listening.standard_error(many) == pytest.approx(np.sqrt(0.3 * 0.7 / 3200), rel=0.3)
    assert listening.standard_error(few) > 2 * listening.standard_error(many)
    worse = [{"errors": one["errors"] + 2, "words": 20} for one in many]
    gap = listening.difference(worse, many)
    assert [gap[name] for name in ("low", "points", "high")] == pytest.approx([10, 10, 10])


def test_missing_parts_are_not_judged() -> None:
    assert judge_aims({}, {}) == {}
    rows = [{"whisper": {"errors": n, "words": 10}} for n in (1, 2)]
    copy = [{"whisper": {"errors": 1, "words": 10}}] * 2
    found = {"clear": {"a-b": {"rows": rows}}, "copy": {"a-b": {"rows": copy}, "c-d": {"rows": copy}}}
    gaps = worse_than_copy(found, "clear")
    assert set(gaps) == {"whisper"}
    assert gaps["whisper"]["points"] == pytest.approx(5)


def test_speakers_that_are_apart_have_no_equal_errors() -> None:
    apart = margins(np.array([0.7, 0.8, 0.9]), np.array([0.1, 0.2, 0.3]))
    assert apart["equal_error_rate"] == 0
    assert 0.3 <= apart["threshold"] <= 0.7
    mixed = margins(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    assert mixed["equal_error_rate"] == pytest.approx(0.5, abs=0.02)


def test_mel_bands_follow_a_tone() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    peaks = [log_mels(np.sin(2 * np.pi * hz * time_s)).mean(0).argmax() for hz in (200, 1000, 4000)]
    assert peaks == sorted(peaks)
    assert len(set(peaks)) == 3
    features = log_mels(np.zeros(RATE_HZ))
    assert features.shape == (98, 80)
    assert np.allclose(features, np.log(np.finfo(np.float32).eps))


def test_the_second_network_runs_as_it_was_published() -> None:
    """With random weights of the published shapes, two blocks instead of three."""
    net = SecondSpeaker(random_weights())
    sound = np.random.default_rng(0).standard_normal(2 * RATE_HZ).astype(np.float32)
    found = net.embed(sound)
    assert found.shape == (192,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert net.embed(0.1 * sound) == pytest.approx(found, abs=1e-3), "loudness is taken away"


def random_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    weights: dict[str, torch.Tensor] = {}

    def norm(name: str, channels: int, *, affine: bool = True) -> None:
        weights[f"{name}.running_mean"] = torch.zeros(channels)
        weights[f"{name}.running_var"] = torch.ones(channels)
        if affine:
            weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.ones(channels), torch.zeros(channels)

    def weigh(name: str, *shape: int) -> None:
        weights[f"{name}.weight"] = torch.randn(shape) / np.sqrt(np.prod(shape[1:]))

    weigh("head.conv1", 32, 1, 3, 3)
    weigh("head.conv2", 32, 32, 3, 3)
    norm("head.bn1", 32)
    norm("head.bn2", 32)
    for layer in ("layer1.0", "layer1.1", "layer2.0", "layer2.1"):
        for part in "12":
            weigh(f"head.{layer}.conv{part}", 32, 32, 3, 3)
            norm(f"head.{layer}.bn{part}", 32)
        if layer.endswith("0"):
            weigh(f"head.{layer}.shortcut.0", 32, 32, 1, 1)
            norm(f"head.{layer}.shortcut.1", 32)
    weigh("xvector.tdnn.linear", 128, 320, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", 128)
    for block, width in ((1, 128), (2, 64)):
        name = f"xvector.block{block}.tdnnd1"
        norm(f"{name}.nonlinear1.batchnorm", width)
        weigh(f"{name}.linear1", 128, width, 1)
        norm(f"{name}.nonlinear2.batchnorm", 128)
        weigh(f"{name}.cam_layer.linear_local", 32, 128, 3)
        for part, shape in (("linear1", (64, 128, 1)), ("linear2", (32, 64, 1))):
            weigh(f"{name}.cam_layer.{part}", *shape)
            weights[f"{name}.cam_layer.{part}.bias"] = torch.zeros(shape[0])
        norm(f"xvector.transit{block}.nonlinear.batchnorm", width + 32)
        weigh(f"xvector.transit{block}.linear", 64, width + 32, 1)
    norm("xvector.out_nonlinear.batchnorm", 64)
    weigh("xvector.dense.linear", 192, 128, 1)
    norm("xvector.dense.nonlinear.batchnorm", 192, affine=False)
    return weights


def test_a_tone_is_a_line_where_it_belongs(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 2000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    picture = draw_spectrogram(tone, RATE_HZ)
    assert picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    brightest = picture.sum(2).mean(1).argmax()
    assert brightest == pytest.approx(0.75 * HEIGHT_PX, abs=3)
    write_sheet(tmp_path / "sheet.png", {"a": tone, "b": tone[:8000]}, RATE_HZ)
    assert (tmp_path / "sheet.png").stat().st_size > 1000
