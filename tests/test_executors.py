"""Calls side by side: `map_in_threads` is `map`, and stops at a failure."""

import threading

import pytest

from helpers.executors import map_in_threads

each_number = pytest.mark.parametrize("n", [1, 2, 4, 100])


@each_number
def test_it_is_map(n):
    assert map_in_threads(n, pow, range(50), [2] * 50) == [i**2 for i in range(50)]
    assert map_in_threads(n, pow, [], []) == []


@each_number
def test_the_arguments_must_be_equally_many(n):
    with pytest.raises(ValueError, match="shorter|longer"):
        map_in_threads(n, pow, [1, 2], [1])


@pytest.mark.parametrize("n", [2, 4])
def test_so_many_calls_are_under_way_and_no_more(n):
    meeting, lock, at_once = threading.Barrier(n), threading.Lock(), [0, 0]

    def call(_):
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        meeting.wait(60)  # breaks unless n calls come together
        with lock:
            at_once[0] -= 1

    map_in_threads(n, call, range(3 * n))
    assert at_once == [0, n]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_after_a_failure_no_more_is_begun(n):
    """The others that were begun go on until the failure is told."""
    begun, over = [], threading.Event()

    def call(i):
        begun.append(i)
        if i == n - 1:
            raise ValueError("no")
        if n > 1:
            over.wait(60)

    with pytest.raises(ValueError, match="no"):
        map_in_threads(n, call, range(100))
    over.set()
    assert len(begun) <= 2 * n
