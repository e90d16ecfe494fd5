"""`likeness verify`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.cli.reports import check_target, write_report

if TYPE_CHECKING:
    from likeness.errors import LikenessError
    from likeness.verification import Verification

CHANGED = 10  # what is stated does not hold; the codes of errors end at 9
ABSENT = 11
MARKED = 12  # no credentials, but a watermark
_CODES = {"valid": 0, "invalid": CHANGED, "absent": ABSENT}
# In a folder, a file with one of these names is reported even when nothing can be made of its content.
_PICTURES = (".avif", ".gif", ".heic", ".jpeg", ".jpg", ".jxl", ".png", ".tif", ".tiff", ".webp")
_VIDEOS = (".avi", ".mkv", ".mov", ".mp4", ".webm")
_SOUNDS = (".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav")


def verify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures, videos, sounds, or folders of them.")
    ],
    json: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="PATH", help="Write everything that was found as JSON; - for standard output."
        ),
    ] = None,
) -> None:
    """Say what files state about how they were made, and whether that still holds.

    Looks for Content Credentials, and for the watermark of likeness in the picture or sound itself.

    Ends with 0 where credentials were found and hold, 10 where they do not hold, 11 where nothing was found,
    and 12 where there are no credentials (any more), but a watermark.

    That credentials hold means that nothing was changed since the signature; not that anything they say is
    true, nor that you know who signed: --json tells that in `credentials.state` (valid: by somebody in your
    trust list; untrusted: by anybody else; tampered; none).

    Of several files, the worst counts: 10, then the code of a file that could not be read (3), then 12,
    then 11, then 0. Of a folder, every media file directly in it is looked at.

    The JSON is one object for one file, and a list for several or for a folder.
    """
    from likeness.errors import MediaError, Unreadable
    from likeness.verification import verify as look_at

    if json is not None:
        check_target(json, files)
    single = len(files) == 1 and not files[0].is_dir()
    answers: list[_Answer] = []
    for path in _expand(files):
        try:
            answers.append(_Answer(path, look_at(path)))
        except MediaError as error:
            if single:
                raise
            answers.append(_Answer(path, None, error))
    if json is not None:
        values = [answer.to_json() for answer in answers]
        write_report(json, values[0] if single else values)
    if json is None or str(json) != "-":
        for answer in answers:
            answer.say()
    code = max((answer.code for answer in answers), key=_badness)
    if code == MediaError.exit_code:
        lost = sum(answer.found is None for answer in answers)
        raise Unreadable(f"{lost} of {len(answers)} files could not be read.", "The answers above say why.")
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found in a file, or why nothing could be."""

    path: Path
    found: Verification | None
    error: LikenessError | None = None

    @property
    def code(self) -> int:
        if self.found is not None:
            is_marked = self.found.state == "absent" and self.found.watermark.found
            return MARKED if is_marked else _CODES[self.found.state]
        return self.error.exit_code if self.error else 1

    def say(self) -> None:
        if self.found is not None:
            for line in self.found.summary():
                typer.echo(line)
        elif self.error is not None:
            typer.echo(f"{self.path.name}: could not be read. {self.error.what}")

    def to_json(self) -> dict[str, Any]:
        """As `Verification.to_json`; with the hash alone, and `error`, where nothing could be said."""
        if self.found is not None:
            return self.found.to_json()
        from likeness.disclosure.credentials.store import hash_file

        try:
            sha256 = hash_file(self.path)
        except OSError:
            sha256 = None
        what = self.error.what if self.error else ""
        return {
            "file": str(self.path),
            "sha256": sha256,
            "answer": "could not be read",
            "error": what,
            "credentials": {"state": "none"},
            "watermark": {"found": False, "payload": None, "confidence": None},
        }


def _badness(code: int) -> tuple[int, int]:
    """From all is well to changed; what could not be read is in between."""
    order = {0: 0, ABSENT: 1, MARKED: 2, CHANGED: 4}
    return order.get(code, 3), code


def _expand(files: list[Path]) -> Iterator[Path]:
    """The files, and those in folders; raises `MediaNotFound` for a folder without any."""
    from likeness.errors import MediaNotFound

    for path in files:
        if not path.is_dir():
            yield path
            continue
        try:
            inside = sorted(one for one in path.iterdir() if one.is_file() and _is_media(one))
        except OSError as error:
            raise MediaNotFound(
                f"'{path}' cannot be read: {error.strerror}.", "Check its permissions."
            ) from error
        if not inside:
            raise MediaNotFound(
                f"'{path}' is a folder without any picture, video or sound.",
                "Name a file, or another folder.",
            )
        yield from inside


def _is_media(path: Path) -> bool:
    from likeness.disclosure.credentials.containers import HEAD_BYTES, UNKNOWN, sniff

    if path.name.startswith(".") or path.suffix.lower() == ".c2pa":
        return False
    if path.suffix.lower() in (*_PICTURES, *_VIDEOS, *_SOUNDS):
        return True
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES)) != UNKNOWN
    except OSError:
        return False
