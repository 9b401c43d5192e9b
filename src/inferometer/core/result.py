"""A run with its records, as the Python API gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from inferometer.core.display import Picture, display
from inferometer.core.errors import MissingExtraError
from inferometer.core.record import FIELDS, Record
from inferometer.core.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """What a study gave. A notebook shows it as a chart and a table.

    Attributes:
        run: the run.
        records: its records, one for each workload.
    """

    run: Run
    records: list[Record] = field(repr=False)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def to_pandas(self) -> pd.DataFrame:
        """A row for each record, a column for each exported field, in the order of an export.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        if find_spec("pandas") is None:
            raise MissingExtraError("pandas, which makes data frames,", "notebook")
        import pandas as pd

        return pd.DataFrame([record.row() for record in self.records], columns=list(FIELDS))

    def plot(self) -> Picture:
        """Latency against batch size, as a figure of matplotlib; else of each variant.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: nothing was measured.
        """
        return display().picture(self)

    def _repr_html_(self) -> str:
        return display().html(self)
