"""What it means when FFmpeg cannot write."""

from __future__ import annotations

import errno
from pathlib import Path

import av.error

from likeness.errors import OutputError
from likeness.media.files import write_error

_FIRST_TAG = 1 << 24  # FFmpeg's own codes are large numbers


def explain(path: Path, error: av.error.FFmpegError | OSError) -> OutputError:
    """The error of ours that says what `error`, met while writing `path`, means."""
    # FFmpeg says EINVAL of sizes and settings that a format has not.
    if error.errno is not None and error.errno != errno.EINVAL and error.errno < _FIRST_TAG:
        return write_error(path, OSError(error.errno, error.strerror))
    what = f"{path} cannot be written: {error.strerror}."
    return OutputError(what, "Try another size, format or name.")
