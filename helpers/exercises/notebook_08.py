"""The checks of notebook 08."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from .checking import are_numbers, call, exercise, expect, near


def nearly(number: float, truth: float) -> bool:
    """Is it the right number, to two thousandths?"""
    return near(number, truth, 0.002 * truth)


@exercise
def exercise_8_1(long_last: Any, long_first: Any) -> None:
    """30 tasks of 1 and one of 10 on four workers: 17, or 10."""
    two = long_last, long_first
    expect(are_numbers(two, 2), f"Two numbers are asked for, not {two}.")
    for wrong, told in (
        (10, "is all the work divided by four. Who is idle at the end?"),
        (17.5, "splits tasks: after 7 rounds 28 are done, and 2 short ones are left."),
        (18, "lets the long one wait. After 7 rounds four are free, for 2 short ones."),
    ):
        expect(long_last != wrong, f"long_last: {wrong} {told}")
    expect(long_last == 17, f"With the long one last it does not take {long_last}.")
    expect(long_first >= 10, f"In {long_first} the long task itself is not done.")
    told = "one worker has the long task; what do the others do?"
    expect(long_first == 10, f"long_first: not {long_first}: {told}")


def watch(in_given_order: Any, n: int, window: int) -> tuple[list[Any], list[int]]:
    """The results of n tasks, and the places taken as each is given back."""
    taken, found, held, end = [], [], [], object()
    second = threading.Event()

    def slow_start(i: int) -> int:
        """A task; the first one ends after the second, if that may begin before."""
        if i == 0 and window > 1:
            second.wait(2)
        if i == 1:
            second.set()
        return 10 * i

    def stream() -> Iterator[int]:
        for i in range(n):
            taken.append(i)
            yield i

    with ThreadPoolExecutor(2) as pool:
        results = call(in_given_order, pool, slow_start, stream(), window)
        expect(hasattr(results, "__iter__"), f"Yield the results, not {results!r}.")
        more = partial(next, iter(results), end)
        while len(found) <= n and (result := call(more)) is not end:
            held.append(len(taken) - len(found))
            found.append(result)
    return found, held


@exercise
def exercise_8_2(in_given_order: Any) -> None:
    """Results in the order of the tasks, and a window that is kept and used."""
    for n, window in ((12, 3), (5, 1), (2, 5), (0, 4)):
        found, held = watch(in_given_order, n, window)
        given, most = f"{n} tasks in a window of {window}", max(held, default=0)
        expect(len(found) == n, f"{given} give {len(found)} results.")
        for result in found:
            expect(not isinstance(result, Future), "Open the box: future.result().")
        told = f"Task 0 is slow, and gets another one's result: {found}."
        expect(found == [10 * i for i in range(n)], told)
        expect(most <= window, f"{given}: {most} were taken and not given back.")
        told = f"never more than {most} were under way. Fill the window, then wait."
        expect(most == min(n, window), f"{given}: {told}")
        is_full = all(now == window for now in held[: max(0, n - window + 1)])
        expect(is_full, f"{given}: it runs empty before you take more; keep it full.")


@exercise
def exercise_8_3(forecast: Any) -> None:
    """Of nine problems with mean 500 and standard deviation 100, by hand."""
    found = call(forecast, [500] * 7 + [300, 700], 1000, 50, 2.0)
    expect(isinstance(found, dict), f"Give back a dictionary, not {found!r}.")
    for name in ("tokens", "hours", "money"):
        three = found.get(name, "nothing")
        told = f"{name}: three numbers are asked for, not {three!r}."
        expect(are_numbers(three, 3), told)
        told = f"{name}: {three} is not value, low, high."
        expect(three[1] <= three[0] <= three[2], told)
    value, low, high = found["tokens"]
    expect(value != 4500, "4500 is what the trial took; the run has 1000 problems.")
    expect(nearly(value, 500_000), f"The mean is 500: {value} is not 1000 times that.")
    half, one = high - value, 1000 * 196
    for wrong, told in (
        (one, "it is that of one problem; a mean of n is sqrt(n) times as sure."),
        (one / 3 / 1.96, "one standard error is not 95 %: times 1.96."),
        (one / 3 * (8 / 9) ** 0.5, "`stdev` divides by n - 1, `pstdev` does not."),
        (one / 3 / 1000, "if the mean is wrong, it is wrong 1000 times."),
    ):
        told = f"An interval of {half:.0f} to each side: {told}"
        expect(not nearly(half, wrong), told)
    told = f"From {low:.0f} to {high:.0f}? It should be {one / 3:.0f} to each side."
    expect(nearly(half, one / 3) and nearly(value - low, one / 3), told)
    for name, unit, told in (
        ("hours", 1 / 50 / 3600, "tokens / speed gives seconds, 3600 to an hour"),
        ("money", 2.0 / 1e6, "the price is that of a million tokens"),
    ):
        for mine, right in zip(found[name], found["tokens"], strict=True):
            said = f"{name}: {told}; {right:.0f} tokens are {right * unit:.3f}, not"
            expect(nearly(mine, right * unit), f"{said} {mine}.")


class Elsewhere(str):
    """The same text in another process, where `hash` gives another number."""

    def __hash__(self) -> int:
        return super().__hash__() ^ 1


QUESTIONS = ["How many?", "How far?", "How long?", "How old?", "Which of them?"]
RUNS = (  # a run; does the order matter; what is said of those who think otherwise
    (lambda ask, qs, seed: [ask(q, i) for i, q in enumerate(qs)], True,
     "misses seeds that depend on the turn: the second run needs another order."),
    (lambda ask, qs, seed: [ask(q, len(q)) for q in qs], False,
     "blames a run that is right: compare question by question, not by place."),
    (lambda ask, qs, seed: sorted(ask(q, len(q)) for q in qs), True,
     "misses answers that go to the wrong questions. Who has which?"),
)  # fmt: skip


def seeds_of(run: Any, questions: list[str], seed: int) -> list[Any]:
    """The seed that each question is asked with."""
    seeds: dict[str, Any] = {}

    def ask(question: str, seed: int) -> str:
        seeds[question] = seed
        return f"{question} {seed}"

    found = call(run, ask, list(questions), seed)
    name = getattr(run, "__name__", "your run")
    for q in questions:
        expect(q in seeds, f"{name}: nobody asked {q!r}.")
        whole = hasattr(seeds[q], "__index__")  # NumPy's, too
        expect(whole, f"{name}: the seed {seeds[q]!r} is no whole number.")
    right = isinstance(found, list) and found == [f"{q} {seeds[q]}" for q in questions]
    expect(right, f"{name}: give a list of the answers, in the order of the questions.")
    told = "Is a generator made anew for each, its range small, the question left out?"
    expect(len({*seeds.values()}) == len(seeds), f"{name}: a seed is shared. {told}")
    return [seeds[q] for q in questions]


@exercise
def exercise_8_4(run_shared: Any, order_matters: Any, run_derived: Any) -> None:
    """Seeds by turn, what detects them, and seeds by question."""
    back, seeds = QUESTIONS[::-1], seeds_of(run_shared, QUESTIONS, 0)
    told = "run_shared: the same call, other seeds. Make random.Random(seed) in it."
    expect(seeds == seeds_of(run_shared, QUESTIONS, 0), told)
    told = "run_shared: the first must get the first number, whatever it asks."
    expect(seeds == seeds_of(run_shared, back, 0), told)
    expect(seeds != seeds_of(run_shared, QUESTIONS, 1), "run_shared: use `seed`.")

    for run, truth, told in RUNS:
        questions = list(QUESTIONS)
        found = call(order_matters, run, lambda q, s: f"{q} {s}", questions, 0)
        expect(isinstance(found, bool), f"True or False is asked for, not {found!r}.")
        expect(questions == QUESTIONS, "order_matters changes the list it is given.")
        expect(found == truth, f"order_matters {told}")

    seeds = seeds_of(run_derived, QUESTIONS, 0)
    told = "run_derived: a seed depends on the turn. What if a killed run goes on?"
    expect(seeds == seeds_of(run_derived, back, 0)[::-1], told)
    expect(seeds[2:] == seeds_of(run_derived, QUESTIONS[2:], 0), told)
    told = "run_derived: `hash` of a text differs from process to process."
    expect(seeds == seeds_of(run_derived, [*map(Elsewhere, QUESTIONS)], 0), told)
    other = {*seeds_of(run_derived, QUESTIONS, 1)}
    expect(not other & {*seeds}, "run_derived: the runs of seeds 0 and 1 share some.")


def best_split(lengths: list[int], workers: int) -> int:
    """When the last task ends at best: all ways to share the tasks out."""
    ways = {(0,) * workers}
    for length in lengths:
        more = ((way, i) for way in ways for i in range(workers))
        ways = {tuple(sorted((*w[:i], w[i] + length, *w[i + 1 :]))) for w, i in more}
    return min(map(max, ways))


@exercise
def exercise_8_5(awkward: Any) -> None:
    """Lengths with which longest first takes at least 1.2 times as long as the best."""
    expect(isinstance(awkward, list), f"A list of lengths, not {awkward!r}.")
    for length in awkward:
        expect(length in range(1, 21), f"{length!r} is no whole number from 1 to 20.")
    expect(1 <= len(awkward) <= 8, f"From 1 to 8 tasks, not {len(awkward)}.")
    ends = [0, 0, 0]
    for length in sorted(awkward, reverse=True):
        ends = sorted([ends[0] + length, *ends[1:]])
    took, best = ends[-1], best_split(awkward, 3)
    told = f"Longest first takes {took}, the best order {best}: {took / best:.2f} times"
    expect(5 * took >= 6 * best, f"{told} as long, not 1.2.")
