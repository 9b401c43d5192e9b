"""The JavaScript that draws the page's plots: Vega, Vega-Lite and Vega-Embed in one piece.

Making the piece takes a second or two, and a version of vl-convert always makes the same one: it is
kept among the user's caches.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec

from inferometer.core.errors import MissingExtraError
from inferometer.core.filenames import FileProblemError, write_whole
from inferometer.host.cachefolder import cache_folder

_GLOBALS = "window.vegaEmbed = vegaEmbed;"


def missing() -> MissingExtraError | None:
    """What keeps the page from having plots; None where nothing does."""
    if find_spec("vl_convert") is not None:
        return None
    return MissingExtraError("plots in the page: vl-convert-python", "html")


@cache
def library() -> str:
    """The script, ready to stand between script tags; it loads nothing."""
    made_by = f"vl-convert-python {version('vl-convert-python')}: {_GLOBALS}"
    kept = _kept(made_by)
    if kept is not None:
        return kept
    import vl_convert

    # The sequence would end the script early; inside strings and comments, where alone it can
    # stand, the backslash changes nothing.
    made = str(vl_convert.javascript_bundle(_GLOBALS)).replace("</script", "<\\/script")
    _keep(made, made_by)
    return made


def _kept(made_by: str) -> str | None:
    """The script of this version that is kept; None where there is none, or it is not whole."""
    try:
        content = (cache_folder() / "page" / "plots.js").read_bytes()
    except OSError:
        return None
    first, _, script = content.partition(b"\n")
    return script.decode() if first == _first_line(script, made_by) else None


def _keep(script: str, made_by: str) -> None:
    """Keep the script for the next report, if there is room; there is a page without it too."""
    content, folder = script.encode(), cache_folder() / "page"
    with suppress(OSError, FileProblemError):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(_first_line(content, made_by) + b"\n" + content, folder / "plots.js")


def _first_line(script: bytes, made_by: str) -> bytes:
    """What a kept script begins with: who made it, and a checksum of what follows."""
    return f"// {made_by} {hashlib.sha256(script).hexdigest()}".encode()
