"""Solutions of notebook 08, a cell each; between the marks stands what is solved.

`make class` puts them into the teacher's edition; the tests run them.
"""

# %% setup
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

# %% exercise_8_1
long_last, long_first = ..., ...
### BEGIN SOLUTION
long_last = 7 + 10  # seven rounds of four, then two short ones and the long one
long_first = 10  # meanwhile the other three do ten rounds of three
### END SOLUTION


# %% exercise_8_2
def in_given_order(
    executor: ThreadPoolExecutor,
    function: Callable,
    stream: Iterable,
    window: int,
) -> Iterator:
    """The results in the order of the tasks; a window that stays full."""
    ### BEGIN SOLUTION
    from collections import deque

    under_way = deque()
    for task in stream:
        under_way.append(executor.submit(function, task))
        if len(under_way) == window:
            yield under_way.popleft().result()
    for future in under_way:
        yield future.result()
    ### END SOLUTION


# %% exercise_8_3
def forecast(
    trial: list[int], problems: int, speed: float, price: float
) -> dict[str, tuple[float, float, float]]:
    """Tokens, hours and money of a run: value, low and high of each."""
    ### BEGIN SOLUTION
    from math import sqrt
    from statistics import fmean, stdev

    mean, half = fmean(trial), 1.96 * stdev(trial) / sqrt(len(trial))
    tokens = [problems * each for each in (mean, mean - half, mean + half)]
    a_token = {"tokens": 1, "hours": 1 / speed / 3600, "money": price / 1e6}
    return {name: tuple(unit * t for t in tokens) for name, unit in a_token.items()}
    ### END SOLUTION


# %% exercise_8_4
def run_shared(
    ask: Callable[[str, int], str], questions: list[str], seed: int
) -> list[str]:
    """An answer to each question; one generator gives all seeds: a mistake."""
    ### BEGIN SOLUTION
    import random

    rng = random.Random(seed)
    return [ask(question, rng.getrandbits(32)) for question in questions]
    ### END SOLUTION


def order_matters(
    run: Callable, ask: Callable, questions: list[str], seed: int
) -> bool:
    """Does a question get another answer if the order is another one?"""
    ### BEGIN SOLUTION
    forward = run(ask, questions, seed)
    return run(ask, questions[::-1], seed) != forward[::-1]
    ### END SOLUTION


def run_derived(
    ask: Callable[[str, int], str], questions: list[str], seed: int
) -> list[str]:
    """An answer to each question; its seed is derived from the question."""
    ### BEGIN SOLUTION
    from helpers.llm import derive_seed

    return [ask(question, derive_seed(seed, question)) for question in questions]
    ### END SOLUTION


# %% exercise_8_5
awkward = ...  # a list of lengths
### BEGIN SOLUTION


def ways_to_share(tasks: list[int]) -> set[tuple[int, ...]]:
    """When each of three workers can be done, sorted: all ways."""
    if not tasks:
        return {(0, 0, 0)}
    first, *rest = tasks
    return {
        tuple(sorted((*done[:i], done[i] + first, *done[i + 1 :])))
        for done in ways_to_share(rest)
        for i in range(3)
    }


def find_awkward(most: int) -> list[int]:
    """Seven lengths up to `most`, tried in turn: bad luck is too rare to draw."""
    from itertools import combinations_with_replacement

    for tasks in combinations_with_replacement(range(most, 0, -1), 7):
        done = [0, 0, 0]
        for task in tasks:  # longest first
            done = sorted([done[0] + task, *done[1:]])
        if 5 * done[-1] >= 6 * min(map(max, ways_to_share(list(tasks)))):
            return list(tasks)
    return []


awkward = find_awkward(6)
### END SOLUTION
