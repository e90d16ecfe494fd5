"""Writing video and sound. Only `likeness.disclosure` may import this: nothing is written that is not sealed.

video_writer    VideoWriter: a queue and a thread before a sink
sinks           what pictures go to: MP4 and WebM, GIF, a folder of PNGs
sound           copying or encoding sound in step with the pictures
sound_file      SoundWriter: sound alone
dub             DubWriter: a video's pictures as they are, with another sound
gif             256 colours, as a stream
failure         what it means when FFmpeg cannot write
"""

from __future__ import annotations

from likeness.media.audio import AudioSource
from likeness.media.writer.dub import DubFormat, DubWriter, can_copy, dub_format_of
from likeness.media.writer.sound import MakeSoundLayer, SoundLayer
from likeness.media.writer.sound_file import SoundFormat, SoundWriter, sound_format_of
from likeness.media.writer.video_writer import VideoWriter

__all__ = [
    "AudioSource",
    "DubFormat",
    "DubWriter",
    "MakeSoundLayer",
    "SoundFormat",
    "SoundLayer",
    "SoundWriter",
    "VideoWriter",
    "can_copy",
    "dub_format_of",
    "sound_format_of",
]
