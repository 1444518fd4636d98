"""Figures of the notebooks: token probabilities, trees, accuracies.

Vocabulary: a *figure* is what a function here returns and `show` displays; its
*alternative text* says in words what the figure shows, for those who do not see it. A
*series* is one bar colour or one line.

Every figure can be read without colour: markers, hatches and line styles carry the same
message. Colours are those of Okabe and Ito, and cividis. Covers: drawing. Does not
cover: any number in a figure; those come from the caller. Model text is drawn as it is
("$" begins no formula).
"""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.search import Node, numbers, path_probability
from helpers.stats import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/, the darker ones first
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS, LINES, HATCHES = "osD^vPX", ("-", "--", "-.", ":"), ("", "//", "..", "xx")
FONT_SIZE = 11  # points
BESIDE = {  # a legend that covers nothing
    "fontsize": FONT_SIZE, "frameon": False,
    "loc": "center left", "bbox_to_anchor": (1.0, 0.5),
}  # fmt: skip
ROW, COLUMN = 0.42, 1.65  # inches of a tree's figure for a leaf, for a step
BEND = 0.12  # the share of a step where its line slants
WIDE = 15  # inches; a wider figure is scrolled, not shrunk until nobody can read it
KINDS = {  # of a node: marker, size in points, what the legend calls it
    "right": ("o", 16, "right answer (✓)"),
    "wrong": ("X", 14, "wrong answer"),
    "cut": ("s", 12, "no answer"),
    "open": ("o", 8, "step"),
}


def show(figure: "Figure", alt: str) -> None:
    """Display a figure once, as PNG with its alternative text."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    if not alt.strip():
        raise ValueError("Say in a sentence what the figure shows: show(figure, alt).")
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=100, bbox_inches="tight")
    plt.close(figure)  # or a notebook shows it again at the end of the cell
    data = {"image/png": base64.b64encode(png.getvalue()).decode("ascii")}
    look: dict[str, Any] = {"alt": alt}
    if (inches := figure.get_figwidth()) > WIDE:  # JupyterLab knows these two
        look |= {"unconfined": True, "width": round(80 * inches)}
    # A reader of plain text sees the alternative text instead of an object's name.
    display(data | {"text/plain": alt}, metadata={"image/png": look}, raw=True)


def visible(token: str) -> str:
    """Write a token so that its blanks show: " 4" as "␣4", a newline as "⏎"."""
    shown = token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "→")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)


def _new_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """Return an empty figure (inches) that no global list keeps alive."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=FONT_SIZE)
    return figure, axes


def bar_chart(
    tokens: Sequence[str],
    series: Mapping[str, Sequence[float]],
    title: str,
    xlabel: str = "probability",
) -> "Figure":
    """Draw shares, such as those of next tokens; one colour and hatch a series."""
    figure, axes = _new_figure(7.5, 1.2 + (0.16 + 0.22 * len(series)) * len(tokens))
    height = 0.8 / len(series)
    for i, (name, probabilities) in enumerate(series.items()):
        rows = [row + i * height for row in range(len(tokens))]
        look: dict[str, Any] = {"color": COLOURS[i % 7], "hatch": HATCHES[i % 4]}
        bars = axes.barh(
            rows, probabilities, height, label=name, edgecolor="white", **look
        )
        axes.bar_label(bars, fmt="{:.2f}", padding=3, fontsize=FONT_SIZE)
    centre = 0.4 - height / 2
    axes.set_yticks([row + centre for row in range(len(tokens))])
    axes.set_yticklabels([visible(t) for t in tokens], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xlabel(xlabel, fontsize=FONT_SIZE)
    axes.set_title(title, fontsize=FONT_SIZE + 1, loc="left", parse_math=False)
    if len(series) > 1:
        axes.legend(**BESIDE)
    return figure


def layout(root: Node) -> dict[Node, tuple[float, float]]:
    """Place a tree: (depth below the root, row). Leaves fill the rows in order, a
    parent is halfway between its first and its last child."""
    places: dict[Node, tuple[float, float]] = {}
    rows = iter(range(10**9))
    for node in _children_first(root):
        ends = [places[child][1] for child in (node.children[:1] + node.children[-1:])]
        row = sum(ends) / 2 if ends else float(next(rows))
        places[node] = (node.depth - root.depth, row)
    return places


def _children_first(root: Node) -> list[Node]:
    """Return the nodes with all children before their parent, leaves in order."""
    order: list[Node] = []
    for child in root.children:
        order += _children_first(child)
    return [*order, root]


def kind(node: Node) -> str:
    """Name what a node shows as: "right", "wrong", "cut" or "open"."""
    if node.env.terminated:
        return "right" if node.reward and node.reward > 0 else "wrong"
    dead_end = node.expanded and node.is_leaf
    return "cut" if node.env.truncated or dead_end else "open"


def label(node: Node) -> str:
    """Say a node's step in short: its answer, or its equation, or the whole step."""
    if node.env.terminated:
        return f"= {node.answer.value}" if node.answer.value is not None else "= ?"
    found = re.search(r"\S*\d\S*(?: [-+*/x] \S+)* = \S*\d", node.action.text[:200])
    return found.group() if found else node.action.text


def _fit(text: str, points: float) -> str:
    """Cut a text to this width, measured in the font it will be drawn in."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font, shown = FontProperties(size=FONT_SIZE), text
    while text_to_path.get_text_width_height_descent(shown, font, False)[0] > points:
        text = text[:-1]
        shown = text.rstrip() + "…"
    return shown


def draw_tree(root: Node, chosen: Node | None = None, search: bool = False) -> "Figure":
    """Draw a tree from left to right, each step written on the line that leads to it.

    Colour: probability of the path (product of priors), logarithmic. Width of a line:
    prior. Marker: a disc with a tick is a right answer, a cross a wrong one, a square a
    chain that was cut or is stuck. Made for up to about 40 nodes.

    With `search`, colour is the value, from 0 to 1, and below each step stand its
    visits N (if any node has some), value V and prior P. The path to `chosen` is black.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    places, path = layout(root), _ancestors(chosen)
    figure, axes, width = _tree_axes(places, ROW * 1.4 if search else ROW)
    measure = (lambda node: node.value) if search else path_probability
    lowest = min([0.1, *map(path_probability, places)])
    scale = ScalarMappable(Normalize(0, 1) if search else LogNorm(lowest, 1), "cividis")
    for node, (x, y) in places.items():
        if node.parent in places:
            ink = "black" if node in path else "0.6"
            _draw_branch(axes, places[node.parent], (x, y), node, ink)
            if search:
                note = numbers(node, has_visits=root.visits > 0)
                axes.text(x - 0.98 + BEND, y + 0.33, note, fontsize=FONT_SIZE - 1)
        is_valued = not search or node.parent or node.visits  # a root is not scored
        colour = scale.to_rgba(measure(node)) if is_valued else (1, 1, 1, 1)
        _draw_node(axes, (x, y), node, colour)
    place = axes.inset_axes((1.0, 0.05, 0.2 / width, 0.9))
    bar = figure.colorbar(scale, cax=place, format="{x:g}")
    name = "value" if search else "probability of the path"
    bar.set_label(name, fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    _draw_legend(axes, {kind(node) for node in places}, bool(path))
    return figure


def _tree_axes(
    places: Mapping[Node, tuple[float, float]], row: float
) -> "tuple[Figure, Axes, float]":
    """Make room for a tree, `row` inches a leaf; the last is its width in inches."""
    deepest = max(x for x, _ in places.values())
    rows = max(y for _, y in places.values()) + 1
    # A small tree still needs room for the legend and the colour bar. The layout is
    # set by hand, so that a step has the inches its text was cut to.
    width, height = max(6.0, COLUMN * (deepest + 0.35)), max(2.0, row * (rows + 0.35))
    figure, axes = _new_figure(width + 1.1, height + 0.5)
    figure.set_layout_engine("none")
    axes.set_position((0, 0, width / (width + 1.1), height / (height + 0.5)))
    axes.set_xlim(-0.15, deepest + 0.2)
    axes.set_ylim(rows - 0.4, -0.75)
    axes.set_axis_off()
    return figure, axes, width


def _ancestors(node: Node | None) -> set[Node]:
    """Return a node and all above it; nothing for None."""
    return {node} | _ancestors(node.parent) if node else set()


def _draw_branch(
    axes: "Axes", start: tuple[float, float], end: tuple[float, float], node: Node,
    ink: str,
) -> None:  # fmt: skip
    """Draw the line to a node, slanted and then level, with the step on the level."""
    (x0, y0), (x1, y1) = start, end
    bend, width = x0 + BEND, 0.8 + 2.5 * node.action.prior
    axes.plot([x0, bend, x1], [y0, y1, y1], color=ink, linewidth=width, zorder=1)
    words = _fit(label(node), 72 * COLUMN * (0.98 - BEND) - 12)  # 12 for the marker
    axes.text(bend + 0.02, y1 - 0.12, words, fontsize=FONT_SIZE, parse_math=False)


def _draw_node(
    axes: "Axes", place: tuple[float, float], node: Node, colour: Any
) -> None:
    """Draw a node's marker, and a tick in it if its answer is right."""
    marker, size, _ = KINDS[kind(node)]
    look = {"markerfacecolor": colour, "markeredgecolor": "black", "zorder": 3}
    axes.plot(*place, marker=marker, markersize=size, **look)
    if kind(node) == "right":
        ink = "black" if sum(colour[:3]) > 1.5 else "white"
        look = {"color": ink, "fontsize": 12, "zorder": 4}
        axes.text(*place, "✓", ha="center", va="center", **look)


def _draw_legend(axes: "Axes", kinds: set[str], has_path: bool) -> None:
    """Explain the markers that occur, and the black line."""
    from matplotlib.lines import Line2D

    handles = []
    for name in (name for name in KINDS if name in kinds):
        marker, size, text = KINDS[name]
        look = {"markerfacecolor": "white", "markeredgecolor": "black", "linewidth": 0}
        handles += [Line2D([], [], marker=marker, markersize=size, label=text, **look)]
    if has_path:
        handles += [Line2D([], [], color="black", linewidth=2, label="chosen path")]
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": len(handles)}
    axes.legend(handles=handles, **(BESIDE | place))


def _beside(cost: float, taken: list[float]) -> float:
    """Move a cost to the right, by steps of 7 %, off those that are taken."""
    while any(cost / 1.06 < x < cost * 1.06 for x in taken):
        cost *= 1.07
    taken.append(cost)
    return cost


def plot_accuracy(
    series: Mapping[str, Sequence[tuple[float, int, int]]],
    xlabel: str,
    lowest: float = 0.0,
) -> "Figure":
    """Draw accuracies with 95 % Wilson intervals against tokens or samples.

    A point is (cost, right, problems); the horizontal axis is logarithmic (base 2),
    the vertical one begins at `lowest`.
    """
    figure, axes = _new_figure(7.5, 4.5)
    taken: list[float] = []
    for i, (name, points) in enumerate(series.items()):
        costs = [_beside(cost, taken) for cost, _, _ in points]
        shares = [right / n for _, right, n in points]
        ends = [wilson_interval(right, n) for _, right, n in points]
        # max: at 0 % and 100 % rounding can put an end on the wrong side.
        below = [max(0, p - low) for p, (low, _) in zip(shares, ends, strict=True)]
        above = [max(0, high - p) for p, (_, high) in zip(shares, ends, strict=True)]
        axes.errorbar(
            costs, shares, (below, above), label=name, color=COLOURS[i % 7],
            marker=MARKERS[i % 7], linestyle=LINES[i % 4], capsize=4,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(lowest, 1)
    axes.grid(axis="y", color="0.9")
    axes.set_xlabel(xlabel, fontsize=FONT_SIZE)
    axes.set_ylabel("share of problems right", fontsize=FONT_SIZE)
    axes.legend(**BESIDE)
    return figure
