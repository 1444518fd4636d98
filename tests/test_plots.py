"""Figures: what they draw is measured on the figure itself, with no picture stored."""

import base64
import itertools
import random
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from matplotlib.text import Text
from toy_language import Scripted, ToyLanguage, make_env, table_scorer

from helpers.env import GSM8KEnv, Problem
from helpers.llm import Action, derive_seed
from helpers.plots import (
    bar_chart,
    draw_tree,
    kind,
    label,
    layout,
    plot_accuracy,
    show,
    visible,
)
from helpers.search import STRATEGIES, Node, breadth_first, leaves, walk
from helpers.stats import wilson_interval

MARKET = Problem("How much?", "15")


def chatter(line):
    """Long sentences with dollars and equations, right, wrong and missing answers."""
    n = derive_seed(1, line) % 1000
    return [
        f"Maya pays ${n}*{n % 9 + 2} = ${n * (n % 9 + 2)} for tickets.",
        f"In all that is {n % 50}+{n % 9} = {n % 50 + n % 9} apples.",
        f"Mmmm, wwww {n} WWWWWWWW things are left over.",
        f"The answer is {12 + n % 4}.",
        "The answer is unclear.",
    ]


def grow(budget, k=4, max_steps=4, seed=0):
    llm = Scripted(chatter, drawn=True)
    env = GSM8KEnv(MARKET, llm, max_actions=k, max_steps=max_steps)
    env.reset(seed=seed)
    return breadth_first(env, budget)


def boxes(figure, kinds):
    """The areas, in pixels, that the figure's artists of these kinds cover."""
    figure.canvas.draw()
    (axes, *_) = figure.axes
    artists = [a for a in axes.get_children() if isinstance(a, kinds)]
    return [a.get_window_extent() for a in artists if getattr(a, "_text", "x")]


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("make", [Figure, "pyplot"])
def test_show_displays_one_png_with_its_alternative_text(shell, make):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    figure = plt.figure() if make == "pyplot" else make()
    with capture_output() as captured:
        show(figure, "An empty figure.")
    (output,) = captured.outputs
    png = base64.b64decode(output.data["image/png"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert output.data["text/plain"] == "An empty figure."
    assert output.metadata == {"image/png": {"alt": "An empty figure."}}
    assert plt.get_fignums() == []  # nothing left that a notebook would show again


def test_a_wide_figure_is_scrolled_in_jupyterlab(shell):
    with capture_output() as captured:
        show(Figure(figsize=(16, 3)), "A wide one.")
    (output,) = captured.outputs
    look = {"alt": "A wide one.", "unconfined": True, "width": 1280}
    assert output.metadata == {"image/png": look}


def test_show_insists_on_a_description():
    with pytest.raises(ValueError, match="what the figure shows"):
        show(Figure(), " ")


def test_tokens_are_made_visible():
    assert [visible(t) for t in (" 4", "\n", "a\tb", "é", "\x00", "$")] == [
        "␣4", "⏎", "a→b", "é", "\\x00", "$"
    ]  # fmt: skip


def test_every_sign_we_add_is_in_matplotlibs_own_font():
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    known = FT2Font(findfont("DejaVu Sans")).get_charmap()
    assert {ord(c) for c in "␣⏎→✓…"} <= set(known)


def test_bars_have_the_lengths_given_and_do_not_overlap():
    tokens = [" $4", "\n", "<s>"]
    series = {"T = 1": [0.5, 0.3, 0.2], "T = 2": [0.4, 0.35, 0.25]}
    (axes,) = bar_chart(tokens, series, "After $3 + $4", xlabel="share").axes
    assert axes.get_xlabel() == "share"
    assert bar_chart(tokens, series, "").axes[0].get_xlabel() == "probability"
    drawn = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert drawn == list(series.values())
    spans = [(b.get_y(), b.get_y() + b.get_height()) for b in axes.patches]
    spans.sort()
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(spans))
    assert [t.get_text() for t in axes.get_yticklabels()] == ["␣$4", "⏎", "<s>"]
    assert len({bars[0].get_hatch() for bars in axes.containers}) == 2
    assert [t.get_text() for t in axes.get_legend().get_texts()] == list(series)


def random_tree(rng, size):
    """A tree of this many nodes, each hung on any earlier one."""
    nodes = [Node(SimpleNamespace(steps=()))]
    for _ in range(size - 1):
        parent = rng.choice(nodes)
        env = SimpleNamespace(steps=(*parent.env.steps, "step"))
        nodes.append(Node(env, Action("step", 0.5, 1, None, 1), parent))
        parent.children.append(nodes[-1])
    return nodes[0]


@pytest.mark.parametrize("seed", range(30))
def test_layout_has_no_overlaps_and_centres_parents(seed):
    rng = random.Random(seed)
    root = random_tree(rng, rng.randint(1, 60))
    places = layout(root)
    assert set(places) == set(walk(root))
    assert [places[leaf][1] for leaf in leaves(root)] == list(range(len(leaves(root))))
    levels = {}
    for node, (x, y) in places.items():
        assert x == node.depth
        levels.setdefault(x, []).append(y)
        if node.children:
            ys = [places[child][1] for child in node.children]
            assert ys == sorted(ys) and y == (ys[0] + ys[-1]) / 2
    for ys in levels.values():
        assert all(b - a >= 1 for a, b in itertools.pairwise(sorted(ys)))


def test_what_a_node_shows_as():
    root = grow(6000, k=5)
    kinds = {"open": 0, "right": 0, "wrong": 0, "cut": 0}
    for node in walk(root):
        kinds[kind(node)] += 1
        last = node.path[-1] if node.path else ""
        right = last == "The answer is 15."
        answered = last.startswith("The answer is")
        assert (kind(node) == "right") == right
        assert (kind(node) == "wrong") == (answered and not right)
        assert (kind(node) == "cut") == (node.depth == 4 and not answered)
    assert min(kinds.values()) > 0


def test_a_dead_end_shows_as_cut():
    llm = Scripted(lambda line: [""] if line == "Hm." else ["Hm."])
    env = GSM8KEnv(MARKET, llm, max_actions=1)
    env.reset(seed=0)
    assert [kind(n) for n in walk(breadth_first(env, 1))] == ["open", "open"]
    assert [kind(n) for n in walk(breadth_first(env, 100))] == ["open", "cut"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Maya pays $3*12 = $36 for all.", "$3*12 = $36"),
        ("In all 14 + 7 = 21 apples.", "14 + 7 = 21"),
        ("She has 3 things left.", "She has 3 things left."),
        ("So x = many.", "So x = many."),
    ],
)
def test_label_is_the_equation_or_the_step(text, shown):
    env = SimpleNamespace(terminated=False)
    assert label(Node(env, Action(text, 1.0, 1, None, 1))) == shown


def test_label_of_an_end_is_its_answer():
    ends = {n.path[-1]: label(n) for n in leaves(grow(6000, k=5)) if n.env.terminated}
    assert ends["The answer is 15."] == "= 15" and ends["The answer is 12."] == "= 12"
    assert ends["The answer is unclear."] == "= ?"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("budget", [0, 300, 4000])
def test_nothing_in_a_drawn_tree_overlaps(budget, seed):
    root = grow(budget, seed=seed)
    figure = draw_tree(root)
    texts = [box for box in boxes(figure, Text) if box.width > 0]
    ticks = sum(kind(node) == "right" for node in walk(root))
    assert len(texts) == len(list(walk(root))) - 1 + ticks
    for a, b in itertools.combinations(texts, 2):
        assert not a.overlaps(b)
    (axes,) = figure.axes
    (bar,) = axes.child_axes
    markers = [line for line in axes.lines if line.get_marker() != "None"]
    assert len(markers) == len(list(walk(root)))
    labels = [t for t in axes.texts if t.get_text() != "✓"]
    for line, text in itertools.product(markers, labels):
        (x, y) = axes.transData.transform(line.get_xydata()[0])
        radius = line.get_markersize() / 2 * figure.dpi / 72
        box = text.get_window_extent()
        nearest = min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)
        assert max(abs(nearest[0] - x), abs(nearest[1] - y)) >= radius
    assert {t.get_fontsize() for t in axes.texts} <= {11, 12}
    for text in labels:  # cut to fit, and only where it must be
        begin = text.get_text().removesuffix("…")
        whole = [label(n) for n in walk(root) if label(n).startswith(begin)]
        assert whole and (begin in whole or len(begin) >= 7)
    assert bar.get_ylabel() == "probability of the path"


@pytest.mark.parametrize("name", ["best_of_n", "mcts"])
@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_search_shows_every_number_and_the_chosen_path(seed, name):
    toy = ToyLanguage(seed)
    result = STRATEGIES[name](make_env(toy), toy, table_scorer, budget=600, seed=seed)
    figure = draw_tree(result.tree, result.path, search=True)
    texts = [box for box in boxes(figure, Text) if box.width > 0]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(texts, 2))
    (axes,) = figure.axes
    shown = sorted(t.get_text() for t in axes.texts if " P " in t.get_text())
    wanted = [
        (f"N {node.visits}  " if name == "mcts" else "")
        + f"V {node.value:.2f}  P {node.action.prior:.2f}"
        for node in walk(result.tree)
        if node.parent
    ]
    assert shown == sorted(wanted)
    black = [
        x for x in axes.lines if x.get_color() == "black" and len(x.get_xdata()) > 1
    ]
    assert len(black) == result.path.depth
    places = layout(result.tree)
    assert max(tuple(line.get_xydata()[-1]) for line in black) == places[result.path]
    (bar,) = axes.child_axes
    assert bar.get_ylabel() == "value" and bar.get_ylim() == (0, 1)
    assert "chosen path" in [t.get_text() for t in axes.get_legend().get_texts()]


def test_points_and_intervals_are_those_given():
    series = {
        "greedy": [(60, 11, 20)],
        "vote": [(60, 10, 20), (120, 12, 20), (240, 20, 20)],
        "beam": [(70, 0, 20), (140, 13, 20)],
    }
    (axes,) = plot_accuracy(series, "tokens").axes
    looks = set()
    for points, drawn in zip(series.values(), axes.containers, strict=True):
        line, _, (bars,) = drawn.lines
        looks.add((line.get_marker(), line.get_linestyle(), line.get_color()))
        assert list(line.get_ydata()) == [right / n for _, right, n in points]
        for (cost, right, n), x, bar in zip(
            points, line.get_xdata(), bars.get_segments(), strict=True
        ):
            assert cost <= x <= 1.15 * cost  # shifted a little, never to the left
            assert tuple(bar[:, 1]) == pytest.approx(wilson_interval(right, n))
    assert all(len(set(look)) == 3 for look in zip(*looks, strict=True))


def test_markers_at_one_cost_stand_side_by_side():
    same = [(100, 10, 20), (1600, 10, 20)]
    figure = plot_accuracy(dict.fromkeys(("greedy", "vote", "pass"), same), "tokens")
    figure.canvas.draw()
    (axes,) = figure.axes
    for end in (0, 1):
        lines = [drawn.lines[0] for drawn in axes.containers]
        places = [axes.transData.transform(line.get_xydata()[end])[0] for line in lines]
        width = lines[0].get_markersize() * figure.dpi / 72
        assert all(b - a > width for a, b in itertools.pairwise(places))


def test_the_lowest_accuracy_shown_can_be_chosen():
    (axes,) = plot_accuracy({"vote": [(60, 15, 20)]}, "tokens", lowest=0.5).axes
    assert axes.get_ylim() == (0.5, 1)
