"""Teach the voice decoder many speakers: this made `src/likeness/engines/voice/weights`.

python benchmarks/voice_pretrain.py CORPUS --out decoder.safetensors [--minutes 60]

CORPUS is a folder of recordings of English speech, each of one speaker, whose file names begin with the
speaker ("103-1240-0000.flac"); of LibriSpeech's train-clean-100 (CC BY 4.0), one utterance per speaker was
used.
Features are kept in a folder beside the output. What was learned so far is written every hundred steps.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from likeness.engines.voice.analysis import FRAME_S, LEVEL, Features, analyse
from likeness.engines.voice.disguise import Centre, Disguise
from likeness.media.mono import read_mono
from likeness.nn.voice_decoder import DecoderConfig, VoiceDecoder
from likeness.speech.speaker import embed_voice
from likeness.training.voice.learning import Learner
from likeness.training.voice.material import SPEEDS, Sampler, Utterance, disguised, hear
from likeness.types import Floats

RATE_HZ = 16_000
POOL = 4096  # frames
REPORT = 100  # steps
NOISY = 2  # times that each recording is also heard in noise
NOISE_DB = (-25.0, -4.0)  # against the speech
COLOUR = (0.0, 0.97)
SPEED = (min(SPEEDS), max(SPEEDS))


def main() -> None:
    options = read_options()
    paths = sorted(path for path in options.corpus.iterdir() if path.suffix in {".flac", ".wav"})
    usual, pool, utterances = prepare(paths, options.out.with_suffix(".features"))
    hours = sum(map(len, utterances)) * FRAME_S / 3600
    print(f"{len(utterances)} utterances, {hours:.2f} h", flush=True)
    decoder = VoiceDecoder(DecoderConfig())
    set_content_scale(decoder, utterances)
    print(f"{sum(one.numel() for one in decoder.parameters())} parameters", flush=True)
    if options.start:
        known = load_file(options.start)
        decoder.load_state_dict({n.removeprefix("decoder."): t for n, t in known.items() if "decoder" in n})
    learner = Learner(decoder, rate=options.rate, memory=0.998)
    sampler = Sampler(utterances, np.random.default_rng(options.seed), stretches=6, frames=96)
    losses, begun, done = [], time.monotonic(), 0.0
    while done < 1:
        losses.append(learner.learn(sampler.draw(), done))
        done = (time.monotonic() - begun) / (60 * options.minutes)
        if learner.step % REPORT == 0 or done >= 1:
            line = {"step": learner.step, "loss": round(float(np.mean(losses[-REPORT:])), 4)}
            line |= {"wall_s": round(time.monotonic() - begun), "cpu_s": round(time.process_time())}
            print(json.dumps(line), flush=True)
            save(options.out, learner.average, usual, pool)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="go on from these weights, instead of random ones")
    parser.add_argument(
        "--minutes", type=float, default=60, help="of wall time; the learning rate falls until then"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.2e-3)
    return parser.parse_args()


def prepare(paths: list[Path], cache: Path) -> tuple[Floats, Floats, list[Utterance]]:
    """The usual mean of content, a pool of it, and the utterances.

    There are two pools, of every other speaker each, and everybody is disguised by the one without them.
    """
    cache.mkdir(parents=True, exist_ok=True)
    features = [load_or_analyse(path, cache / f"{path.stem}.npz") for path in paths]
    energies = [one["energy"][::2] for one in features]
    # Content has a frame more, around the end.
    plain = [
        one[f"content_{SPEEDS.index(1.0)}"][: len(energy)].astype(np.float32)
        for one, energy in zip(features, energies, strict=True)
    ]
    usual = np.concatenate([c[energy > -6] for c, energy in zip(plain, energies, strict=True)]).mean(0)
    own = []
    for content, energy in zip(plain, energies, strict=True):
        centre = Centre(usual)
        centre.hear(content, energy)
        own.append(content - centre.mean)
    rng = np.random.default_rng(0)
    halves = [np.concatenate(own[half::2]) for half in (0, 1)]
    pools = [frames[rng.permutation(len(frames))[:POOL]] for frames in halves]
    disguises = [Disguise(pool) for pool in pools]
    utterances = []
    for number, one in enumerate(features):
        contents = [one[f"content_{place}"].astype(np.float32) for place in range(len(SPEEDS))]
        disguise = disguises[1 - number % 2]
        hearings = disguised(contents, one["energy"], usual, disguise)
        for place in range(NOISY):
            speed, content = float(one[f"noisy_speed_{place}"]), one[f"noisy_content_{place}"]
            noisy = [content.astype(np.float32)]
            hearings += disguised(noisy, one["energy"], usual, disguise, [speed])
        courses = (
            one[name].astype(np.float32) for name in ("samples", "f0_hz", "voiced", "energy", "speaker")
        )
        utterances.append(Utterance(*courses, hearings))
    return usual, pools[0], utterances


def load_or_analyse(path: Path, cached: Path) -> dict[str, Floats]:
    """What is known of a recording."""
    if not cached.is_file():
        features = analyse(read_mono(path, rate_hz=RATE_HZ, max_s=60), RATE_HZ)
        contents = {f"content_{n}": content for n, content in enumerate(hear(features))}
        contents |= hear_in_noise(features, np.random.default_rng(zlib.crc32(path.stem.encode())))
        courses = {name: getattr(features, name) for name in ("samples", "f0_hz", "voiced", "energy")}
        speaker = embed_voice(features.samples, RATE_HZ)
        np.savez(cached, **courses, **contents, speaker=speaker)
    with np.load(cached) as file:
        return dict(file)


def hear_in_noise(features: Features, rng: np.random.Generator) -> dict[str, Floats]:
    """Content of a recording with noise over it, any loudness, colour and speed, and the speeds."""
    found = {}
    for place in range(NOISY):
        speed, noise_db, colour = (float(rng.uniform(*range_)) for range_ in (SPEED, NOISE_DB, COLOUR))
        noise, seed = LEVEL * 10 ** (noise_db / 20), int(rng.integers(1 << 31))
        (content,) = hear(features, [speed], noise=noise, colour=colour, seed=seed)
        found |= {f"noisy_content_{place}": content, f"noisy_speed_{place}": np.float32(speed)}
    return found


def set_content_scale(decoder: VoiceDecoder, utterances: list[Utterance]) -> None:
    """So that what comes in has mean 0 and variance 1."""
    content = np.concatenate([hearing.content for one in utterances for hearing in one.hearings])
    decoder.content_mean.copy_(torch.from_numpy(content.mean(0)))
    decoder.content_scale.copy_(torch.from_numpy(content.std(0)))


def save(path: Path, decoder: VoiceDecoder, usual: Floats, pool: Floats) -> None:
    """The weights, the usual mean and the pool, as half floats."""
    tensors = {f"decoder.{name}": tensor.half() for name, tensor in decoder.state_dict().items()}
    tensors |= {"usual": torch.from_numpy(usual).half(), "pool": torch.from_numpy(pool).half()}
    save_file(tensors, path)


if __name__ == "__main__":
    main()
