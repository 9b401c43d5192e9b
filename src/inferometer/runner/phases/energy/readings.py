"""What the sources say of windows: mean powers of one, and the energy of a workload."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from inferometer.meters.energy.sampler import Sampler
from inferometer.runner.phases.energy.figures import Sourced
from inferometer.runner.phases.energy.windows import around, sensor_of
from inferometer.stats.energy import energy_per_sample, windows_would_help
from inferometer.stats.energy_windows import Readings, Window, WithheldError, mean_power_w


class SourceReadings:
    """Readings of all sources from a moment on.

    Args:
        sampler: reads them.
        publish: whether windows of a minute are asked for.
    """

    def __init__(self, sampler: Sampler, *, publish: bool) -> None:
        self._sampler = sampler
        self._publish = publish
        self._begun = {name: len(series.at_s) for name, series in sampler.series.items()}

    @property
    def all_lost(self) -> bool:
        """Whether there were sources, and none answers any longer."""
        lost = [series.lost is not None for series in self._sampler.series.values()]
        return bool(lost) and all(lost)

    def powers(self, window: Window) -> dict[str, float]:
        """Mean watts of a window by source, in order of preference; what is not known is absent."""
        found = {}
        for name, series in self._sampler.series.items():
            with suppress(WithheldError):
                readings = Readings.of(*series.since(self._begun[name]))
                found[name] = mean_power_w(sensor_of(series.info), readings, window)
        return found

    def energy(self, load: Sequence[Window], idle: Sequence[Window]) -> list[Sourced]:
        """Energy of a workload by each source."""
        return [
            Sourced(
                info=series.info,
                result=energy_per_sample(
                    sensor_of(series.info),
                    *series.since(self._begun[name]),
                    load,
                    idle=around(idle, load),
                    lost=series.lost,
                    publish=self._publish,
                ),
            )
            for name, series in self._sampler.series.items()
        ]

    def want_more(self, load: Sequence[Window], target: float) -> bool:
        """Whether further windows could bring the first source's figure to its target."""
        gross = next((one.result.gross_j for one in self.energy(load, ())), None)
        return gross is not None and windows_would_help(gross, target)
