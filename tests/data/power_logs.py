"""Logs of power meters in the formats of the tools that people use; every figure is invented."""

# ruff: noqa: ISC004 - a string that goes on is one line of a file

from __future__ import annotations

START = 1_750_000_000


def text(*lines: str) -> str:
    """Lines as a file has them."""
    return "\n".join(lines) + "\n"


_SMI = ("60.00 W", "[N/A]", "65.00 W", "70.00 W")
_HEAD = (
    "RAM 2274/6834MB (lfb 27x4MB) SWAP 542/3417MB (cached 2MB) "
    "CPU [99%@1189,100%@1188,off,off] EMC_FREQ 0% GR3D_FREQ 22% CPU@40C GPU@38C"
)
_BANNER = (
    "_" * 60,
    "\t\t\tP o w e r T O P",
    "_" * 60,
    " *  *  *   System Information   *  *  *",
    "",
    "PowerTOP Version;v2.14;ran at Thu Nov 26 10:00:00 2026",
    "",
)
_USERS = (" *  *  *   Overview of Software Power Consumers   *  *  *", "")

PUBLISHED = {
    "nvidia_smi_units.csv": text(
        "timestamp, power.draw [W]",
        *(f"2026/11/26 10:00:0{s}.000, {p}" for s, p in enumerate(_SMI)),
    ),
    "nvidia_smi_no_header.csv": text(
        *(
            f"2026/11/26 10:00:0{s}.000, {p} W"
            for s, p in enumerate(("60.00", "65.00", "65.00", "70.00"))
        )
    ),
    "nvidia_smi_two_gpus.csv": text(
        "timestamp, index, power.draw [W]",
        *(
            f"2026/11/26 10:00:0{s}.{ms}, {i}, {w}.0"
            for s in range(6)
            for ms, i, w in (("100", 0, 100), ("103", 1, 200))
        ),
    ),
    "tegrastats_orin.log": text(
        *(
            f"11-26-2026 10:00:0{s} {_HEAD} VDD_IN {p}mW/5550mW VDD_CPU_GPU_CV 1800mW/1790mW "
            "VDD_SOC 1400mW/1400mW"
            for s, p in enumerate((5540, 5560, 5560, 5580))
        )
    ),
    "tegrastats_agx.log": text(
        *(
            f"11-26-2026 10:00:0{s} {_HEAD} VDD_GPU_SOC 2000mW/2000mW VDD_CPU_CV 400mW/400mW "
            "VIN_SYS_5V0 1800mW/1800mW"
            for s in range(4)
        )
    ),
    "tegrastats_nano_no_times.log": text(
        *(
            "RAM 936/3964MB (lfb 366x4MB) CPU [10%@102,3%@102] PLL@24C "
            f"POM_5V_IN {p}/2000 POM_5V_GPU 0/0 POM_5V_CPU 120/120"
            for p in (2000, 2140, 2070, 2070)
        )
    ),
    "ptdaemon.txt": text(
        *(
            f"Time,11-26-2026 10:00:0{s}.334,Watts,{w:.6f},Volts,120.05,Amps,0.0961,PF,0.39,"
            "Mark,run_1"
            for s, w in enumerate((5.0, 5.2, 5.2, 5.4))
        )
    ),
    "microunits.csv": text(
        "time,voltage_uV,current_uA", *(f"{START + s},12000000,1500000" for s in range(4))
    ),
    "milliwatts_called_watts.csv": text(
        "timestamp,gpu_power_w", *(f"2026-11-26 10:00:0{s},{6400 + 5 * s}" for s in range(4))
    ),
    "jtop.csv": text(
        "time,uptime,CPU1,GPU,RAM,Temp CPU,power cur CPU,power cur SOC,power tot",
        *(f"2026-11-26 10:00:0{s},0:10:0{s},12,30,0.4,40.5,1200,900,4300" for s in range(4)),
    ),
    "turbostat.txt": text(
        *(
            line
            for s in range(4)
            for line in (
                "Time_Of_Day_Seconds\tCore\tCPU\tAvg_MHz\tBusy%\tPkgWatt",
                f"{START + s}.0\t-\t-\t30\t2.69\t8.50",
                f"{START + s}.0\t0\t0\t58\t6.06",
            )
        )
    ),
    "long_format.csv": text(
        "Time_Seconds,Sensor_Name,Watts",
        *(
            f"{START + s},{n},{w}"
            for s in range(4)
            for n, w in (("CPU Package", 17.7), ("CPU Cores", 15.7), ("CPU Memory", 0.0))
        ),
    ),
    "powertop.csv": text(
        *_BANNER,
        *_USERS,
        "Usage;Wakeups/s;GPU ops/s;Category;Description;PW Estimate",
        "1.0 ms/s;10.0;;Process;python;120 mW",
        "",
        "The battery reports a discharge rate of:  9.97  W;",
    ),
    "powertop_none.csv": text(
        *_BANNER,
        *_USERS,
        "Usage;Wakeups/s;GPU ops/s;Category;Description",
        "1.0 ms/s;10.0;;Process;python",
    ),
}
"""Files as people publish them."""

_ZONE = "+0100"


def _powermetrics(seconds: int, combined: int | None, cpu: int, gpu: int) -> tuple[str, ...]:
    return (
        f"*** Sampled system activity (Thu Nov 26 10:00:0{seconds} 2026 {_ZONE}) "
        "(1000.00ms elapsed) ***",
        "",
        "**** Processor usage ****",
        f"CPU Power: {cpu} mW",
        f"GPU Power: {gpu} mW",
        "ANE Power: 0 mW",
        *([f"Combined Power (CPU + GPU + ANE): {combined} mW"] if combined is not None else []),
        "**** GPU usage ****",
        f"GPU Power: {gpu - 10} mW",
        "",
    )


def _plist(second: int, combined: float) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict>\n'
        "<key>elapsed_ns</key><integer>1000000000</integer>\n"
        f"<key>timestamp</key><date>2026-11-26T09:00:0{second}Z</date>\n"
        f"<key>processor</key><dict><key>cpu_power</key><real>{combined - 100}</real>"
        f"<key>combined_power</key><real>{combined}</real></dict>\n</dict>\n</plist>\n\0"
    )


_GADGET = (
    "System Time,RDTSC,Elapsed Time (sec),CPU Utilization(%),CPU Frequency_0(MHz),"
    "Processor Power_0(Watt),Cumulative Processor Energy_0(Joules),IA Power_0(Watt),"
    "Package Temperature_0(C),DRAM Power_0(Watt),Package Power Limit_0(Watt)"
)
_TASMOTA = (
    '{"Time":"2026-11-26T10:00:%02d","ENERGY":{"TotalStartTime":"2020-10-21T22:15:00",'
    '"Total":3.705,"Power":%s,"ApparentPower":9,"ReactivePower":0,"Factor":1.00,"Voltage":233,'
    '"Current":0.021}}'
)

OTHERS = {
    "nvidia_nounits.csv": text(
        "timestamp, power.draw [W], utilization.gpu [%]",
        *(f"2026/11/26 10:00:0{s}.000, {p}, 97" for s, p in enumerate((60.0, 62.0, 64.0))),
    ),
    "nvidia_bare.csv": text(
        *(f"2026/11/26 10:00:0{s}.000, {p}" for s, p in enumerate((60.0, 62.0, 64.0)))
    ),
    "nvidia_bursts.csv": text(
        "timestamp, power.draw [W]",
        *(
            f"2026/11/26 10:00:0{s}.{ms}, {w}.00 W"
            for s in range(4)
            for ms, w in (("100", 50), ("103", 90))
        ),
    ),
    "nvidia_dmon.txt": text(
        "#Date       Time         gpu    pwr  gtemp  mtemp",
        "#YYYYMMDD   HH:MM:SS     Idx      W      C      C",
        *(
            f" 20261126   10:00:0{s}       {i}     {w}     30     46"
            for s in range(3)
            for i, w in ((0, 64), (1, 61))
        ),
    ),
    "nvidia_dmon_no_times.txt": text(
        "# gpu    pwr  gtemp  mtemp     sm", "# Idx      W      C      C      %",
        "    0     60     30      -      0", "    0      -     30      -      0",
        "    0     64     30      -      0",
    ),
    "tegrastats_tx2.log": text(
        *(
            f"{START + s} RAM 1404/7860MB (lfb 236x4MB) SWAP 0/3930MB (cached 0MB) CPU [0%@345] "
            "GPU@32C Tdiode@31.5C VDD_SYS_GPU 153/153 VDD_SYS_SOC 306/306 VDD_4V0_WIFI 0/0 "
            "VDD_IN 1649/1649 VDD_SYS_CPU 306/306 VDD_SYS_DDR 173/173"
            for s in range(3)
        )
    ),
    "tegrastats_thor.log": text(
        *(
            f"11-26-2026 10:00:0{s} RAM 4722/125771MB (lfb 1x512kB) CPU [0%@1866] GR3D_FREQ "
            "@[1000,1000,1000] cpu@52.968C/52.968C VDD_GPU 5139mW/5139mW/5139mW "
            "VDD_CPU_SOC_MSS 3268mW/3268mW/3268mW VIN_SYS_5V0 5500mW/5500mW/5500mW "
            "VIN 32208mW/32208mW/32208mW"
            for s in range(3)
        )
    ),
    "jtop4.csv": text(
        "time,uptime,CPU1,RAM,Temp cpu,Power VDD_CPU_CV,Power VDD_GPU_SOC,Power TOT,jetson_clocks",
        *(f"2026-11-26 10:00:0{s}.5,0:10:0{s},12,0.4,40.5,1200,900,2100,OFF" for s in range(3)),
    ),
    "powertop.html": text(
        "<html><head><title>PowerTOP report</title></head><body>",
        "<h1>P o w e r T O P</h1><ul><li>The battery reports a discharge rate of: "
        "<b>12.3 W</b></li></ul></body></html>",
    ),
    "turbostat_summary.txt": text(
        "turbostat version 2023.11.07 - Len Brown <lenb@kernel.org>",
        "CPUID(0): GenuineIntel 0x1b CPUID levels",
        "CoreTmp\tPkgTmp\tPkgWatt\tCorWatt\tGFXWatt\tRAMWatt\tPKG_%\tRAM_%\tSysWatt",
        "60\t61\t6.21\t1.13\t0.16\t0.00\t0.00\t0.00\t13.07",
        "58\t61\t6.00\t1.07\t0.18\t0.00\t0.00\t0.00\t12.75",
        "58\t61\t5.79\t1.05\t0.17\t0.00\t0.00\t0.00\t12.22",
        "3.000 sec",
    ),
    "powermetrics.txt": text(
        "Machine model: Mac14,2",
        *(line for s, p in enumerate((300, 310, 320)) for line in _powermetrics(s, p, p - 90, 90)),
    ),
    "powermetrics_parts.txt": text(
        *(line for s in range(3) for line in _powermetrics(s, None, 200, 90))
    ),
    "powermetrics_intel.txt": text(
        *(
            line
            for s in range(3)
            for line in (
                f"*** Sampled system activity (Thu Nov 26 10:00:0{s} 2026 {_ZONE}) "
                "(1003.52ms elapsed) ***",
                "Intel energy model derived package power (CPUs+GT+SA): 2.30W",
            )
        )
    ),
    "powermetrics.plist": "".join(_plist(s, p) for s, p in enumerate((300.0, 310.0, 320.0))),
    "power_gadget.csv": text(
        _GADGET,
        *(
            f'"10:00:0{s}:769",{61075218263548 + s},"   {s + 1}.000",12,2400, {p},{p * s},'
            f"{p / 2},40,1.5,45.0"
            for s, p in enumerate((14.0, 14.2, 14.4))
        ),
        "",
        '"Total Elapsed Time (sec) = 3.0"',
        '"Measured RDTSC Frequency (GHz) = 2.592"',
        "",
        '"Cumulative Processor Energy_0 (Joules) = 42.6"',
        '"Average Processor Power_0 (Watt) = 14.2"',
    ),
    "ptdaemon_channels.txt": text(
        *(
            f"Time,11-26-2026 10:00:0{s}.334,Watts,{w},Volts,120.05,Amps,0.09,PF,0.39,Mark,x,"
            f"Ch1,Watts,{abs(w) - 0.5:g},Volts,120.0,Ch2,Watts,1,Volts,120.0"
            for s, w in enumerate((5.0, -1, 5.4))
        )
    ),
    "joulescope.csv": text(
        "#time (s),current (A),voltage (V)", *(f"{s / 10},0.5,{5 + s / 10}" for s in range(4))
    ),
    "joulescope_log.csv": text(
        "time,current,voltage,power,charge,energy,current_min,current_max",
        *(f"{s / 2},0.5,5.0,2.5,{s / 4},{s * 1.25},0.4,0.6" for s in range(4)),
    ),
    "fnirsi.txt": text(
        "",
        "timestamp sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As",
        "1657568326.775 0 5.00000 0.50000 1.184 1.031 30.500 0.000000 0.000001",
        "1657568326.785 1 5.00000 0.50000 1.184 1.033 30.500 0.000000 0.000001",
        "1657568326.795 2 5.00000 0.50000 1.184 1.030 30.500 0.000000 0.000002",
        "1657568326.790 0 5.00000 0.50000 1.185 1.032 30.500 0.000000 0.000003",
    ),
    "avhzy.csv": text(
        "Time(s),VBUS(V),IBUS(A),Power(W),D+(V),D-(V),CC1(V),CC2(V)",
        *(f"{s * 0.1:.1f},5.02,0.5,2.51,0.6,0.6,1.7,0" for s in range(4)),
    ),
    "um25c.csv": text(
        "UM25C", "Date;Voltage (V);Current (A);Temperature (°C)",
        *(f"26.11.2026 10:00:0{s};5,00;0,5000;29" for s in range(4)),
    ),
    "shelly.csv": text(
        "timestamp,a_total_act_energy,a_fund_act_energy,a_total_act_ret_energy,a_max_act_power,"
        "a_avg_voltage,b_total_act_energy,c_total_act_energy",
        *(f"{START + 60 * s},1.0,1.0,0,99,230,0.5,0.25" for s in range(4)),
    ),
    "shelly_em.csv": text(
        "Date/time UTC,Active energy Wh,Returned energy Wh,Min V,Max V",
        *(f"2026-11-26 10:0{s},1.5,0,229.1,231.0" for s in range(4)),
    ),
    "shelly_cloud.csv": text(
        "datetime,consumption,reversed",
        *(f"2026-11-26 {s:02d}:00:00,120.5,0" for s in range(4)),
    ),
    "shelly_rpc.jsonl": text(
        *(
            f'2026-11-26T10:00:0{s}Z {{"id":0,"source":"init","output":true,"apower":{w},'
            '"voltage":230.1,"current":0.1,"aenergy":{"total":11.1,"by_minute":[1,2,3]}}'
            for s, w in enumerate((5.0, 5.2, 5.4))
        )
    ),
    "shelly_events.jsonl": text(
        *(
            '{"src":"shellyplus","dst":"x","method":"NotifyStatus","params":{"ts":'
            f'{START + s}.44,"switch:0":{{"id":0,"apower":{w}}}}}}}'
            for s, w in enumerate((5.0, 5.2, 5.4))
        )
    ),
    "tasmota.log": text(
        *(
            f"10:00:0{s}.925 MQT: tele/plug/SENSOR = {_TASMOTA % (s, w)}"
            for s, w in enumerate((5, 6, 7))
        ),
        '10:00:09.000 MQT: tele/plug/STATE = {"Time":"2026-11-26T10:00:09","POWER":"ON"}',
    ),
    "home_assistant.csv": text(
        "entity_id,state,last_changed",
        "sensor.plug_power,10.0,2026-11-26T09:00:00.000Z",
        "sensor.plug_energy,3.1,2026-11-26T09:00:00.000Z",
        "sensor.plug_power,unavailable,2026-11-26T09:00:10.000Z",
        "sensor.plug_power,30.0,2026-11-26T09:00:20.000Z",
        "switch.plug,on,2026-11-26T09:00:21.000Z",
        "sensor.plug_power,10.0,2026-11-26T09:00:50.000Z",
    ),
    "smartpower3.csv": text(
        *(
            f"{1000 * s:010d},12000,500,{6000},1,5000,800,{4000 + 100 * s},1,0,0,0,0,0,0,9f,12"
            for s in range(4)
        )
    ),
    "smartpower2.txt": text("5.001,0.512,2.561,0.010", "5.001,0.514,2.571,0.011"),
    "rapl.csv": text(
        "time,energy_uj",
        *(f"{START + s},{value}" for s, value in enumerate((262_000_000_000, 262_010_000_000, 5_000_000, 15_000_000))),
    ),
    "codecarbon.csv": text(
        "timestamp,project_name,run_id,duration,emissions,emissions_rate,cpu_power,gpu_power,"
        "ram_power,cpu_energy,gpu_energy,ram_energy,energy_consumed,codecarbon_version",
        "2024-05-27T11:31:35,codecarbon,979336a5,299.7,0.0165,5.5e-05,42.5,302.3,31.3,0.003,0.02,"
        "0.002,0.03,2.4.2",
    ),
}  # fmt: skip
"""Further formats, and their variants."""

ALL = {**PUBLISHED, **OTHERS}
