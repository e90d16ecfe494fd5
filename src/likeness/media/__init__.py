"""Pictures, video and sound.

image       read_image → Still; encode_png, encode_jpeg
video       probe → VideoInfo; VideoReader: frames at a constant, exact rate
audio       AudioReader: samples exactly in time; AudioSource: the sound a video shall get; check_sound
files       check_input, check_output, format_of, temporary_beside
writer      VideoWriter; not re-exported, because only `likeness.disclosure` may write

Below them: `containers` opens files with FFmpeg, `timing` finds a constant rate in timestamps, `pictures`
turns decoded frames into upright RGB.
"""

from __future__ import annotations

from likeness.media.audio import AudioReader, AudioSource, check_sound
from likeness.media.files import (
    OutputFormat,
    Pending,
    check_input,
    check_output,
    format_of,
    temporary_beside,
)
from likeness.media.image import Still, encode_jpeg, encode_png, read_image
from likeness.media.video import VideoReader, probe

__all__ = [
    "AudioReader",
    "AudioSource",
    "OutputFormat",
    "Pending",
    "Still",
    "VideoReader",
    "check_input",
    "check_output",
    "check_sound",
    "encode_jpeg",
    "encode_png",
    "format_of",
    "probe",
    "read_image",
    "temporary_beside",
]
