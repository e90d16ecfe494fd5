"""What a training tells on its way: lines of JSON, and TensorBoard where that is installed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from likeness.media import temporary_beside
from likeness.media.files import write_error

NAME = "losses.jsonl"


class Journal:
    """Writes `losses.jsonl`, and scalars for TensorBoard, into a folder.

    Args:
        first_step: lines of this step and later ones, of a training that went further than it saved, go.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / NAME
        kept = [line for line in read_journal(self.path) if line["step"] < first_step]
        try:
            with temporary_beside(self.path) as pending:
                pending.path.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
                pending.commit()
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise write_error(self.path, error) from error
        self._board: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def report(self, step: int, values: dict[str, float]) -> None:
        """One line: the step, and these numbers.

        Raises:
            OutputError
        """
        try:
            self._file.write(json.dumps({"step": step, **values}) + "\n")
            self._file.flush()
        except OSError as error:
            raise write_error(self.path, error) from error
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)


def read_journal(path: Path) -> list[dict[str, float]]:
    """The lines written so far, up to one that a crash spoilt."""
    if not path.is_file():
        return []
    found: list[dict[str, float]] = []
    for line in path.read_bytes().splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            break
        if not isinstance(values, dict) or not isinstance(values.get("step"), int):
            break
        found.append(values)
    return found
