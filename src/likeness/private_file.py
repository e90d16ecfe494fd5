"""Files that nobody but their owner may ever read, written completely or not at all: keys."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from likeness.errors import LikenessError

MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """A small file of the user's, and what its errors are called.

    Attributes:
        path: where it is, or will be.
        name: what it holds, such as "signing identity".
        error: what is raised where it cannot be used.
        remedy: the next step where what it holds is of no use.
    """

    path: Path
    name: str
    error: type[LikenessError]
    remedy: str

    def read(self) -> bytes | None:
        """Its bytes, or None if there is no file. Takes away other people's access if somebody gave it.

        Raises:
            error: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                    self.path.chmod(0o600)
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.unusable(error.strerror or str(error)) from error

    def store_new(self, data: bytes) -> None:
        """Puts a complete file there unless another process was faster; then that one's stays."""
        temporary = self._write(data)
        try:
            os.link(temporary, self.path)  # fails if the path exists, which a rename would not on POSIX
        except FileExistsError:
            return
        except OSError:
            # A file system without hard links. Two processes starting in the same instant may then replace
            # each other's file; both read back what is there afterwards.
            self._move(temporary)
        finally:
            temporary.unlink(missing_ok=True)

    def replace(self, data: bytes) -> None:
        """Puts a complete file there, whatever was there before."""
        temporary = self._write(data)
        try:
            self._move(temporary)
        finally:
            temporary.unlink(missing_ok=True)

    def keep_aside(self) -> Path | None:
        """A copy of the file beside it, "identity-1.pem", that nothing of ours reads; None without a file.

        Raises:
            error: it cannot be read or written.
        """
        if (data := self.read()) is None:
            return None
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")).exists():
            number += 1
        PrivateFile(aside, self.name, self.error, self.remedy).store_new(data)
        return aside

    def unusable(self, why: str) -> LikenessError:
        """The error for a file that is of no use."""
        return self.error(f"The {self.name} '{self.path}' cannot be used: {why}.", self.remedy)

    def _move(self, temporary: Path) -> None:
        try:
            temporary.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, data: bytes) -> Path:
        """A new file beside it that only its owner could ever read."""
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            try:
                temporary.unlink(missing_ok=True)
            except OSError:
                raise self._unwritable(error) from error
            raise self._unwritable(error) from error
        return temporary

    def _unwritable(self, error: OSError) -> LikenessError:
        return self.error(
            f"The {self.name} cannot be written to '{self.path.parent}': {error.strerror or error}.",
            "Make the folder writable and the disk less full, or set LIKENESS_HOME to another folder.",
        )
