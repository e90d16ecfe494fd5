"""Voice models of RVC, "Retrieval-based Voice Conversion": read safely, and made to speak.

::

    from likeness.rvc import load_synthesizer

    synth = load_synthesizer("v.pth")
    wave = synth.infer(phone, pitch, pitchf)  # at synth.sample_rate_hz

What `infer` gives is a bare wave, **not sealed**: nothing in it says that it is synthetic. This module needs
torch, which `likeness[fomm]` brings.
"""

from __future__ import annotations

from likeness.engines.rvc.library import import_model, list_models, load_synthesizer, open_model
from likeness.engines.rvc.pitch import coarse_pitch
from likeness.engines.rvc.synthesizer import Draws, Synthesizer

__all__ = [
    "Draws",
    "Synthesizer",
    "coarse_pitch",
    "import_model",
    "list_models",
    "load_synthesizer",
    "open_model",
]
