"""Study files: read, checked and explained, and the studies that come with inferometer.

Knows what a study file may say; does not know whether a model exists or a runtime is installed.
"""

from __future__ import annotations

from inferometer.study.load import builtin_studies, load_study, parse_study
from inferometer.study.overrides import override

__all__ = ["builtin_studies", "load_study", "override", "parse_study"]
