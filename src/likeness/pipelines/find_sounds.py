"""Which sounds are meant: files, and folders of them."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

from likeness.errors import MediaNotFound, UsageError
from likeness.media.files import check_input
from likeness.pipelines.lookout import listed

PathLike: TypeAlias = str | os.PathLike[str]
MOST_FILES: Final = 10_000
_MORE_SOUNDS: Final = frozenset({".flac", ".opus", ".ogg", ".m4a", ".mka", ".aac", ".wv", ".caf"})
_PLAYLISTS: Final = frozenset({".m3u", ".m3u8", ".pls", ".ram", ".asx", ".wax", ".wvx", ".wmx"})
"""Which count as sound and video, too, and hold none."""


def find_sounds(sources: PathLike | Sequence[PathLike]) -> list[Path]:
    """The files that are meant: those given, and the sounds and videos in folders that are, by name.

    Raises:
        MediaNotFound: one of them is not there, or a folder holds none.
        Unreadable: one of them is empty, or may not be read.
        UsageError: there are too many, or none, or one twice.
    """
    found: list[Path] = []
    for one in listed(sources):
        inside = sorted(each for each in one.iterdir() if is_sound(each)) if one.is_dir() else [one]
        if not inside:
            raise MediaNotFound(f"There is no sound in {one}.", "Give files, or another folder.")
        found += map(check_input, inside)
    if not 0 < len(found) <= MOST_FILES:
        raise UsageError(f"These are {len(found)} files; give 1 to {MOST_FILES}.", "Give a recording.")
    if len({path.resolve() for path in found}) < len(found):
        raise UsageError("A file is named twice.", "Name each file, or its folder, once.")
    return found


def is_sound(path: Path) -> bool:
    """Whether it is a sound or a video, by its name; hidden files and playlists are none."""
    suffix = path.suffix.lower()
    kind = mimetypes.guess_type(path.name, strict=False)[0] or ""
    is_media = kind.startswith(("audio/", "video/")) or suffix in _MORE_SOUNDS
    return is_media and suffix not in _PLAYLISTS and not path.name.startswith(".") and path.is_file()
