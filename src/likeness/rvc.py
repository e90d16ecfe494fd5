"""Voice models of RVC, "Retrieval-based Voice Conversion": read safely, and made to speak.

::

    from likeness.rvc import load_synthesizer

    synth = load_synthesizer("v.pth")
    wave = synth.infer(phone, pitch, pitchf)  # at synth.sample_rate_hz

What `infer` gives is a bare wave, **not sealed**: nothing in it says that it is synthetic. A recording is
converted, and sealed, like this (`docs/voice-rvc.md`)::

    from likeness import voice
    from likeness.rvc import rvc_target

    anna = rvc_target("v.pth", content="hubert.onnx", consent="anna.consent.json")
    voice.convert("talk.wav", to=anna, out="out.wav")

This module needs `likeness[voice]`.
"""

from __future__ import annotations

from likeness.engines.rvc.library import import_model, list_models, load_synthesizer, open_model
from likeness.engines.rvc.pitch import coarse_pitch
from likeness.engines.rvc.settings import RvcSettings
from likeness.engines.rvc.synthesizer import Draws, Synthesizer
from likeness.pipelines.rvc_voice import rvc_target

__all__ = [
    "Draws",
    "RvcSettings",
    "Synthesizer",
    "coarse_pitch",
    "import_model",
    "list_models",
    "load_synthesizer",
    "open_model",
    "rvc_target",
]
