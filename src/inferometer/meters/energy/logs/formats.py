"""The formats of logs, in the order in which they are tried: the first that fits reads the log.

A format is one file in `readers` and one line here.
"""

from __future__ import annotations

from inferometer.meters.energy.logs.channel import LogFormat
from inferometer.meters.energy.logs.readers.csv_any import CsvAny
from inferometer.meters.energy.logs.readers.csv_long import CsvLong
from inferometer.meters.energy.logs.readers.energy_counter import EnergyCounter
from inferometer.meters.energy.logs.readers.home_assistant import HomeAssistant
from inferometer.meters.energy.logs.readers.joulescope import Joulescope
from inferometer.meters.energy.logs.readers.jtop import Jtop
from inferometer.meters.energy.logs.readers.not_logs import NotLogs
from inferometer.meters.energy.logs.readers.nvidia_dmon import NvidiaDmon
from inferometer.meters.energy.logs.readers.nvidia_smi import NvidiaSmi
from inferometer.meters.energy.logs.readers.power_gadget import PowerGadget
from inferometer.meters.energy.logs.readers.powermetrics import Powermetrics
from inferometer.meters.energy.logs.readers.powermetrics_plist import PowermetricsPlist
from inferometer.meters.energy.logs.readers.powertop import PowerTop
from inferometer.meters.energy.logs.readers.ptdaemon import PtDaemon
from inferometer.meters.energy.logs.readers.shelly_csv import ShellyCsv
from inferometer.meters.energy.logs.readers.shelly_json import ShellyJson
from inferometer.meters.energy.logs.readers.smartpower import SmartPower
from inferometer.meters.energy.logs.readers.tasmota import Tasmota
from inferometer.meters.energy.logs.readers.tegrastats import Tegrastats
from inferometer.meters.energy.logs.readers.turbostat import Turbostat
from inferometer.meters.energy.logs.readers.usb_meter import UsbMeter

FORMATS: tuple[LogFormat, ...] = (
    NotLogs(),
    PowerTop(),
    PowermetricsPlist(),
    Powermetrics(),
    Tegrastats(),
    PtDaemon(),
    NvidiaDmon(),
    NvidiaSmi(),
    Tasmota(),
    ShellyJson(),
    Turbostat(),
    PowerGadget(),
    HomeAssistant(),
    ShellyCsv(),
    Jtop(),
    Joulescope(),
    UsbMeter(),
    SmartPower(),
    CsvLong(),
    EnergyCounter(),
    CsvAny(),
)
