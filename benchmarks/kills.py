"""Kill -9 at random moments while records exist: nothing lost, nothing doubled, no orphans.

    python benchmarks/kills.py --kills 200

Measures small studies, kills the whole run at a random moment, looks at the store row by row, and
resumes. What stood there just before the kill must stand there after it, and after the next one;
no workload may have two records, no round may be there twice, and no worker may be left over.
A kill counts where its run had records at that moment. About ten minutes.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil

FAULTS = Path(__file__).parents[1] / "tests" / "models" / "faults.py"
STUDY = """\
name: kills
models: [{models}]
backends: [python]
batch: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
procedure: {{processes: 2, min_rounds: 6, span: 0, round: 20ms, target: 5%, max_time: 400ms}}
"""
LONGEST_S = 4.0
"""Between the start of a run and its kill, at the most."""

GONE_WITHIN_S = 5.0
COUNTED = "kills while records exist"
Rows = dict[str, dict[tuple[object, ...], tuple[object, ...]]]


def rows(path: Path) -> Rows:
    """Every row of records and rounds, by what it is about."""
    found: Rows = {"records": {}, "rounds": {}}
    if not path.exists():
        return found
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as store:
        for table, key in (("records", "workload"), ("rounds", "number")):
            store.row_factory = sqlite3.Row
            if store.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
                for row in store.execute(f"SELECT * FROM {table}"):
                    found[table][row["run_id"], row[key]] = tuple(row)
    return found


def doubled(path: Path) -> int:
    """Workloads with two records, and rounds of one workload that began at one moment."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as store:
        records = Counter(store.execute("SELECT run_id, workload FROM records"))
        rounds = Counter(store.execute("SELECT run_id, workload, phase, started_at FROM rounds"))
    return sum(count - 1 for counted in (records, rounds) for count in counted.values())


def lost(before: Rows, now: Rows) -> int:
    """Rows that were there, and are not there as they were."""
    return sum(
        now[table].get(key) != row for table, known in before.items() for key, row in known.items()
    )


def unfinished(path: Path) -> int:
    """Records of the run that is not finished."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as store:
        (count,) = store.execute(
            "SELECT count(*) FROM records JOIN runs ON runs.id = run_id WHERE finished_at IS NULL"
        ).fetchone()
    return int(count)


def orphans(children: list[psutil.Process]) -> int:
    """Workers that outlive their run."""
    return len(psutil.wait_procs(children, timeout=GONE_WITHIN_S)[1])


def main() -> None:
    """Kill, look, resume; print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    count: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, study = Path(folder, "kills.db"), Path(folder, "kills.yaml")
        study.write_text(
            STUDY.format(models=", ".join(f"'{FAULTS}:{n}'" for n in ("good", "chatty")))
        )
        while count[COUNTED] < chosen.kills:
            one_kill(path, study, dice, count)
            print(f"{count[COUNTED]} of {chosen.kills}: {dict(count)}", file=sys.stderr)
        count["records at the end"] = len(rows(path)["records"])
        count["rounds at the end"] = len(rows(path)["rounds"])
    print()
    for what, number in count.items():
        print(f"{number:6}  {what}")
    bad = ("rows lost", "rows doubled", "orphans", "starts that failed")
    sys.exit(any(count[what] for what in bad))


def one_kill(path: Path, study: Path, dice: random.Random, count: Counter[str]) -> None:
    """One start, and one kill."""
    seed = count["runs finished"]
    command = [
        *(sys.executable, "-m", "inferometer", "run", str(study), "--seed", str(seed), "--resume"),
        *("--store", str(path), "--no-roofline", "--no-energy"),
    ]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(dice.uniform(0.5, LONGEST_S))
    before = rows(path)
    has_records = unfinished(path) > 0
    ended = run.poll() is not None
    children = [] if ended else psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    if ended:
        count["runs finished" if run.returncode == 0 else "starts that failed"] += 1
        return
    count["kills"] += 1
    count[COUNTED] += has_records
    count["orphans"] += orphans(children)
    count["rows lost"] += lost(before, rows(path))
    count["rows doubled"] += doubled(path) if path.exists() else 0


if __name__ == "__main__":
    main()
