"""How many consecutive values say as much as one independent value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MIN_VALUES = 4  # below that no correlation can be told from chance
_WINDOW = 5.0  # the sum ends where the lag exceeds this many autocorrelation times


def autocorrelation_time(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Integrated autocorrelation time, 1 + 2 * sum of the autocorrelations, in samples.

    The variance of the mean of n values is that of n / time independent ones. The sum ends at the
    first lag that is at least five times half the time so far (Sokal, Monte Carlo Methods in
    Statistical Mechanics, 1997, section 3), and is corrected for the mean being estimated from the
    same values (Wolff, Monte Carlo errors with less errors, Computer Physics Communications 156,
    2004). In a short series that sum stops too early as often as not, so that the time of a
    first-order autoregression with the same first autocorrelation, itself corrected for its bias,
    is a floor (Kendall, Biometrika 41, 1954: E[r] = phi - (1 + 3 phi) / n). It errs to the high
    side.

    Args:
        values: in time order, evenly spaced.

    Returns:
        At least 1, at most the number of values; 1 for fewer than four values or constant ones.
    """
    sample = np.asarray(values, dtype=float)
    if sample.size < _MIN_VALUES:
        return 1.0
    span = np.ptp(sample)
    # rounding leaves a constant series a variance of its own
    if span <= max(1e-12 * np.abs(sample).max(), np.finfo(float).tiny):
        return 1.0
    centred = (sample - sample.mean()) / span
    rho = _autocorrelations(centred)
    time = max(_windowed(rho), _first_order(float(rho[1]), sample.size))
    return float(min(max(time, 1.0), sample.size))


def _autocorrelations(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelations at lags 0 to n - 1 (sums divided by n), by FFT."""
    size = 1 << (2 * centred.size - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    covariances = np.fft.irfft(spectrum * spectrum.conj(), size)[: centred.size]
    rho: NDArray[np.float64] = covariances / covariances[0]
    return rho


def _windowed(rho: NDArray[np.float64]) -> float:
    """Sum to Sokal's window, with Wolff's correction for the estimated mean."""
    times = 2 * np.cumsum(rho) - 1
    lags = np.arange(rho.size)
    inside = lags >= _WINDOW / 2 * times
    window = int(np.argmax(inside)) if inside.any() else rho.size - 1
    return float(times[window] * (1 + (2 * window + 1) / rho.size))


def _first_order(rho: float, n: int) -> float:
    """Time of a first-order autoregression, from the first autocorrelation of n values."""
    phi = min((rho * n + 1) / (n - 3), 1 - 1 / n) if rho > 0 else 0.0
    return (1 + phi) / (1 - phi)
