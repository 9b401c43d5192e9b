"""PowerTOP: the discharge rate of the battery, from the report that `powertop --csv` writes.

PowerTOP has no sensor of its own: it reads the battery, so on a board without one it gives no
watts. The "system baseline power" in its report is a model fitted to the battery and is not used.
Its report is a file; a reading takes as long as PowerTOP's measurement.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from inferometer.core.energy import Absence, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.battery import CHARGING, DISCHARGING, batteries, state
from inferometer.meters.energy.sources.commands import FOLDER, NOT_FOUND, ask, recorded
from inferometer.meters.energy.sources.libraries import AskedSource
from inferometer.meters.energy.surroundings import Finding, Surroundings, absent

KIND = "powertop"
RECORDED = "powertop.csv"
MEASURE_S = 5
PROBE_S = 1
TIMEOUT_S = 30.0
"""PowerTOP sets itself up for some seconds before it measures."""
_RATE = re.compile(
    r"battery reports a discharge rate of\s*:?[\s;,\"]*"
    r"(?P<value>\d+(?:[.,]\d+)?)\s*(?P<prefix>[munkµμ]?)\s*W\b",
    re.IGNORECASE,
)
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "k": 1e3}
_SHOWN_DIGITS_W = 0.1
"""Three digits are shown: `12.3 W`."""


def discharge_w(report: str) -> float | None:
    """Watts at which the battery discharges; None where the report does not say.

    PowerTOP 2.14 writes `The battery reports a discharge rate of:  12.3  W;`, below 1 W `796 m W;`,
    older ones `The battery reports a discharge rate of 12.3 W` or with commas.
    """
    match = _RATE.search(report)
    if match is None:
        return None
    return float(match["value"].replace(",", ".")) * _PREFIXES[match["prefix"].lower()]


def find(surroundings: Surroundings) -> Finding:
    """PowerTOP, where it is installed, may run, and a battery discharges."""
    states = [state(surroundings, folder) for folder in batteries(surroundings)]
    if not states:
        return absent(
            KIND,
            "PowerTOP gives watts only while a battery discharges, and there is no battery.",
            relevant=False,
        )
    if DISCHARGING not in states or CHARGING in states:
        return absent(
            KIND,
            "PowerTOP gives watts only while a battery discharges, and this one does not.",
            "Unplug the charger and run again.",
        )
    problem = _unusable(surroundings)
    if problem:
        return Finding(absences=(problem,))
    try:
        _measured_w(surroundings, PROBE_S)
    except SourceLostError as error:
        return absent(KIND, f"{error}.")
    info = SourceInfo(
        name=f"{KIND}:battery",
        kind=KIND,
        scope="battery",
        method="measured",
        quantity="power",
        period_s=float(MEASURE_S),
        window_s=float(MEASURE_S),
        resolution=_SHOWN_DIGITS_W,
        where="`powertop --csv`, the discharge rate of the battery; the whole laptop with its "
        "display, and PowerTOP itself is a load",
    )
    source = AskedSource(info, lambda: _measured_w(surroundings, MEASURE_S), surroundings.clock)
    return Finding(sources=(source,))


def record(surroundings: Surroundings) -> dict[str, str]:
    """The line with the discharge rate, for a dump; the report also names every program."""
    if not find(surroundings).sources:
        return {}
    line = _RATE.search(_report(surroundings, PROBE_S)[0])
    return {RECORDED: f"The {line[0]};\n"} if line else {}


def _unusable(surroundings: Surroundings) -> Absence | None:
    if not surroundings.live:
        if recorded(surroundings, RECORDED).status == 0:
            return None
        reason = f"The recorded tree holds no report of PowerTOP (/{FOLDER}/{RECORDED})."
        return Absence(kind=KIND, reason=reason, relevant=False)
    version = ask(surroundings, ("powertop", "--version"), recorded_as="")
    if version.status == NOT_FOUND:
        return Absence(
            kind=KIND,
            reason="PowerTOP is not installed.",
            way_out="It would tell what the battery tells already; to have it: `sudo apt install "
            "powertop`.",
            relevant=False,
        )
    user = ask(surroundings, ("id", "-u"), recorded_as="")
    if user.output.strip() != "0":
        return Absence(
            kind=KIND,
            reason="PowerTOP runs as root only.",
            way_out="Use the battery itself (`--meter battery`), which needs no root.",
        )
    return None


def _measured_w(surroundings: Surroundings, seconds: int) -> float:
    """Mean watts of so many seconds; it takes a little longer than that.

    Raises:
        SourceLostError: PowerTOP failed, or reports no discharge.
    """
    report, said = _report(surroundings, seconds)
    watts = discharge_w(report)
    if watts is None:
        raise SourceLostError(
            "PowerTOP reports no discharge rate of a battery"
            + (f" but said: {said}" if said else "")
        )
    return watts


def _report(surroundings: Surroundings, seconds: int) -> tuple[str, str]:
    """The report, and what PowerTOP said otherwise where there is none."""
    if not surroundings.live:
        return recorded(surroundings, RECORDED).output, ""
    with tempfile.TemporaryDirectory(prefix="inferometer-") as folder:
        file = Path(folder) / RECORDED
        # The report is translated, so the language is fixed.
        command = ("env", "LC_ALL=C", "powertop", f"--csv={file}", f"--time={seconds}")
        ran = ask(surroundings, command, recorded_as=RECORDED, timeout_s=TIMEOUT_S)
        try:
            return surroundings.read(file).decode("utf-8", errors="replace"), ""
        except OSError:
            return "", " ".join((ran.errors or ran.output).split())[:100]
