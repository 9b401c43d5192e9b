"""What shows values of ours, as `core.display` asks for it."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.core.display import Display, Picture
from inferometer.core.record import Record
from inferometer.core.result import StudyResult
from inferometer.report.notebook import page, progress
from inferometer.report.plots import choice


class Show:
    """HTML and pictures; matplotlib is loaded for a picture alone."""

    def html(self, value: object) -> str:
        """A value as HTML, with a chart where it has figures."""
        return page.html(value)

    def picture(self, value: object) -> Picture:
        """A value as a figure of matplotlib.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: it has no figure that can be drawn.
            TypeError: it is neither a record nor a run with its records.
        """
        absent = choice.missing()
        if absent is not None:
            raise absent
        from inferometer.report.notebook import pictures

        if isinstance(value, Record):
            return pictures.of_record(value)
        if isinstance(value, StudyResult):
            return pictures.of_records(value.records)
        raise TypeError(f"there is no picture of {type(value).__name__}")

    def progress(self) -> Callable[[object], None] | None:
        """What is told the events of a run and shows them, in a notebook; None elsewhere."""
        return progress.listener()


DISPLAY: Display = Show()
