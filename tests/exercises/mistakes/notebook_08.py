"""Typical mistakes in the exercises of notebook 08: (check, answers, what is said)."""

import random
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice
from statistics import fmean, pstdev, stdev

from helpers.exercises import notebook_08 as check
from helpers.llm import derive_seed


def in_any_order(executor, function, stream, window):
    under_way, stream, more = set(), iter(stream), True
    while more or under_way:
        for task in islice(stream, window - len(under_way)):
            under_way.add(executor.submit(function, task))
        more = bool(under_way)
        if more:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def one_by_one(executor, function, stream, window):
    for task in stream:
        yield executor.submit(function, task).result()


def in_batches(executor, function, stream, window):
    while tasks := [*islice(stream, window)]:
        yield from executor.map(function, tasks)


def queue(more=0, rest=True, opened=True):
    """`in_given_order` with places too many, without the rest, or with closed boxes."""

    def in_given_order(executor, function, stream, window):
        under_way = deque()
        for task in stream:
            under_way.append(executor.submit(function, task))
            if len(under_way) == window + more:
                future = under_way.popleft()
                yield future.result() if opened else future
        if rest:
            yield from (future.result() for future in under_way)

    return in_given_order


def at_end(executor, function, stream, window):
    under_way = deque()
    for task in stream:
        under_way.append(executor.submit(function, task))
        if len(under_way) == window:
            yield under_way.popleft().result()
    while True:
        yield under_way.popleft().result()


def plan_with(half_of, hours=3600, million=1e6, times=None):
    """A forecast with another interval, or in other units."""

    def forecast(trial, problems, speed, price):
        mean, half = (times or problems) * fmean(trial), half_of(trial, problems)
        tokens = (mean, mean - half, mean + half)
        return {
            "tokens": tokens,
            "hours": tuple(t / speed / hours for t in tokens),
            "money": tuple(t * price / million for t in tokens),
        }

    return forecast


def good(trial, problems):
    return problems * 1.96 * stdev(trial) / len(trial) ** 0.5


def per_turn(ask, questions, seed):
    rng = random.Random(seed)
    return [ask(question, rng.randrange(2**31)) for question in questions]


def per_question(ask, questions, seed):
    return [ask(question, derive_seed(seed, question)) for question in questions]


def detector(ask_twice):
    """`order_matters` as a comparison of two runs."""
    return lambda run, ask, questions, seed: ask_twice(
        lambda order: run(ask, order, seed), questions
    )


def runs_with(seed_of):
    """A run with another way to choose seeds."""
    return lambda ask, questions, seed: [
        ask(question, seed_of(seed, question, i))
        for i, question in enumerate(questions)
    ]


def anew(ask, questions, seed):
    return [ask(q, random.Random(seed).randrange(2**31)) for q in questions]


def backwards(ask, questions, seed):
    return per_turn(ask, questions, seed)[::-1]


def unseeded(ask, questions, seed):
    rng = random.Random()
    return [ask(question, rng.randrange(2**31)) for question in questions]


def turned(run, ask, questions, seed):
    before = run(ask, questions, seed)
    questions.reverse()
    return run(ask, questions, seed)[::-1] != before


reverse = detector(lambda run, order: run(order) != run(order[::-1])[::-1])
unturned = detector(lambda run, order: run(order) != run(order[::-1]))
same_order = detector(lambda run, order: run(order) != run(order))
as_sets = detector(lambda run, order: {*run(order)} != {*run(order[::-1])})
in_words = detector(lambda run, order: "yes")

last_out, ordered, plan = check.exercise_8_1, check.exercise_8_2, check.exercise_8_3
shared, lengths = check.exercise_8_4, check.exercise_8_5

MISTAKES = [
    (last_out, [10, 10], "idle at the end"),
    (last_out, [17.5, 10], "splits tasks"),
    (last_out, [18, 10], "lets the long one wait"),
    (last_out, [40, 10], "does not take 40"),
    (last_out, [17, 8], "the long task itself"),
    (last_out, [17, 17], "what do the others do"),
    (last_out, ["17", 10], r"Two numbers are asked for, not \('17', 10\)"),
    (ordered, [in_any_order], "gets another one's result"),
    (ordered, [one_by_one], "never more than 1 were under way"),
    (ordered, [in_batches], "runs empty before"),
    (ordered, [lambda pool, f, stream, window: pool.map(f, stream)], "12 were taken"),
    (ordered, [queue(more=1)], "4 were taken and not"),
    (ordered, [queue(rest=False)], "give 10 results"),
    (ordered, [queue(opened=False)], "Open the box"),
    (ordered, [at_end], r"function\(\) raises IndexError"),
    (ordered, [lambda *a: 3], "Yield the results, not 3"),
    (plan, [lambda *a: 500_000], "Give back a dictionary"),
    (plan, [lambda *a: {"tokens": 500_000}], "three numbers are asked for"),
    (plan, [lambda *a: {"tokens": (5e5, 4e5, 6e5)}], "hours: three numbers"),
    (plan, [lambda *a: {"tokens": (4e5, 5e5, 6e5)}], "is not value, low, high"),
    (plan, [plan_with(good, times=1)], "The mean is 500"),
    (plan, [plan_with(good, times=9)], "4500 is what the trial took"),
    (plan, [plan_with(lambda t, n: n * 1.96 * stdev(t))], "that of one problem"),
    (plan, [plan_with(lambda t, n: n * stdev(t) / 3)], "times 1.96"),
    (plan, [plan_with(lambda t, n: n * 1.96 * pstdev(t) / 3)], "`pstdev` does not"),
    (plan, [plan_with(lambda t, n: 1.96 * stdev(t) / 3)], "wrong 1000 times"),
    (plan, [plan_with(lambda t, n: n)], "65333 to each side"),
    (plan, [plan_with(good, hours=1)], "hours: tokens / speed gives seconds"),
    (plan, [plan_with(good, million=1)], "money: the price is that of a million"),
    (shared, [per_question, reverse, per_question], "first must get the first"),
    (shared, [anew, reverse, per_question], "made anew for each"),
    (shared, [runs_with(lambda s, q, i: i), reverse, per_question], "use `seed`"),
    (shared, [runs_with(lambda *a: random.random()), reverse, per_question], "whole"),
    (shared, [lambda *a: "x", reverse, per_question], "nobody asked"),
    (shared, [backwards, reverse, per_question], "in the order of the questions"),
    (shared, [unseeded, reverse, per_question], "the same call, other seeds"),
    (shared, [per_turn, same_order, per_question], "needs another order"),
    (shared, [per_turn, as_sets, per_question], "Who has which"),
    (shared, [per_turn, unturned, per_question], "blames a run that is right"),
    (shared, [per_turn, in_words, per_question], "True or False"),
    (shared, [per_turn, turned, per_question], "changes the list"),
    (shared, [per_turn, reverse, per_turn], "depends on the turn"),
    (shared, [per_turn, reverse, runs_with(lambda s, q, i: s)], "a seed is shared"),
    (
        shared,
        [per_turn, reverse, runs_with(lambda s, q, i: hash((s, q)))],
        "from process to process",
    ),
    (
        shared,
        [per_turn, reverse, runs_with(lambda s, q, i: derive_seed(0, q))],
        "seeds 0 and 1 share",
    ),
    (lengths, [[1, 2, 1, 3, 2, 1, 8]], "takes 8, the best order 8"),
    (lengths, [[3, 3, 2, 2, 2]], "1.00 times"),
    (lengths, [[7, 7, 6, 6, 5, 4, 4]], "1.15 times as long, not 1.2"),
    (lengths, [[5.5, 5, 4]], "whole number from 1 to 20"),
    (lengths, [[1] * 9], "From 1 to 8"),
    (lengths, [(5, 5, 4, 4, 3, 3, 3)], "A list of lengths"),
]
