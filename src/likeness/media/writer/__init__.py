"""Writing video. Only `likeness.disclosure` may import this package: nothing is written that is not sealed.

video_writer    VideoWriter: a queue and a thread before a sink
sinks           what pictures go to: MP4 and WebM, GIF, a folder of PNGs
sound           copying or encoding sound in step with the pictures
gif             256 colours, as a stream
"""

from __future__ import annotations

from likeness.media.audio import AudioSource
from likeness.media.writer.video_writer import VideoWriter

__all__ = ["AudioSource", "VideoWriter"]
