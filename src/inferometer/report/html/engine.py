"""The JavaScript that draws the page's plots: Vega, Vega-Lite and Vega-Embed in one piece."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from inferometer.core.errors import MissingExtraError

_GLOBALS = "window.vegaEmbed = vegaEmbed;"


def missing() -> MissingExtraError | None:
    """What keeps the page from having plots; None where nothing does."""
    if find_spec("vl_convert") is not None:
        return None
    return MissingExtraError("plots in the page: vl-convert-python", "html")


@cache  # it takes seconds, and is always the same
def library() -> str:
    """The script, ready to stand between script tags; it loads nothing."""
    import vl_convert

    # The sequence would end the script early; inside strings and comments, where alone it can
    # stand, the backslash changes nothing.
    return str(vl_convert.javascript_bundle(_GLOBALS)).replace("</script", "<\\/script")
