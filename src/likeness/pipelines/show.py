"""Showing a finished, sealed clip in a notebook."""

from __future__ import annotations

import base64
import html
from pathlib import Path

MIME = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif"}
SOUND_MIME = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
}
MAX_INLINE_BYTES = 10 << 20
"""Notebooks keep what they show, a third larger than the file, and slow down or refuse from there on."""


def video_html(path: Path) -> str:
    """The file itself inside a piece of HTML, as sealed; where it is too large or a folder, a sentence."""
    mime = MIME.get(path.suffix.lower())
    name = html.escape(path.name)
    if not path.exists():
        return f"<p>{name} is no longer there.</p>"
    if mime is None or not path.is_file():
        return f"<p>{name} is a folder of pictures.</p>"
    size = path.stat().st_size
    if size > MAX_INLINE_BYTES:
        return (
            f"<p>{name} is too large to be kept in a notebook ({size / 1e6:.0f} MB): open it by itself.</p>"
        )
    data = f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
    if mime.startswith("image/"):
        return f'<img src="{data}" alt="{name}" style="max-width:100%">'
    return f'<video src="{data}" controls loop style="max-width:100%" title="{name}"></video>'


def sound_html(path: Path) -> str:
    """A sealed sound as a player, as it is in the file; a video's as `video_html`; else a sentence."""
    mime = SOUND_MIME.get(path.suffix.lower())
    name = html.escape(path.name)
    if mime is None or not path.exists():
        return video_html(path)
    size = path.stat().st_size
    if size > MAX_INLINE_BYTES:
        return (
            f"<p>{name} is too large to be kept in a notebook ({size / 1e6:.0f} MB): open it by itself.</p>"
        )
    data = f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return f'<audio src="{data}" controls title="{name}"></audio>'
