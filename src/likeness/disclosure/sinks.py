"""Where sealed frames go: into one encoded file, or into a folder of PNGs. Used by `seal` and by nobody else.

Both write into temporary places beside the output, sign in `finish`, and give the output its name in
`commit`. Leaving one without `commit`, for whatever reason, leaves nothing behind.
"""

from __future__ import annotations

import io
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from likeness.disclosure.credentials.signed_file import SignedFile
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.credentials.store import new_manifest_id
from likeness.media.audio import AudioSource
from likeness.media.files import OutputFormat, frame_name, temporary_beside, write_error
from likeness.media.image import encode_png
from likeness.media.writer import MakeSoundLayer, VideoWriter
from likeness.types import Picture

KINDS: dict[OutputFormat, str] = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "gif": "image/gif",
    "png": "image/png",
}


class Sink(Protocol):
    """A place for frames: a context manager, then `write`…, `finish`, `commit`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, image: Picture) -> None:
        """Takes over the next frame, (height, width, 3) uint8 RGB: the array is not the caller's any more."""

    def finish(self) -> None:
        """Signs everything."""

    def commit(self) -> Path | None:
        """Gives the output its name, and returns the sidecar if there is one."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of where the credentials are."""


class FileSink:
    """One video file: encoded into a temporary file, signed from there into another."""

    def __init__(
        self,
        out: Path,
        container: OutputFormat,
        credentials: Credentials,
        manifest_id: str,
        *,
        width: int,
        height: int,
        rate: Fraction,
        audio: AudioSource | None,
        make_sound_layer: MakeSoundLayer | None,
    ) -> None:
        self._file = SignedFile(out, KINDS[container])
        self._container = container
        self._credentials = credentials
        self._manifest_id = manifest_id
        self._size = (width, height)
        self._rate = rate
        self._audio, self._make_sound_layer = audio, make_sound_layer

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._file)
            width, height = self._size
            self._writer = stack.enter_context(
                VideoWriter(
                    self._file.encoded,
                    format=self._container,
                    width=width,
                    height=height,
                    rate=self._rate,
                    audio=self._audio,
                    make_sound_layer=self._make_sound_layer,
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, image: Picture) -> None:
        with self._file.named():
            self._writer.write(image, owned=True)

    def finish(self) -> None:
        with self._file.named():
            self._writer.close()
        self._file.sign(self._credentials, self._manifest_id)

    def commit(self) -> Path | None:
        self._file.commit()
        return self._file.sidecar

    @property
    def notes(self) -> tuple[str, ...]:
        return self._file.notes


class FolderSink:
    """A folder of PNGs, each signed, the first one as `manifest_id`.

    Several threads compress and sign, with at most a few pictures in flight.
    """

    def __init__(self, out: Path, credentials: Credentials, manifest_id: str) -> None:
        self._out = out
        self._credentials = credentials
        self._manifest_id = manifest_id
        self._workers = min(os.cpu_count() or 1, 8)
        self._waiting: deque[Future[None]] = deque()
        self._count = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._pending = stack.enter_context(temporary_beside(self._out))
            try:
                self._pending.path.mkdir()
            except OSError as error:
                raise write_error(self._out, error) from error
            pool = ThreadPoolExecutor(self._workers, thread_name_prefix="likeness-png")
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            self._pool = pool
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, image: Picture) -> None:
        self._count += 1
        manifest_id = self._manifest_id if self._count == 1 else new_manifest_id()
        path = self._pending.path / frame_name(self._count)
        self._waiting.append(self._pool.submit(self._save, image, path, manifest_id))
        while len(self._waiting) > 2 * self._workers:
            self._waiting.popleft().result()

    def _save(self, image: Picture, path: Path, manifest_id: str) -> None:
        try:
            save_signed(encode_png(image), path, self._credentials, "image/png", path.name, manifest_id)
        except OSError as error:
            raise write_error(self._out, error) from error

    def finish(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()

    def commit(self) -> Path | None:
        self._pending.commit()
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        return ()


def save_signed(
    data: bytes, path: Path, credentials: Credentials, kind: str, title: str, manifest_id: str
) -> None:
    """Signs a picture's bytes in memory and writes them to `path`.

    Raises:
        SealFailed, OSError
    """
    signed = io.BytesIO()
    credentials.sign(io.BytesIO(data), signed, kind, title=title, manifest_id=manifest_id)
    path.write_bytes(signed.getbuffer())
