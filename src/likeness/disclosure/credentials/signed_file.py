"""One output file: encoded under one hidden name, signed from there under another, then given its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from likeness.disclosure.credentials.containers import EMBEDDABLE, sidecar_of
from likeness.disclosure.credentials.signing import Credentials
from likeness.errors import DiskFull, OutputError, OutputExists
from likeness.media.files import temporary_beside, write_error

_SPARE_BYTES = 1 << 20


class SignedFile:
    """A file that appears with its credentials, or not at all.

    A context manager: write to `encoded`, then `sign`, then `commit`. Leaving it without `commit`, for
    whatever reason, leaves nothing behind.

    Args:
        out: the output's name.
        kind: its media type; one that cannot hold credentials gets them in a sidecar.
        overwrite: what is there may be replaced.

    Attributes:
        encoded: where to write.
        sidecar: where the credentials will lie, or None where the file holds them.
    """

    encoded: Path

    def __init__(self, out: Path, kind: str, *, overwrite: bool = False) -> None:
        self._out, self._kind = out, kind
        self._overwrite = overwrite
        self.sidecar = None if kind in EMBEDDABLE else sidecar_of(out)

    def check(self) -> None:
        """Refuse a sidecar that is there and may not be replaced; raises `OutputExists`."""
        if self.sidecar is not None and not self._overwrite and self.sidecar.exists():
            raise OutputExists(
                f"{self.sidecar} is already there.",
                "Give another name, or add --overwrite (overwrite=True in Python).",
            )

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.encoded = stack.enter_context(temporary_beside(self._out)).path
            self._signed = stack.enter_context(temporary_beside(self._out))
            self._store = stack.enter_context(temporary_beside(sidecar_of(self._out)))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Lets errors name the output, not the hidden file that is written first."""
        try:
            yield
        except OutputError as error:
            what = error.what.replace(str(self.encoded), str(self._out))
            raise type(error)(what, error.hint) from error

    def sign(self, credentials: Credentials, manifest_id: str) -> None:
        """Signs what lies in `encoded`, which is complete now.

        Raises:
            SealFailed, OutputError
        """
        size_bytes = self.encoded.stat().st_size
        if shutil.disk_usage(self.encoded.parent).free < size_bytes + _SPARE_BYTES:
            # c2pa would fail too, but without a word about the reason.
            raise DiskFull(f"No room is left for {self._out}.", "Free some space, or write to another disk.")
        try:
            with self.encoded.open("rb") as encoded, self._signed.path.open("w+b") as signed:
                store = credentials.sign(
                    encoded,
                    signed,
                    self._kind,
                    title=self._out.name,
                    manifest_id=manifest_id,
                    embed=self.sidecar is None,
                )
            if self.sidecar is not None:
                self._store.path.write_bytes(store)
            self.encoded.unlink()
        except OSError as error:
            raise write_error(self._out, error) from error

    def commit(self) -> None:
        """Gives the output, and its sidecar, their names; raises `OutputError`."""
        if self.sidecar is None:
            self._signed.commit()
            return
        self._store.commit()
        try:
            self._signed.commit()
        except BaseException:
            self._store.target.unlink(missing_ok=True)  # credentials without a file are worse than neither
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of where the credentials are."""
        if self.sidecar is None:
            return ()
        return (
            f"{self._out.suffix} files cannot hold Content Credentials, so they lie beside it in "
            f"'{self.sidecar.name}': keep the two together.",
        )
