"""The synthesiser of RVC: against golden files, and what must hold of any weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import Tensor  # noqa: E402

from likeness.engines.rvc.checkpoint import build_net, read_voice  # noqa: E402
from likeness.nn import rvc_decoder  # noqa: E402
from likeness.nn.rvc import RvcNet  # noqa: E402
from likeness.nn.rvc_config import RvcConfig  # noqa: E402
from likeness.nn.rvc_decoder import SineSource  # noqa: E402
from likeness.nn.rvc_encoder import WINDOW, RelativeAttention  # noqa: E402
from likeness.nn.rvc_flow import REACH  # noqa: E402

from ..rvc_models import GOLDEN, LAYOUTS, SAMPLES_PER_FRAME, fixed_waves, is_normed, net_of  # noqa: E402

VARIANTS = ("v1_f0_40k", "v1_nof0_48k", "v2_f0_48k", "v2_nof0_32k", "v2_f0_40k_f32")


@pytest.fixture
def golden(shared: Path) -> Path:
    folder = shared / "golden" / "rvc"
    if not folder.is_dir():
        pytest.skip("the golden files are not here")
    return folder


def said(frames: int, channels: int = 768, seed: int = 0) -> Tensor:
    return torch.randn(1, frames, channels, generator=torch.Generator().manual_seed(seed))


def largest(found: Tensor, wanted: NDArray[np.float32]) -> float:
    return float(np.abs(found.numpy() - wanted).max())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("variant", VARIANTS)
def test_published_layouts_give_the_published_waves(golden: Path, variant: str, threads: int) -> None:
    torch.set_num_threads(threads)
    voice = read_voice(golden / f"{variant}.pth")
    net = build_net(voice, variant)
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())
    with np.load(golden / f"{variant}.npz") as file:
        known = {name: torch.from_numpy(file[name])[None] for name in file.files}
    spoken = (known["phone"], known.get("pitch"), known.get("pitchf"))
    prior = net.enc_p(*spoken[:2])
    assert largest(prior.mean, known["m_p"].numpy()) < 1e-5
    assert largest(prior.log_scale, known["logs_p"].numpy()) < 1e-5
    who = net.emb_g(known["sid"])[..., None]
    assert largest(net.flow_from(prior, who, None), known["z"].numpy()) < 1e-5
    assert (net.dec.m_source is not None) == ("pitchf" in known) == voice.config.has_pitch
    if net.dec.m_source is not None:
        assert largest(net.dec.m_source(known["pitchf"], None)[0], known["excitation"].numpy()) < 1e-5
    draws = {"latent_noise": known["noise_z"], "source_noise": known.get("noise_source")}
    made = {
        "wave": net(*spoken, known["sid"]),
        "wave_sid_b": net(*spoken, known["sid_b"]),
        "wave_noise": net(*spoken, known["sid"], **draws),
    }
    if "wave_skip" in known:
        part = {"head": int(known["skip_head"]), "length": int(known["return_length"])}
        made["wave_skip"] = net(*spoken, known["sid"], **part)
    assert ("wave_skip" in made) == (variant == "v2_f0_48k")
    for name, wave in made.items():
        error = np.abs(wave.numpy() - known[name].numpy())
        assert error.max() < 1e-4, name
        assert error.mean() < 5e-6, name


@pytest.mark.parametrize(("version", "f0"), LAYOUTS)
def test_waves_stay_what_they_were(version: str, f0: int) -> None:
    """Made when the golden files above were matched, so that a change is noticed without them, too."""
    for name, wave in fixed_waves(version, f0).items():
        with np.load(GOLDEN) as file:
            error = np.abs(wave - file[name])
        assert wave.std() > 0.01, "a wave without any detail would show no mistake"
        assert error.max() < 1e-4, name
        assert error.mean() < 5e-6, name


@given(st.integers(1, 50))
@settings(max_examples=20)
def test_as_many_samples_as_frames_ask_for(frames: int) -> None:
    with torch.inference_mode():
        wave = net_of()(said(frames), torch.ones(1, frames).long(), torch.zeros(1, frames), torch.tensor([0]))
    assert wave.shape == (1, frames * SAMPLES_PER_FRAME)
    assert wave.abs().max() <= 1


@given(st.integers(1, 3 * WINDOW), st.integers(0, 2**31))
@settings(max_examples=25)
def test_attention_is_what_the_paper_says(frames: int, seed: int) -> None:
    """Equations 3 and 4 of Shaw et al., written out as sums."""
    torch.manual_seed(seed)
    net = RelativeAttention(6, 2).double()
    x = torch.randn(1, 6, frames, dtype=torch.float64)
    wanted = torch.zeros(1, 6, frames, dtype=torch.float64)
    with torch.inference_mode():
        query, key, value = (conv(x)[0] for conv in (net.conv_q, net.conv_k, net.conv_v))
        for head in (slice(0, 3), slice(3, 6)):
            q, k, v = query[head], key[head], value[head]
            for i in range(frames):
                near = [j - i + WINDOW if abs(j - i) <= WINDOW else None for j in range(frames)]
                keys = [k[:, j] + (0 if at is None else net.emb_rel_k[0, at]) for j, at in enumerate(near)]
                values = [v[:, j] + (0 if at is None else net.emb_rel_v[0, at]) for j, at in enumerate(near)]
                weights = torch.softmax(torch.stack([q[:, i] @ one / 3**0.5 for one in keys]), 0)
                wanted[0, head, i] = (weights[:, None] * torch.stack(values)).sum(0)
        assert torch.allclose(net(x), net.conv_o(wanted), atol=1e-12)


def test_the_flow_undoes_what_training_does() -> None:
    net = net_of()
    x = torch.randn(1, net.config.inter_channels, 20, generator=torch.Generator().manual_seed(1))
    who = net.emb_g(torch.tensor([1]))[..., None]
    forward = x
    for coupling in net.flow.flows.values():
        kept, other = forward.chunk(2, 1)
        shift = coupling.post(coupling.enc(coupling.pre(kept), who))
        assert shift.abs().mean() > 0.01, "nothing to undo"
        forward = torch.cat([kept, other + shift], 1).flip(1)
    assert (net.flow(forward, who) - x).abs().max() < 1e-5


def precise_flow() -> tuple[RvcNet, Tensor]:
    """In double precision, with far-reaching weights, and a speaker."""
    net = net_of().double()
    for coupling in net.flow.flows.values():
        for conv in coupling.enc.in_layers:
            conv.weight.mul_(2)
    return net, net.emb_g(torch.tensor([0]))[..., None]


def test_the_flow_hears_so_many_frames_and_no_more() -> None:
    net, who = precise_flow()
    x = torch.randn(1, net.config.inter_channels, 60, generator=torch.Generator().manual_seed(2)).double()
    other = x.clone()
    other[..., 0] += 1
    difference = (net.flow(x, who) - net.flow(other, who)).abs().amax((0, 1))
    assert (difference[: REACH + 1] > 1e-12).all()
    assert difference[REACH + 1 :].max() == 0


@pytest.mark.parametrize("head", [0, 1, REACH - 1, REACH, REACH + 1, 50])
def test_skipping_gives_the_latent_that_cutting_gives(head: int) -> None:
    net, who = precise_flow()
    prior = net.enc_p(said(80).double(), torch.full((1, 80), 40))
    noise = torch.randn(1, net.config.inter_channels, 80, generator=torch.Generator().manual_seed(2)).double()
    whole = net.flow_from(prior, who, noise)
    assert (net.flow_from(prior, who, noise, head) - whole[..., head:]).abs().max() < 1e-13


def test_skipping_gives_the_wave_that_cutting_gives() -> None:
    """Away from the borders, and without pitch, whose sine begins anew."""
    net, head, length = net_of(f0=0), 40, 50
    phone, who = said(100), torch.tensor([1])
    whole = net(phone, None, None, who)
    part = net(phone, None, None, who, head=head, length=length)
    assert part.shape == (1, length * SAMPLES_PER_FRAME)
    reach = net.dec.reach * SAMPLES_PER_FRAME
    assert 0 < 2 * reach < part.shape[1]
    cut = whole[:, head * SAMPLES_PER_FRAME : (head + length) * SAMPLES_PER_FRAME]
    assert cut.std() > 0.01
    assert (part - cut)[:, reach:-reach].abs().max() < 1e-5


@pytest.mark.parametrize("f0", [0, 1])
@pytest.mark.parametrize("chunk", [1, 7, 39, 40])
def test_chunks_meet_without_a_seam(f0: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rvc_decoder, "CHUNK_FRAMES", chunk)
    net = net_of(f0=f0).double()
    latent = torch.randn(
        1, net.config.inter_channels, 40, generator=torch.Generator().manual_seed(0)
    ).double()
    who = net.emb_g(torch.tensor([1]))[..., None]
    tone = net.dec.m_source(torch.full((1, 40), 200.0).double(), None) if net.dec.m_source else None
    whole, made = net.dec(latent, who, tone), net.dec.decode(latent, who, tone)
    assert made.shape == whole.shape
    assert (made - whole).abs().max() < 1e-12


@pytest.mark.parametrize("f0", [0, 1])
@pytest.mark.parametrize("numbers", [100, 700, 3000])
def test_tiles_meet_without_a_seam(f0: int, numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = net_of(f0=f0).double()
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(1, net.config.inter_channels, 6, generator=draw).double()
    who = net.emb_g(torch.tensor([1]))[..., None]
    tone = net.dec.m_source(torch.full((1, 6), 200.0).double(), None) if net.dec.m_source else None
    monkeypatch.setattr(rvc_decoder, "TILE_NUMBERS", 1 << 30)
    whole = net.dec(latent, who, tone)
    assert whole.std() > 0.001
    monkeypatch.setattr(rvc_decoder, "TILE_NUMBERS", numbers)
    assert (net.dec(latent, who, tone) - whole).abs().max() < 1e-12


@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 40))
def test_windows_cover_all_and_are_equally_long(length: int, step: int, reach: int) -> None:
    windows = list(rvc_decoder._windows(length, step, reach))
    assert [one.start for one in windows] == list(range(0, length, step))
    assert [one.end for one in windows] == [*range(step, length, step), length]
    assert {one.last - one.first for one in windows} == {min(length, step + 2 * reach)}
    for one in windows:
        assert 0 <= one.first <= max(one.start - reach, 0)
        assert min(one.end + reach, length) <= one.last <= length


def test_building_loads_no_compiler() -> None:
    """Some numbers on the device "meta" do: 75 MB, and seconds."""
    code = (
        "import sys, torch; from tests.rvc_models import net_of; net_of(); sys.exit('sympy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_published_size() -> None:
    """As it was counted in a published file: version 2 at 48 kHz, with weight norm in two parts."""
    config = RvcConfig(
        768, True, 192, 192, 768, 2, 6, 3, (3, 7, 11), ((1, 3, 5),) * 3, (12, 10, 2, 2), 512, (24, 20, 4, 4),
        109, 256, 48000,
    )  # fmt: skip
    with torch.device("meta"):
        state = RvcNet(config).state_dict()
    assert len(state) + sum(is_normed(key) for key in state) == 457
    assert round(sum(tensor.numel() for tensor in state.values()) / 1e6, 1) == 28.7


def test_skipping_begins_the_tone_anew() -> None:
    net = net_of()
    phone, hz = said(60), torch.linspace(100, 300, 60)[None]
    pitch = torch.full((1, 60), 70)
    part = net(phone, pitch, hz, torch.tensor([0]), head=30, length=10)
    assert net.dec.m_source is not None
    prior, who = net.enc_p(phone, pitch), net.emb_g(torch.tensor([0]))[..., None]
    latent = net.flow_from(prior, who, None)[..., 30:40]
    wanted = net.dec(latent, who, net.dec.m_source(hz[:, 30:40], None))[:, 0]
    assert (part - wanted).abs().max() < 1e-5


def test_a_tone_goes_on_where_it_was() -> None:
    hz = torch.linspace(90, 400, 30)[None]
    source = source_of()
    turned = float(hz[0, :11].double().sum()) / 100
    whole, part = source(hz, None), source(hz[:, 11:], None, turned)
    assert largest(part, whole[..., 11 * SAMPLES_PER_FRAME :].numpy()) < 1e-5
    assert largest(part, source(hz[:, 11:], None).numpy()) > 1e-3


def source_of(*, bias: float = 0.0) -> SineSource:
    source = net_of().dec.m_source
    assert source is not None
    source.l_linear.weight.data.fill_(1)
    source.l_linear.bias.data.fill_(bias)
    return source


def test_without_a_voice_there_is_no_tone() -> None:
    silent = source_of(bias=0.3)(torch.zeros(1, 20), None)
    assert torch.equal(silent, torch.full_like(silent, float(np.tanh(np.float32(0.3)))))
    noise = torch.randn(1, 20 * SAMPLES_PER_FRAME, generator=torch.Generator().manual_seed(0))
    breath = source_of()(torch.zeros(1, 20), noise)
    assert torch.allclose(breath, torch.tanh(noise * 0.1 / 3)[:, None])


def test_noise_is_fainter_under_a_tone() -> None:
    hz = torch.tensor([[200.0] * 10 + [0.0] * 10])
    noise = torch.randn(1, 20 * SAMPLES_PER_FRAME, generator=torch.Generator().manual_seed(0))
    added = torch.atanh(source_of()(hz, noise).double()) - torch.atanh(source_of()(hz, None).double())
    half = 10 * SAMPLES_PER_FRAME
    assert torch.allclose(added[0, 0, :half], noise[0, :half].double() * 0.003, atol=1e-6)
    assert torch.allclose(added[0, 0, half:], noise[0, half:].double() * 0.1 / 3, atol=1e-6)


@given(st.floats(50, 1100))
@settings(max_examples=20)
def test_the_tone_has_the_pitch_even_after_a_minute(hz: float) -> None:
    frames = 6000
    with torch.inference_mode():
        made = torch.atanh(source_of()(torch.full((1, frames), hz), None)[0, 0, -3200:].double())
    at = np.arange(frames * SAMPLES_PER_FRAME - 3200, frames * SAMPLES_PER_FRAME) + 1
    wanted = 0.1 * np.sin(2 * np.pi * (at * (float(np.float32(hz)) / 32000) % 1))
    assert np.abs(made.numpy() - wanted).max() < 1e-5


def test_speakers_differ() -> None:
    net, phone = net_of(f0=0), said(20)
    first, second = (net(phone, None, None, torch.tensor([sid])) for sid in (0, 1))
    assert (first - second).abs().mean() > 1e-3
