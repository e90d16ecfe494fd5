"""Progress on a terminal: what is being done, how fast, and how long it will take. Silent anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.progress import OnProgress, Progress


@contextmanager
def progress_bar() -> Iterator[OnProgress]:
    """Draws reports on standard error while the block runs; one bar per stage."""
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Speed(ProgressColumn):
        """Frames or megabytes done, and how many a second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            if task.fields["unit"] == "bytes":
                text = f"{task.completed / 1e6:.1f} MB"
                return Text(text + (f"  {speed / 1e6:.1f} MB/s" if speed else ""), "progress.data.speed")
            total = f"/{task.total:.0f}" if task.total else ""
            text = f"{task.completed:.0f}{total} {task.fields['unit']}"
            return Text(text + (f"  {speed:.0f}/s" if speed else ""), "progress.data.speed")

    console = Console(stderr=True)
    left = TimeRemainingColumn(compact=True, elapsed_when_finished=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), Speed(), left)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=None, unit=progress.unit)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        yield report
