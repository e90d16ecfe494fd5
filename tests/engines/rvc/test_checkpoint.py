"""Voice models of unknown origin: what is read, and what is refused with which words."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from likeness.engines.rvc import checkpoint  # noqa: E402
from likeness.engines.rvc.checkpoint import build_net, parse_voice, read_voice  # noqa: E402
from likeness.engines.rvc.library import load_synthesizer  # noqa: E402
from likeness.errors import ModelFormat  # noqa: E402
from likeness.nn.rvc import RvcNet  # noqa: E402

from ...rvc_models import SPEAKERS, changed, content  # noqa: E402

Content = dict[str, Any]


def build(parts: Content) -> RvcNet:
    return build_net(parse_voice(parts, "a.pth"), "a.pth")


def without(*names: str) -> Content:
    parts = content()
    for name in names:
        parts["weight"].pop(name, None)
    return {key: value for key, value in parts.items() if key not in names}


def with_weight(name: str, value: object) -> Content:
    parts = content()
    parts["weight"][name] = value
    return parts


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("half", [False, True])
def test_both_ways_of_saving_and_both_precisions_are_read(tmp_path: Path, legacy: bool, half: bool) -> None:
    path, parts = tmp_path / "anna.pth", content(half=half)
    torch.save(parts, path, _use_new_zipfile_serialization=not legacy)
    voice = read_voice(path)
    net = build_net(voice, path.name)
    assert voice.tensors["emb_g.weight"].dtype == (torch.float16 if half else torch.float32)
    assert torch.equal(net.emb_g.weight, parts["weight"]["emb_g.weight"].float())
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())
    assert not net.training


def test_the_speaker_table_counts_and_not_what_is_said_of_it() -> None:
    assert content()["config"][-3] == 109
    assert build(content()).config.speakers == SPEAKERS


def test_weight_norm_is_folded_as_torch_does() -> None:
    draw = torch.Generator().manual_seed(0)
    for net, key in (
        (nn.Conv1d(4, 6, 3), "dec.resblocks.0.convs1.0"),
        (nn.ConvTranspose1d(4, 6, 3), "dec.ups.0"),
    ):
        normed = nn.utils.parametrizations.weight_norm(net, dim=0)
        normed.parametrizations.weight.original0.data.uniform_(0.5, 2, generator=draw)
        g, v = (
            normed.parametrizations.weight.original0.detach(),
            normed.parametrizations.weight.original1.detach(),
        )
        folded = checkpoint._fold({f"{key}.weight_g": g, f"{key}.weight_v": v}, "a")
        assert torch.allclose(folded[f"{key}.weight"], normed.weight, atol=1e-6)
        assert set(folded) == {f"{key}.weight"}


def test_newer_names_of_weight_norm_are_understood() -> None:
    parts = content()
    parts["weight"] = {
        key.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): value
        for key, value in parts["weight"].items()
    }
    wanted, got = build(content()).state_dict(), build(parts).state_dict()
    assert all(torch.equal(wanted[key], got[key]) for key in wanted)


def test_what_only_training_needs_is_left_out() -> None:
    build(with_weight("enc_q.pre.weight", torch.ones(2, 2, 1)))


def test_the_first_models_did_not_say_what_they_are() -> None:
    parts = content(version="v1")
    del parts["version"], parts["f0"], parts["info"], parts["sr"]
    net = build(parts)
    assert (net.config.content_channels, net.config.has_pitch) == (256, True)


WRONG: list[tuple[str, Callable[[], object]]] = [
    ("First Order Motion Model", lambda: {"generator": {}, "kp_detector": {}, "epoch": 1}),
    ("a training's state", lambda: {"model": {}, "iteration": 3, "optimizer": {}, "learning_rate": 1e-4}),
    (r"no part “weight” \(it has: config, f0, info and 2 more\)", lambda: without("weight")),
    ("no part “weight”", lambda: [1, 2]),
    ("no part “weight”", lambda: {**content(), "weight": torch.ones(3)}),
    ("else than tensors", lambda: with_weight("a", 3.0)),
    ("lacks emb_g.weight", lambda: without("emb_g.weight")),
    ("lacks enc_p.proj.bias", lambda: without("enc_p.proj.bias")),
    (r"lacks dec\.ups\.1\.weight_v", lambda: without("dec.ups.1.weight_v")),
    (r"lacks dec\.ups\.1\.weight_g", lambda: without("dec.ups.1.weight_g")),
    (r"lacks dec\.m_source.*, enc_p\.emb_pitch|lacks .*noise_convs", lambda: {**content(f0=0), "f0": 1}),
    ("has no place for", lambda: {**content(), "f0": 0}),
    ("“extra”|has extra, which", lambda: with_weight("extra", torch.ones(1))),
    ("is no table", lambda: with_weight("emb_g.weight", torch.ones(3))),
    ("is no table", lambda: with_weight("emb_g.weight", torch.ones(0, 6))),
    ("emb_g.weight in .* is 3×7, and the configuration makes it 3×6",
     lambda: with_weight("emb_g.weight", torch.ones(3, 7))),
    ("do not match", lambda: with_weight("dec.ups.1.weight_g", torch.ones(3, 1, 1))),
    ("no direction", lambda: with_weight("dec.ups.1.weight_v", torch.zeros(16, 8, 16))),
    ("what is no number", lambda: with_weight("enc_p.proj.bias", torch.full((8,), float("nan")))),
    ("what is no number", lambda: with_weight("enc_p.proj.bias", torch.full((8,), float("inf")).half())),
    ("what is no number", lambda: with_weight("enc_p.proj.bias", torch.ones(8).long())),
    ("does not hold the numbers", lambda: with_weight("enc_p.proj.bias", torch.ones(1).expand(1 << 40))),
    ("of version “v3”; known are v1, v2", lambda: {**content(), "version": "v3"}),
    ("of version “2”", lambda: {**content(), "version": 2}),
    (r"of version “\[1\]”", lambda: {**content(), "version": [1]}),
    ("says that it is v1, but listens to 768 numbers a frame, as v2 does",
     lambda: {**content(), "version": "v1"}),
    ("listens to 700 numbers a frame, instead of",
     lambda: with_weight("enc_p.emb_phone.weight", torch.ones(8, 700))),
    ("“f0” in a.pth is 2", lambda: {**content(), "f0": 2}),
    ("“f0” in a.pth is yes", lambda: {**content(), "f0": "yes"}),
]  # fmt: skip


@pytest.mark.parametrize(("says", "make"), WRONG, ids=[f"{n}-{says}" for n, (says, _) in enumerate(WRONG)])
def test_what_does_not_fit_is_refused(says: str, make: Callable[[], Any]) -> None:
    with pytest.raises(ModelFormat, match=says) as found:
        build(make())
    assert found.value.hint
    assert found.value.what.isprintable()


CONFIGS: list[tuple[int | None, object, str]] = [
    (None, None, "a list of 18 values, and is NoneType"),
    (None, [1, 2], "and is 2 values"),
    (None, "x" * 18, "and is str"),
    (2, 5, "inter channels .* even"),
    (2, 10**9, "a whole number from 2 to 4096"),
    (3, True, "hidden channels .* a whole number"),
    (3, torch.tensor(8), "hidden channels .* a whole number"),
    (5, 3, "a divisor"),
    (6, 10**6, "layers"),
    (7, 1 << 60, "kernel size"),
    (9, "2", "kind of residual block .* should be 1"),
    (10, [3, 4], "odd"),
    (10, [3] * 1000, "one to 8 whole numbers"),
    (11, [[1, 3]], "as many lists"),
    (11, 3, "a list of one to 8 lists"),
    (12, [10, 8, 2], "one for each rate"),
    (12, [10, 8, 2, -2], "upsampling rates"),
    (13, 8, "at least 16, to be halved 4 times"),
    (14, [20, 15, 4, 4], "larger than it by an even number"),
    (14, [8, 16, 4, 4], "larger than it"),
    (16, 0, "speaker channels"),
    (17, 48000, "100 times the product"),
    (17, "32k", "a whole number from 8000 to 192000"),
]


@pytest.mark.parametrize(("index", "value", "says"), CONFIGS)
def test_a_wrong_configuration_says_what_is_wrong(index: int | None, value: object, says: str) -> None:
    config = value if index is None else changed(index, value)
    with pytest.raises(ModelFormat, match=says) as found:
        build({**content(), "config": config})
    assert len(found.value.what) < 300


@pytest.mark.parametrize("f0", [0, 1])
def test_the_excitation_has_to_come_out_as_long_as_the_wave(f0: int) -> None:
    config = content()["config"]
    config[12], config[14] = [8, 8, 1, 5], [20, 16, 3, 7]
    if f0:
        with pytest.raises(ModelFormat, match="even at the end"):
            build({**content(), "config": config})
    else:
        with pytest.raises(ModelFormat, match="configuration makes it"):  # of other kernels, but possible
            build({**content(f0=0), "config": config})


def test_a_configuration_that_asks_for_too_much_gets_nothing() -> None:
    """Each value is in its range; all together they would take many gigabytes."""
    config = content()["config"]
    config[3:7] = [4096, 16384, 2, 48]
    with pytest.raises(ModelFormat, match=r"asks for \d+ million numbers"):
        build({**content(), "config": config})


class Dangerous:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (print, ("this must never be printed",))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_program_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], legacy: bool) -> None:
    path = tmp_path / "anna.pth"
    torch.save({**content(), "info": Dangerous()}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelFormat, match="run code"):
        load_synthesizer(path)
    assert "never" not in capsys.readouterr().out
