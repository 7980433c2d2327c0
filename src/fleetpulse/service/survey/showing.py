"""How surveys look on a terminal while they run: a bar for each source, or plain lines where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from fleetpulse.service.survey.lines import End, Finding, Line
from fleetpulse.service.survey.lines import Progress as Step
from fleetpulse.service.survey.report import Report, counted
from fleetpulse.service.tables import plain


class Watcher(Protocol):
    """Is shown the lines of all sources as they come."""

    def line(self, report: Report, line: Line) -> None:
        """One more line; the report holds it already."""
        ...


@contextmanager
def watching(console: Console, sources: list[str]) -> Iterator[Watcher]:
    """Bars on a terminal, a line for each finding elsewhere; both on standard error, for the table is the result."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[doing]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bars(progress, sources)


class _Bars:
    def __init__(self, progress: Progress, sources: list[str]) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {
            source: progress.add_task(plain(source), total=None, doing="waits for its turn") for source in sources
        }

    def line(self, report: Report, line: Line) -> None:
        task = self._tasks[report.source]
        match line:
            case Step():
                of = "" if line.total is None else f" of {line.total:,}"
                self._progress.update(
                    task, completed=line.rows, total=line.total, doing=f"{plain(line.resource)}: {line.rows:,}{of}"
                )
            case Finding():
                self._progress.update(task, completed=0, total=None, doing=f"{plain(line.resource)}: done")
            case End():
                self._progress.update(task, completed=1, total=1, doing="failed" if report.failed else "done")


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, report: Report, line: Line) -> None:
        if isinstance(line, Finding):
            seen = counted(line.rows, line.kind)
            if line.failure or line.unavailable:
                seen = "failed" if line.failure else "not for this key"
            requests = "1 request" if line.requests == 1 else f"{line.requests:,} requests"
            took = f", {requests}, {line.seconds:.1f} s" if line.requests else ""  # what others told takes none
            text = f"{report.source} {line.resource}: {seen}{took}"
            self._console.print(plain(text), markup=False, highlight=False, soft_wrap=True)
