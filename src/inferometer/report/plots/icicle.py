"""Draws a profile as an icicle: the network on top, what it called below, widths are time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from inferometer.analysis.profile import operator_rows
from inferometer.core import units
from inferometer.core.cost import Cost
from inferometer.core.profile import CallTree, Node
from inferometer.report.document import marks
from inferometer.report.document.wording import sentence
from inferometer.report.plots import figures
from inferometer.report.terminal.profile import added_text, heading
from inferometer.runner.profile import Profiled

MODULE = "module"
OTHER = "other operator"
COLOURS: dict[str, str] = {
    MODULE: "#bbbbbb",
    "convolution": "#0072B2",
    "matrix product": "#56B4E9",
    "attention": "#009E73",
    "recurrent": "#117755",
    "normalisation": "#E69F00",
    "pooling": "#CC79A7",
    "element-wise": "#D55E00",
    "reduction": "#F0E442",
    "data movement": "#999933",
    OTHER: "#555555",
}
"""What a box is → its colour, before it is made lighter so that black text can be read on it."""

_LIGHTER = 0.45
_WIDTH = 11.0
_MARGINS = (0.25, 0.25)  # inches left and right
_LEVEL = 0.27
_LINE, _BELOW = 0.17, 0.85
_TITLE = 130
_POINTS = 7
_CHARACTER = 0.058  # inches that a character of this size takes, on the wide side
_LEAST_TEXT = 3
_NARROWEST = 0.002  # of the width: what is narrower can hardly be seen
_HANDED_ON = 0.9
"""An operator with this share of the one that called it is not shown beside it."""
_MOSTLY_ITSELF = 0.5
"""Nor is what an operator called, where so much of the time is its own."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of the picture.

    Attributes:
        node: what it stands for.
        level: 0 is the network.
        begin_s: its left end.
        what: a key of `COLOURS`.
    """

    node: Node
    level: int
    begin_s: float
    what: str

    def label(self, length: int) -> str:
        """Its name without what is to be seen around it, with its class where there is room."""
        if self.node.kind == "operator":
            return marks.shorten(self.node.name.removeprefix("aten::"), length)
        name = self.node.name.rpartition(".")[2]
        whole = f"{name}: {self.node.type}" if name else self.node.type or "network"
        return marks.shorten(whole if len(whole) <= length or not name else name, length)


def draw(found: Profiled, *, depth: int | None = None, name: str) -> dict[str, bytes]:
    """The picture in each format, by file name.

    Args:
        found: the profile; colours tell kinds of operators where operations were counted.
        depth: below it, modules are left out and their operators added up; None is to the bottom.
        name: of the files, without a suffix.
    """
    with figures.settings():
        return figures.saved(_figure(found, depth), name)


def boxes(tree: CallTree, cost: Cost | None, *, depth: int | None = None) -> list[Box]:
    """What the picture shows; within a box, what it called stands in the order of the first call.

    Time in nothing below is blank, at the right.
    """
    kinds = {row.time.name: row.kind for row in operator_rows(tree, cost) if row.kind}
    root = tree.root if depth is None else _cut(tree.root, depth)
    least_s = _NARROWEST * root.total_s
    return [box for box in _boxes(root, 0, 0.0, kinds) if box.node.total_s > least_s]


def _boxes(node: Node, level: int, begin_s: float, kinds: Mapping[str, str]) -> Iterator[Box]:
    what = MODULE if node.kind == "module" else _kind(node, kinds)
    yield Box(node=node, level=level, begin_s=begin_s, what=what)
    core, begin_s = _core(node, begin_s)
    own = node.kind == "operator" and core.self_s >= _MOSTLY_ITSELF * node.total_s
    for child in () if own else core.children:
        yield from _boxes(child, level + 1, begin_s, kinds)
        begin_s += child.total_s


def _core(node: Node, begin_s: float) -> tuple[Node, float]:
    """The operator that another hands its work on to, and where it begins; a module is its own."""
    while node.kind == "operator" and node.children:
        heaviest = max(node.children, key=lambda child: child.total_s)
        if heaviest.total_s < _HANDED_ON * node.total_s:
            break
        before = node.children[: node.children.index(heaviest)]
        node, begin_s = heaviest, begin_s + sum(child.total_s for child in before)
    return node, begin_s


def _kind(node: Node, kinds: Mapping[str, str]) -> str:
    """The kind of the operator in which most of its time is spent."""
    heaviest = max(node.walk(), key=lambda below: below.self_s)
    kind = kinds.get(heaviest.name) or kinds.get(node.name, "")
    return kind if kind in COLOURS else OTHER


def _cut(node: Node, depth: int) -> Node:
    """A module with the modules down to a depth, and the operators of those below added up."""
    if depth > 0:
        children = tuple(
            _cut(child, depth - 1) if child.kind == "module" else child for child in node.children
        )
        return replace(node, children=children)
    return replace(node, children=_merged(_outermost(node)))


def _merged(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Operators of one name as one, at every level; the slowest first."""
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.name, []).append(node)
    merged = [
        replace(
            same[0],
            self_s=sum(node.self_s for node in same),
            total_s=sum(node.total_s for node in same),
            children=_merged(child for node in same for child in node.children),
        )
        for same in groups.values()
    ]
    return tuple(sorted(merged, key=lambda node: -node.total_s))


def _outermost(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.kind == "operator":
            yield child
        else:
            yield from _outermost(child)


def _figure(found: Profiled, depth: int | None) -> Figure:
    tree = found.profile.tree
    shown = boxes(tree, found.cost, depth=depth)
    levels = 1 + max(box.level for box in shown)
    title = _title(found)
    height = _LINE * (len(title) + 1) + levels * _LEVEL + _BELOW
    figure = Figure(figsize=(_WIDTH, height))
    FigureCanvasAgg(figure)
    left, right = _MARGINS
    across = _WIDTH - left - right
    axes = figure.add_axes(
        (left / _WIDTH, _BELOW / height, across / _WIDTH, levels * _LEVEL / height)
    )
    total_s = tree.root.total_s
    axes.set(xlim=(0, total_s), ylim=(levels, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _position: units.round_seconds(value))
    axes.set_xlabel(
        "time of a call under the profiler, added up by module and operator; "
        "blank: in nothing that is shown below"
    )
    for box in shown:
        _draw_box(axes, box, across / total_s)
    figure.text(left / _WIDTH, 1 - 0.1 / height, "\n".join(title), va="top", fontsize=9)
    _legend(figure, shown)
    return figure


def _title(found: Profiled) -> list[str]:
    """Lines that say what was profiled, and what the profiler adds."""
    profile = found.profile
    plain, profiled = units.latency(profile.plain), units.latency(profile.profiled)
    return [
        *textwrap.wrap(marks.plain(heading(found)), _TITLE),
        f"latency {plain}, under the profiler {profiled}. {sentence(added_text(profile.added))}",
    ]


def _draw_box(axes: Axes, box: Box, inches_per_s: float) -> None:
    width_s = box.node.total_s
    inches = width_s * inches_per_s
    rectangle = Rectangle(
        (box.begin_s, box.level),
        width_s,
        1,
        facecolor=_light(COLOURS[box.what]),
        edgecolor="white",
        linewidth=0.6 if inches > 0.03 else 0.0,  # noqa: PLR2004 - an edge would hide it
    )
    axes.add_patch(rectangle)
    fits = int((inches - 0.06) / _CHARACTER)
    if fits >= _LEAST_TEXT:
        text = axes.text(
            box.begin_s + width_s / 2,
            box.level + 0.5,
            marks.plain(box.label(fits)),
            ha="center",
            va="center_baseline",
            fontsize=_POINTS,
        )
        text.set_clip_path(rectangle)


def _legend(figure: Figure, shown: Sequence[Box]) -> None:
    used = {box.what for box in shown}
    handles = [
        Patch(facecolor=_light(colour), label=what)
        for what, colour in COLOURS.items()
        if what in used
    ]
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.01, 0),
        ncols=len(handles),
        frameon=False,
        fontsize=8,
    )


def _light(colour: str) -> tuple[float, float, float]:
    red, green, blue = (1 - (1 - part) * (1 - _LIGHTER) for part in to_rgb(colour))
    return red, green, blue
