"""What the parent asks of a worker, and what that answers; `codec` makes lines of them.

A module for each kind of work, with its requests and their answers.
"""

from __future__ import annotations

from typing import get_args

from inferometer.core.costing import Costing
from inferometer.core.profile import Profile
from inferometer.core.roofline import Roofline
from inferometer.runner.workers.messages.comparing import (
    GiveOutputs,
    Located,
    LocateModules,
    LocateOperators,
    MakeSamples,
    OutputsGiven,
    Recovered,
    RecoverOperators,
    SamplesMade,
)
from inferometer.runner.workers.messages.costing import (
    CostFile,
    CostModel,
    CostsCounted,
    CountCosts,
    Probe,
    ProfileCalls,
)
from inferometer.runner.workers.messages.failed import Failed
from inferometer.runner.workers.messages.judging import (
    DataOpened,
    Evaluate,
    Evaluated,
    LookAtData,
    OpenData,
)
from inferometer.runner.workers.messages.measuring import (
    Load,
    Loaded,
    MeasureRound,
    RoundDone,
    RoundPlan,
    WarmedUp,
    WarmUp,
)
from inferometer.runner.workers.messages.preparing import (
    Exported,
    ExportModel,
    PreparedAt,
    PrepareVariant,
    VariantPrepared,
)

__all__ = [
    "REQUESTS",
    "Answer",
    "CostFile",
    "CostModel",
    "CostsCounted",
    "CountCosts",
    "DataOpened",
    "Evaluate",
    "Evaluated",
    "ExportModel",
    "Exported",
    "Failed",
    "GiveOutputs",
    "Load",
    "Loaded",
    "LocateModules",
    "LocateOperators",
    "Located",
    "LookAtData",
    "MakeSamples",
    "MeasureRound",
    "OpenData",
    "OutputsGiven",
    "PrepareVariant",
    "PreparedAt",
    "Probe",
    "ProfileCalls",
    "RecoverOperators",
    "Recovered",
    "Request",
    "RoundDone",
    "RoundPlan",
    "SamplesMade",
    "VariantPrepared",
    "WarmUp",
    "WarmedUp",
]

Request = (
    Load
    | ExportModel
    | PrepareVariant
    | WarmUp
    | MeasureRound
    | CountCosts
    | CostModel
    | CostFile
    | ProfileCalls
    | Probe
    | LookAtData
    | OpenData
    | Evaluate
    | MakeSamples
    | GiveOutputs
    | LocateOperators
    | LocateModules
    | RecoverOperators
)
REQUESTS: tuple[type[Request], ...] = get_args(Request)

Answer = (
    Failed
    | Exported
    | VariantPrepared
    | Loaded
    | WarmedUp
    | RoundDone
    | CostsCounted
    | Costing
    | Profile
    | Roofline
    | DataOpened
    | Evaluated
    | SamplesMade
    | OutputsGiven
    | Located
    | Recovered
)
