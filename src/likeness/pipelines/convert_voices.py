"""Give many recordings one voice: each goes its own way, and one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from likeness.config import VoiceConfig
from likeness.errors import ConsentError, LikenessError, OutputExists, SubjectMismatch, UsageError
from likeness.media.files import check_file_output
from likeness.pipelines.convert_voice import Converted, PathLike, convert
from likeness.pipelines.find_sounds import find_sounds
from likeness.pipelines.swapped import options_of
from likeness.pipelines.target_voice import Target, check_music, target_of
from likeness.progress import OnProgress, silent
from likeness.voices.voice import Voice

_SAME: Final = frozenset({".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".mp4", ".webm"})
_VIDEOS: Final = frozenset({".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".m4v", ".wmv", ".ts", ".3gp"})


@dataclass(frozen=True, slots=True)
class Failed:
    """A recording that could not be converted.

    Attributes:
        source: its path.
        error: why.
    """

    source: Path
    error: LikenessError


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of many recordings.

    Attributes:
        folder: where the results are.
        made: those that were converted.
        failed: those that were not, also where another's voice came out than the record's.
    """

    folder: Path
    made: tuple[Converted, ...]
    failed: tuple[Failed, ...]


def convert_all(
    sources: PathLike | Sequence[PathLike],
    *,
    to: PathLike | Voice | Target,
    folder: PathLike,
    config: VoiceConfig | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Batch:
    """Convert files, and all sounds and videos in folders, into one folder.

    Each keeps its name and format; what cannot be written here becomes `.wav`, or `.mp4` for a video.

    Args:
        sources: files, or folders of them.
        to: as for `convert`; its record is checked before any file is opened, and again for each.
        folder: made if it is not there.
        config, options, on_progress: as for `convert`.

    Raises:
        ConsentError: the record in the voice does not allow it (any more).
        OutputExists: one of the results is there already; nothing is written then.
        LikenessError: nothing could be begun. What fails in one file is in `Batch.failed`.
    """
    config = options_of(VoiceConfig, config, options)
    check_music(config)
    target = target_of(to)
    target.check_config(config)
    paths, folder = find_sounds(sources), Path(folder)
    outputs = _name_all(paths, folder)
    if folder.exists() and not folder.is_dir():
        raise OutputExists(f"{folder} is a file, and a folder is to be written.", "Give another name.")
    is_new = not folder.is_dir()
    if is_new and folder.suffix.lower() in _SAME:
        raise UsageError(f"Several files cannot become {folder.name}.", "Name a folder to put them into.")
    if not is_new:
        for out in outputs:
            check_file_output(out, overwrite=config.overwrite, inputs=paths)
    else:
        check_file_output(folder, inputs=paths)  # whether it can be made
        folder.mkdir()
    made: list[Converted] = []
    failed: list[Failed] = []
    try:
        for path, out in zip(paths, outputs, strict=True):
            try:
                made.append(convert(path, to=target, out=out, config=config, on_progress=on_progress))
            except LikenessError as error:
                if isinstance(error, ConsentError) and not isinstance(error, SubjectMismatch):
                    raise  # is of the record, and so of all of them
                failed.append(Failed(path, error))
    finally:
        if is_new and not made:
            folder.rmdir()
    return Batch(folder, tuple(made), tuple(failed))


def _name_all(paths: Sequence[Path], folder: Path) -> list[Path]:
    outputs = [folder / name_like(path) for path in paths]
    seen: dict[str, Path] = {}
    for path, out in zip(paths, outputs, strict=True):
        if (other := seen.setdefault(out.name.lower(), path)) is not path:
            raise UsageError(
                f"{path} and {other} would both become {out.name}.", "Convert them into different folders."
            )
    return outputs


def name_like(source: Path) -> str:
    """What the result of this file is called: as it is, in a format that is written here."""
    suffix = source.suffix.lower()
    if suffix in _SAME:
        return source.name
    return source.stem + (".mp4" if suffix in _VIDEOS else ".wav")
