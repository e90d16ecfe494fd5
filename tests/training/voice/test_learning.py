"""Learning a voice: material, loss and steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.engines.voice.analysis import analyse
from likeness.engines.voice.disguise import Centre, Disguise
from likeness.errors import TrainingDiverged
from likeness.nn.voice_decoder import DecoderConfig, VoiceDecoder
from likeness.training.voice.learning import Learner
from likeness.training.voice.losses import spectral_loss
from likeness.training.voice.material import SPEEDS, Hearing, Sampler, Utterance, disguised, hear
from likeness.types import Floats

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> Floats:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def utterance(frames: int = 200) -> Utterance:
    """A buzz at 150 Hz, as loud as speech."""
    turns = np.arange(160 * frames) * 150 / 16_000
    samples = (0.05 * np.cos(2 * np.pi * np.outer((1, 2, 3), turns)).sum(0)).astype(np.float32)
    full = np.ones(frames, np.float32)
    speaker = np.full(256, 1 / 16, np.float32)
    contents = [numbers(int(frames / 2 * speed) + 1, 144) for speed in SPEEDS]
    hearings = disguised(contents, -2.5 * full, np.zeros(144, np.float32), Disguise(numbers(20, 144)))
    return Utterance(samples, 150 * full, full, np.float32(np.log(0.06)) * full, speaker, hearings)


def test_equal_sounds_have_no_loss() -> None:
    sound = torch.from_numpy(numbers(2, 8000)) * 0.1
    assert float(spectral_loss(sound, sound)) == pytest.approx(0, abs=1e-6)
    assert float(spectral_loss(-sound, sound)) == pytest.approx(0, abs=1e-4)  # phases do not count
    louder, noisier = spectral_loss(2 * sound, sound), spectral_loss(sound.flip(1), sound)
    assert float(louder) > 0.5
    assert float(noisier) > 0.3


def test_silence_has_a_slope() -> None:
    made = torch.zeros(1, 8000, requires_grad=True)
    spectral_loss(made, torch.from_numpy(numbers(1, 8000))).backward()
    assert made.grad is not None
    assert bool(made.grad.isfinite().all())


def test_louder_noise_is_heard_more() -> None:
    features = analyse(utterance().samples, 16_000)
    (clean,) = hear(features, [1.0])
    away = [
        float(np.abs(hear(features, [1.0], noise=noise, colour=colour)[0] - clean).mean())
        for noise, colour in ((0.0, 0.9), (0.003, 0.9), (0.03, 0.9), (0.03, 0.0))
    ]
    assert away[0] == 0
    assert 0 < away[1] < away[2]
    assert away[2] != away[3]
    one, other = (hear(features, [1.0], noise=0.03, seed=seed)[0] for seed in (1, 2))
    assert np.abs(one - other).mean() > 0


@pytest.mark.parametrize("speed", SPEEDS)
def test_content_is_found_at_every_speed(speed: float) -> None:
    """A ramp over time stays one."""
    count = int(100 * speed) + 2
    ramp = np.tile(np.arange(count, dtype=np.float32)[:, None] * 0.02 / speed, (1, 144))
    heard = Hearing(speed, ramp, -ramp).at(np.arange(20, 40, dtype=np.float32), 0.0)
    np.testing.assert_allclose(heard[:, 0], np.arange(20, 40) * 0.01, rtol=1e-4)
    np.testing.assert_allclose(
        Hearing(speed, ramp, -ramp).at(np.arange(5, dtype=np.float32), 0.5), 0, atol=1e-6
    )


def test_the_mean_of_speech_is_taken_away() -> None:
    one = utterance(2000)
    assert np.abs(one.hearings[0].content.mean(0)).max() < 0.05
    centre = Centre(np.ones(144, np.float32))
    np.testing.assert_allclose(centre.mean, 1)
    centre.hear(np.full((900, 144), 11, np.float32), np.full(900, -2, np.float32))
    np.testing.assert_allclose(centre.mean, 10, rtol=1e-5)
    centre.hear(np.full((900, 144), 99, np.float32), np.full(900, -8, np.float32))  # nobody speaks
    np.testing.assert_allclose(centre.mean, 10, rtol=1e-5)


def test_a_disguise_is_made_of_others() -> None:
    pool = numbers(50, 144)
    content = pool[:10] + 0.01
    disguise = Disguise(pool)
    np.testing.assert_array_equal(disguise(content, 0.0), content)
    whole = disguise(content)
    nearest = np.argmax(whole @ pool.T / np.linalg.norm(pool, axis=1), axis=1)
    np.testing.assert_array_equal(nearest, np.arange(10))
    np.testing.assert_allclose(disguise(content, 0.5), 0.5 * (content + whole), atol=1e-5)
    assert len(disguise(content[:0])) == 0


def test_batches_fit_together() -> None:
    batch = Sampler([utterance(), utterance(300)], RNG, stretches=3, frames=60).draw()
    assert batch.content.shape == (3, 60, 144)
    assert batch.samples.shape == batch.pulses.shape == (3, 9600)
    assert batch.speaker.shape == (3, 256)
    level = batch.samples.square().mean(1).sqrt().log()
    torch.testing.assert_close(level - batch.energy.mean(1), level.new_full((3,), 0.02), atol=0.05, rtol=0)


def test_learning_makes_the_sound_more_alike() -> None:
    torch.manual_seed(0)
    sampler = Sampler([utterance()], np.random.default_rng(0), stretches=2, frames=60)
    learner = Learner(VoiceDecoder(DecoderConfig(width=32, dilations=(1, 2))), rate=5e-3, memory=0.9)
    losses = [learner.learn(sampler.draw(), step / 40) for step in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    different = [
        float((a - b).detach().abs().max())
        for a, b in zip(learner.average.parameters(), learner.decoder.parameters(), strict=True)
    ]
    assert max(different) > 0


def test_nonsense_stops_learning() -> None:
    broken = utterance()
    broken.samples[:] = np.nan
    sampler = Sampler([broken], RNG, stretches=1, frames=60)
    learner = Learner(VoiceDecoder(DecoderConfig(width=16, dilations=(1,))), rate=1e-3, memory=0.9)
    with pytest.raises(TrainingDiverged):
        learner.learn(sampler.draw(), 0.0)
