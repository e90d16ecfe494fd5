"""Showing a finished, sealed clip in a notebook."""

from __future__ import annotations

import base64
import html
from pathlib import Path

MIME = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif"}
MAX_INLINE_BYTES = 64 << 20


def video_html(path: Path) -> str:
    """The file itself inside a piece of HTML, as sealed; its name only, where it is too large or a folder."""
    mime = MIME.get(path.suffix.lower())
    name = html.escape(path.name)
    if mime is None or not path.is_file() or path.stat().st_size > MAX_INLINE_BYTES:
        return f"<p>{name}</p>"
    data = f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
    if mime.startswith("image/"):
        return f'<img src="{data}" alt="{name}" style="max-width:100%">'
    return f'<video src="{data}" controls loop style="max-width:100%" title="{name}"></video>'
