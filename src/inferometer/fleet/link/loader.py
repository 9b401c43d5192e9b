"""How the light agent gets to a board: a loader finds it by its digest, or takes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256

LOADER = """
import hashlib, json, os, sys, tempfile
digest, verb = sys.argv[1:3]
cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
cache = os.environ.get("INFEROMETER_CACHE") or os.path.join(cache, "inferometer")
folder = os.path.join(cache, "fleet", "agents")
path = os.path.join(folder, digest + ".py")
def say(code, message):
    print(json.dumps({"error": {"code": code, "message": message}}))
    sys.exit(0)
if verb == "install":
    content = sys.stdin.buffer.read(16 << 20)
    if hashlib.sha256(content).hexdigest() != digest:
        say("bad_request", "the agent arrived other than it was sent; send it again")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.rename(name, path)
    except OSError as error:
        code = "no_space" if error.errno == 28 else "read_only"
        say(code, "the agent cannot be kept: %s" % error)
    print(json.dumps({"put": {"sha256": digest}}))
elif os.path.isfile(path):
    os.execv(sys.executable, [sys.executable, path, verb])
else:
    say("no_agent", "the agent is not on this board")
"""
"""In the syntax of Python 3.6; it runs as `PYTHON -c LOADER DIGEST VERB`."""

Source = Callable[[], bytes]


@cache
def light_agent() -> bytes:
    """The file of the light agent, the same for all boards."""
    from inferometer.fleet.agent import agent_file

    return agent_file()


class Agent:
    """The light agent as a file to send.

    Args:
        source: gives its content.
    """

    def __init__(self, source: Source = light_agent) -> None:
        self.content = source()
        self.digest = sha256(self.content).hexdigest()

    def command(self, python: str, verb: str) -> list[str]:
        """What runs it on a board, or, with the verb `install`, keeps it there."""
        return [python, "-c", LOADER, self.digest, verb]
