"""Make, name and remove the environments of backends that need one of their own.

A private one is a virtual environment in the user's cache, filled by pip from the backend's lock
file. What was interrupted goes on: pip keeps what it has loaded, and passes over what is installed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files

from inferometer.backends import BACKENDS, environment
from inferometer.backends.environments import (
    environments_folder,
    forget,
    keep,
    kept,
    lock_digest,
    variables,
)
from inferometer.core.errors import InputError
from inferometer.core.registry import Environment, Plugin
from inferometer.core.shown import shown
from inferometer.host.software import versions
from inferometer.runner.pip_lines import PipLines, Step

NEEDED = ("numpy", "psutil")
"""What a worker imports besides the runtime."""
OLDEST = (3, 10)
PATIENCE_S = 300.0
OF_OTHER_PLACES = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON")
"""Variables that would make pip install elsewhere."""
QUIETLY = (
    *("--no-input", "--disable-pip-version-check", "--no-warn-script-location"),
    *("--progress-bar", "off"),
)

_ASK = """
import json, platform, sys
problem = ""
for name in sys.argv[1:]:
    try:
        __import__(name)
    except BaseException as error:
        problem = "cannot import %s (%s: %s)" % (name, type(error).__name__, error)
        break
told = {"python": sys.executable, "version": platform.python_version(), "problem": problem,
        "path": [part for part in sys.path if part]}
print("")
print(json.dumps(told))
"""


def software(backends: Sequence[str]) -> dict[str, str]:
    """Versions of what a run uses, by name; what differs in an environment has its own line."""
    found = versions()
    for name in dict.fromkeys(backends):
        other = environment(name)
        there = {} if other is None else {**versions(other.path), "python": other.version}
        for package, version in there.items():
            if found.setdefault(package, version) != version:
                found[f"{package} ({name})"] = version
    return found


def check_name(name: str) -> None:
    """Refuse what is not a backend with an environment of its own.

    Raises:
        InputError: it is so.
    """
    _plugin(name)


def install(
    name: str, *, python: str | None = None, on_step: Callable[[Step], None] = lambda _: None
) -> Environment:
    """Make the private environment of a backend, or go on with it; one that is there stays.

    Args:
        name: the backend.
        python: the interpreter to make it with; None for that of this process.
        on_step: is told how far it is.

    Raises:
        InputError: the backend has none, another process makes it, or it cannot be made.
    """
    plugin = _plugin(name)
    with _locked(name) as lock:
        base = _asked(sys.executable if python is None else _interpreter(python))
        found, digest = kept(name), lock_digest(plugin)
        is_asked_for = found is not None and (python is None or found.version == base.version)
        if found is not None and is_asked_for and found.lock == digest:
            return found
        forget(name)
        making = _Making(name, lock, on_step)
        making.prepare(base)
        making.fill(plugin)
        on_step(Step(stage="trying it"))
        made = _asked(making.python, (*NEEDED, *plugin.requires), lock=digest)
        keep(name, made)
        return made


def use(name: str, python: str) -> Environment:
    """Let a backend run under a Python of the user's.

    Raises:
        InputError: it is no Python, too old, or lacks a package; nothing was changed.
    """
    plugin = _plugin(name)
    found = _asked(_interpreter(python), (*NEEDED, *plugin.requires))
    with _locked(name):
        keep(name, found)
    return found


def remove(name: str) -> bool:
    """Remove the private environment of a backend, and forget one of the user's.

    Returns:
        Whether there was any.

    Raises:
        InputError: another process makes it just now.
    """
    _plugin(name)
    folder = environments_folder()
    with _locked(name):
        was = kept(name) is not None or (folder / name).exists()
        forget(name)
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        (folder / f"{name}.log").unlink(missing_ok=True)
    return was


def _plugin(name: str) -> Plugin:
    """A backend that may have an environment.

    Raises:
        InputError: there is none of that name, or it runs in ours.
    """
    plugin = BACKENDS.find(name)
    if not plugin.lock:
        install = BACKENDS.install_command(name, plugin)
        hint = f"; {install} installs it there" if install else ""
        raise InputError(
            f"the backend {shown(name)} runs under inferometer's own Python, and needs no "
            f"environment{hint}"
        )
    return plugin


def _interpreter(python: str) -> str:
    """An executable that the user named by its path, or as on the command line.

    Raises:
        InputError: there is none.
    """
    found = shutil.which(os.path.expanduser(python))  # noqa: PTH111 - it may be a name alone
    if found is None:
        raise InputError(f"{shown(python)}: there is no such program")
    return os.path.abspath(found)  # noqa: PTH100 - a link stays: it may lead out of its environment


def _asked(python: str, modules: Sequence[str] = (), *, lock: str = "") -> Environment:
    """What a Python says of itself, once it has imported modules.

    Args:
        python: the interpreter.
        modules: what it must be able to import.
        lock: digest of the lock file that it was made from.

    Raises:
        InputError: it is no Python, too old, or cannot import a module.
    """
    try:
        done = subprocess.run(
            [python, "-c", _ASK, *modules],
            capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S,
            stdin=subprocess.DEVNULL, cwd="/", env=variables(os.environ),
        )  # fmt: skip
        told = json.loads(done.stdout.strip().splitlines()[-1])
        problem, version = str(told["problem"]), str(told["version"])
        found = Environment(
            python=str(told["python"]), version=version, path=tuple(told["path"]), lock=lock
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{shown(python)} gave no answer within {PATIENCE_S:.0f} s") from None
    except (OSError, IndexError, ValueError, KeyError, TypeError):
        raise InputError(f"{shown(python)} is not a Python that runs here") from None
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise InputError(f"{shown(python)} is Python {version}; {oldest} or newer is needed")
    if problem:
        raise InputError(f"{shown(python)} {problem}; needed are {', '.join(modules)}")
    return found


class _Making:
    """A private environment that is being made.

    Args:
        name: of the backend.
        lock: descriptor that its processes inherit: where we are killed, nobody else gets in
            before they have ended too.
        on_step: is told how far it is.
    """

    def __init__(self, name: str, lock: int, on_step: Callable[[Step], None]) -> None:
        self._name = name
        self._lock = lock
        self._on_step = on_step
        self._folder = environments_folder() / name
        self._log = environments_folder() / f"{name}.log"
        self._log.write_text("")
        self.python = str(self._folder / "bin" / "python")

    def prepare(self, base: Environment) -> None:
        """Make it, empty; one that is there stays, if pip can go on with it.

        Raises:
            InputError: it cannot be made.
        """
        with suppress(InputError):
            if _asked(self.python, ("pip",)).version == base.version:
                return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._on_step(Step(stage=f"making an environment with Python {base.version}"))
        self._run([base.python, "-m", "venv", str(self._folder)], PipLines(0, lambda _: None))

    def fill(self, plugin: Plugin) -> None:
        """Install what the lock file names.

        Raises:
            InputError: pip failed; the message has its last useful line.
        """
        for described in self._folder.glob("lib/python*/site-packages/*.dist-info"):
            if not (described / "INSTALLER").exists():  # pip was killed before it wrote this, and
                shutil.rmtree(described)  # would take the package for whole
        with as_file(files("inferometer") / plugin.lock) as file:
            packages = sum(line[:1].isalnum() for line in file.read_text().splitlines())
            command = [self.python, "-m", "pip", "install", *QUIETLY, "--requirement", str(file)]
            self._run(command, PipLines(packages, self._on_step))

    def _run(self, command: list[str], lines: PipLines) -> None:
        """Run a program, whose output goes to the log and, a line at a time, to `lines`."""
        inherited = variables(os.environ).items()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", cwd="/", pass_fds=(self._lock,),
            env={key: value for key, value in inherited if key not in OF_OTHER_PLACES},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            with self._log.open("a", encoding="utf-8") as log:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    lines.take(line.strip())
            status = process.wait()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        if status:
            reason = lines.last_useful() or f"{command[0]} left with status {status}"
            raise InputError(
                f"the environment of {self._name} could not be made: {shown(reason)}; the log is "
                f"{self._log}. Once that is mended, the same command goes on where it was"
            )


@contextmanager
def _locked(name: str) -> Iterator[int]:
    """Hold the environment of a backend alone; gives the descriptor that holds it.

    Raises:
        InputError: another process holds it, or the cache cannot be written.
    """
    folder = environments_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise InputError(
            f"{shown(folder)} cannot be written: {error.strerror}; INFEROMETER_CACHE names "
            "another folder"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another process makes or removes the environment of {name} just now; try again "
                "when it has ended"
            ) from None
        yield file.fileno()
