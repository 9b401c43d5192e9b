"""What a worker lets the system do to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import os, sys
from inferometer.runner.limits import stay_on
stay_on([int(cpu) for cpu in sys.argv[1:]])
print(sorted(os.sched_getaffinity(0)))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="not on this system")
def test_a_process_stays_on_the_cpus_it_is_given():
    usable = sorted(os.sched_getaffinity(0))

    def seen(*cpus):
        command = [sys.executable, "-c", CODE, *map(str, cpus)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert seen(usable[-1]) == str([usable[-1]])
    assert seen() == str(usable)
    assert seen(10**6) == str(usable), "a CPU that is not there changes nothing"
