"""Shows how far the installation of an environment is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from inferometer.report.terminal.output import Output
from inferometer.runner.pip_lines import Step

if TYPE_CHECKING:
    from typing_extensions import Self


class InstallDisplay:
    """A bar over the packages on a terminal; elsewhere a line for each stage.

    Args:
        name: the backend.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stage = ""
        self._console = Output(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            *(BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn()),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, step: Step) -> None:
        """Show a step."""
        doing = f"{self._name}: {step.stage}"
        if step.stage != self._stage and not self._console.is_terminal:
            self._console.print(doing, markup=False)
        self._stage = step.stage
        self._bar.update(
            self._task,
            description=f"{doing} {step.package}".rstrip(),
            completed=step.done,
            total=step.total or None,
        )
