"""What `python3 agent.py` does: measures its own study, or serves a fleet."""

import os
import signal
import sys
from typing import Any, Dict, List, Optional

from inferometer.fleet.light.device import Tables
from inferometer.fleet.light.lease import Held, take_lease
from inferometer.fleet.light.measuring import measure, settled_job
from inferometer.fleet.light.results import Trouble
from inferometer.fleet.light.standing import to_stderr
from inferometer.fleet.light.verbs import VERBS, Board, holder_here, serve

USAGE = """python3 {0} [-o RESULTS]

Measures {1} on this device, and writes what it observes to RESULTS
(results.json where nothing is said). Started again, it goes on where it was.
Bring the file back, and read it there with: inferometer import RESULTS
"""
DEFAULT = "results.json"


def run_agent(
    agent: str,
    arguments: List[str],
    job: Optional[Dict[str, Any]],
    tables: Tables,
    made: Dict[str, Any],
) -> int:
    """Do what the arguments say; the exit status: 0 done, 1 failures, 2 bad input, 130 ended.

    Args:
        agent: path of this program.
        arguments: behind its name.
        job: the study that it holds; None where a fleet brings one.
        tables: of `device.identify`.
        made: `version` and time of its making.
    """
    # On a full disk Python 3.6 leaves half of a module's bytecode, and fails on it ever after.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # of what is started, too
    first = arguments[0] if arguments else ""
    if first in VERBS:
        return serve(agent, first, tables, made)
    if first == "work":
        return Board(agent, tables, made).work(arguments[1], int(arguments[2]))
    name = os.path.basename(agent)
    if first in ("-h", "--help"):
        sys.stdout.write(USAGE.format(name, job["study"]["name"] if job else "what it is sent"))
        return 0
    path = DEFAULT if not arguments else _output(arguments)
    if path is None or job is None:
        asked = "it holds no study: a fleet drives it" if job is None else "give -o RESULTS alone"
        sys.stderr.write(f"{name}: {asked} (--help)\n")
        return 2
    return _measured(agent, path, job, tables, made)


def _output(arguments: List[str]) -> Optional[str]:
    if len(arguments) == 2 and arguments[0] in ("-o", "--output") and arguments[1]:
        return arguments[1]
    return None


def _take_lease() -> None:
    """Take the lease of this board, which ends with this process."""
    try:
        take_lease(holder_here(""))
    except OSError as error:
        to_stderr(f"{error.filename}: {error.strerror}: see that nobody else measures meanwhile.")


def _measured(
    agent: str, path: str, job: Dict[str, Any], tables: Tables, made: Dict[str, Any]
) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    here = os.path.dirname(os.path.abspath(agent))
    whole = settled_job(job, [os.getcwd(), here])
    try:
        _take_lease()
        results = measure(agent, whole, path, tables=tables, made=made, tell=to_stderr)
    except (Trouble, Held) as error:
        to_stderr(f"{error}.")
        return 2
    except KeyboardInterrupt:
        to_stderr(f"Interrupted. What is done is kept in {path}; start the agent again to go on.")
        return 130
    except OSError as error:
        to_stderr(f"{error.filename or path}: {error.strerror}.")
        return 2
    statuses = list(results.records.values())
    to_stderr(
        f"{statuses.count('ok')} of {len(whole['workloads'])} workloads measured. Bring {path} "
        f"back and read it there: inferometer import {os.path.basename(path)}"
    )
    return 1 if "failed" in statuses or "ok" not in statuses else 0
