"""Make `golden/speaker.npz` with the original network; needs torch, librosa and the package resemblyzer.

python tests/speech/make_golden.py FOLDER_OF_THE_UNPACKED_RESEMBLYZER_WHEEL
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    sys.path[:0] = [sys.argv[1], str(HERE)]
    # Only used where files are read and silence is cut, which the golden data leave out.
    sys.modules["webrtcvad"] = types.ModuleType("webrtcvad")
    morphology = types.ModuleType("scipy.ndimage.morphology")
    morphology.binary_dilation = None
    sys.modules["scipy.ndimage.morphology"] = morphology
    import torch
    from resemblyzer.audio import normalize_volume, wav_to_mel_spectrogram
    from resemblyzer.voice_encoder import VoiceEncoder

    from voices import synthetic_voice

    torch.set_num_threads(1)
    load = torch.load
    torch.load = lambda path, **rest: load(path, weights_only=True, **rest)
    encoder = VoiceEncoder("cpu", verbose=False)
    found = {}
    for name, seconds, pitch_hz, level in (("low", 4.0, 110.0, 0.1), ("high", 2.3, 215.0, 0.002)):
        sound = synthetic_voice(seconds, pitch_hz) * np.float32(level)
        wav = normalize_volume(sound, -30, increase_only=True).astype(np.float32)
        found[f"{name}_mel"] = wav_to_mel_spectrogram(wav)[50:60].astype(np.float32)
        embedding, windows, _ = encoder.embed_utterance(wav, return_partials=True)
        found[f"{name}_embedding"], found[f"{name}_windows"] = embedding, windows
    np.savez_compressed(HERE / "golden" / "speaker.npz", **found)


if __name__ == "__main__":
    main()
