"""Recording a sentence with this computer's microphone; needs the extra "microphone"."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any, Final

import numpy as np

from likeness.consent.files import write_new
from likeness.errors import MissingExtra, NoAudio, UsageError
from likeness.media.files import check_file_output

RATE_HZ: Final = 48_000
LONGEST_S: Final = 60.0


def record(path: Path, seconds: float, *, overwrite: bool = False) -> None:
    """Record one channel, 16 bits, into a WAV file; blocks until it is done.

    Args:
        path: the file to write, complete or not at all.
        seconds: how long, up to 60.
        overwrite: replace what is there.

    Raises:
        MissingExtra: the package sounddevice, or the PortAudio it needs, is not installed.
        NoAudio: there is no microphone that can be used.
        UsageError: the length is out of its range.
        OutputExists, NotWritable, DiskFull
    """
    if not 1 <= seconds <= LONGEST_S:
        raise UsageError(f"{seconds:g} s cannot be recorded.", f"Record 1 to {LONGEST_S:.0f} s.")
    device = _import()
    check_file_output(path, overwrite=overwrite)  # before anybody speaks in vain
    try:
        samples = device.rec(int(seconds * RATE_HZ), RATE_HZ, channels=1, dtype="int16", blocking=True)
    except device.PortAudioError as error:
        raise NoAudio(
            f"There is no microphone that can be used here ({error}).",
            "Record it with another device, and give the file with --recording (spoken.accept in Python).",
        ) from error
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    write_new(path, content.getvalue(), overwrite=overwrite)


def _import() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtra(
            "Recording needs the package sounddevice, which is not installed here.",
            '`pip install "likeness[microphone]"`, or give a file: --recording (spoken.accept in Python).',
        ) from error
    except OSError as error:  # what it raises where PortAudio is missing
        raise MissingExtra(
            f"Recording needs PortAudio, which is not installed here ({error}).",
            "On Linux, install libportaudio2; or give a file with --recording (spoken.accept in Python).",
        ) from error
    return sounddevice
