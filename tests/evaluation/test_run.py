"""Runs: whatever interrupts them, they end with what an undisturbed run finds."""

import os
import random
import signal
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from toy_language import GOLD, ToyLanguage
from toy_runs import ENV, VOTE, Fragile, problems, results, run

from helpers.env import Problem
from helpers.evaluation import (
    Report,
    evaluate,
    processes,
    read_records,
)
from helpers.evaluation.run import MAX_FAILURES
from helpers.llm import LLMError, LLMGen
from helpers.rewards import ArithmeticChecker, aggregate
from helpers.search import (
    best_of_n,
    greedy,
)


def test_a_run_goes_on_from_what_is_there(tmp_path, undisturbed):
    toy, file = ToyLanguage(3), tmp_path / "x.jsonl"
    run(file, n=5)
    assert results(run(file, n=12, llm=toy)) == undisturbed
    asked = "".join(prompt for prompt, *_ in toy.account)
    assert "Which, 5?" in asked and "Which, 4?" not in asked
    before = file.read_bytes()
    assert results(run(file, n=12, llm=toy)) == undisturbed
    assert file.read_bytes() == before  # nothing was asked again


def test_wherever_the_file_was_cut_it_ends_the_same(tmp_path, undisturbed):
    file = tmp_path / "x.jsonl"
    run(file)
    content = file.read_bytes()
    for size in random.Random(0).sample(range(len(content)), k=60):
        file.write_bytes(content[:size])
        assert results(run(file)) == undisturbed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_killed_at_50_random_moments_it_ends_the_same(tmp_path, undisturbed):
    """SIGKILL after a random number of lines of Python, in a process of its own."""
    file, rng, killed, ended = tmp_path / "x.jsonl", random.Random(1), 0, 0
    while killed < 50:
        lines_left = rng.randrange(120_000)  # of the 280,000 that a whole run takes
        child = os.fork()
        if child == 0:

            def count(*_):
                nonlocal lines_left
                lines_left -= 1
                if lines_left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return count

            try:
                sys.settrace(count)
                run(file)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            killed += 1
        else:  # it came to its end: begin another run
            assert results(Report(file)) == undisturbed
            ended += 1
            file.unlink()
    assert ended >= 3
    assert results(run(file)) == undisturbed


def test_a_failure_is_tried_again_and_leaves_no_trace(tmp_path, undisturbed):
    toy = Fragile({"Which, 3": 2, "Which, 7": 1})
    report = run(tmp_path / "x.jsonl", llm=toy)
    found, other = results(report), results(run(tmp_path / "y", llm=Fragile({})))
    assert found == other and report.failed == {}
    assert {i: r["answer"] for i, r in found.items()} == {
        i: r["answer"] for i, r in undisturbed.items()
    }


def test_what_keeps_failing_is_recorded_and_solved_by_the_next_run(tmp_path):
    file = tmp_path / "x.jsonl"
    report = run(file, llm=Fragile({"Which, 3": 99}))
    assert [*report.failed] == [3] and "ollama serve" in report.failed[3]
    assert len(report.right) == 11 and 3 not in report.right
    assert report.accuracy().value == sum(report.right.values()) / 11
    (failed,) = [record for record in read_records(file) if record.failure]
    assert failed.answer is None and failed.tokens == 0
    report = run(file, llm=Fragile({}))
    assert report.failed == {} and len(report.right) == 12


def test_what_is_hopeless_is_tried_once(tmp_path):
    for kind, tries in (("context", 1), ("server", 3)):
        toy = Fragile({"Which, 0": 99}, kind)
        run(tmp_path / kind, n=1, llm=toy)
        assert toy.asked == tries


def test_a_dead_server_ends_the_run_but_nothing_is_lost(tmp_path):
    file = tmp_path / "x.jsonl"
    toy = Fragile({f"Which, {i}?": 99 for i in range(4, 40)})
    with pytest.raises(LLMError, match=f"{MAX_FAILURES} problems in a row .* the same"):
        run(file, n=40, llm=toy)
    assert [*Report(file).right] == [0, 1, 2, 3]
    assert len(run(file, n=40, llm=Fragile({})).right) == 40


def test_a_model_that_says_nothing_fails_and_is_not_wrong(tmp_path):
    toy = ToyLanguage(3)
    toy.rules["Answer:"] = {"": 1.0}
    report = run(tmp_path / "x.jsonl", n=2, llm=toy)
    assert "said nothing at all" in report.failed[0] and not report.right


def test_words_without_a_count_fail(tmp_path):
    class Uncounted(ToyLanguage):
        def draw(self, options, seed):
            return super().draw(options, seed).__class__("a", 0, None, "length")

    report = run(tmp_path / "x.jsonl", n=1, llm=Uncounted(3))
    assert "counted no tokens" in report.failed[0]


def test_a_gold_answer_without_a_number_fails(tmp_path):
    rows = [{"question": "Which?", "answer": "#### many"}]
    report = evaluate(VOTE, rows, ToyLanguage(3), out=tmp_path / "x", make_env=ENV)
    assert "No number can be read" in report.failed[0]


def test_problems_at_fault_do_not_end_a_run(tmp_path):
    """Ten too long prompts, or ten unreadable golds, are no dead server."""
    file = tmp_path / "x.jsonl"
    long = {f"Which, {i}?": 99 for i in range(MAX_FAILURES + 2)}
    for _ in range(2):
        report = run(file, n=20, llm=Fragile(long, "context"))
        assert len(report.failed) == MAX_FAILURES + 2 and len(report.right) == 8
    rows = [{"question": f"{i}?", "answer": "many"} for i in range(MAX_FAILURES + 2)]
    other = tmp_path / "y"
    report = evaluate(VOTE, rows, ToyLanguage(3), out=other, make_env=ENV)
    assert len(report.failed) == MAX_FAILURES + 2


def test_what_is_no_problem_is_refused(tmp_path):
    for row in ({"question": "1+1?", "answer": 2}, {"question": None, "answer": "2"}):
        with pytest.raises(ValueError, match="has two texts, question and answer"):
            evaluate(VOTE, [row], ToyLanguage(3), out=tmp_path / "x", make_env=ENV)


def test_a_batch_that_the_budget_cut_is_no_batch(tmp_path):
    """Its samples would count long paths as wrong."""
    toy = ToyLanguage(3, length=60)
    report = run(tmp_path / "x", 4, partial(VOTE, budget=400, n=5), llm=toy)
    assert report.samples() == 0 and len(report.right) == 4
    with pytest.raises(ValueError, match="a budget that cuts none"):
        report.pass_at_k(1)


def test_a_mistake_in_the_strategy_is_no_failure_of_the_model(tmp_path):
    file = tmp_path / "x.jsonl"
    run(file, n=2)
    for executor in (None, ThreadPoolExecutor(2)):
        with pytest.raises(ValueError, match="n=0: type a whole number"):
            run(tmp_path / f"{executor}"[:5], strategy=partial(VOTE, n=0))
    assert len(Report(file).right) == 2


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("threads", [0, 2])
def test_ctrl_c_stops_after_the_problems_under_way(tmp_path, undisturbed, threads):
    file, before = tmp_path / "x.jsonl", signal.getsignal(signal.SIGINT)
    executor = ThreadPoolExecutor(threads) if threads else None

    def interrupt(record):
        if record.index == 4:
            press_ctrl_c()

    with pytest.raises(KeyboardInterrupt, match="type the same again"):
        run(file, executor=executor, on_record=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    found = results(Report(file))
    assert 4 in found and (threads or len(found) == 5)
    assert found.items() <= undisturbed.items()
    assert results(run(file)) == undisturbed


def test_pressed_twice_it_stops_at_once(tmp_path):
    def impatient(record):
        press_ctrl_c()
        press_ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "x.jsonl", on_record=impatient)
    assert len(Report(tmp_path / "x.jsonl").right) == 1


def test_outside_the_main_thread_ctrl_c_is_left_alone(tmp_path, undisturbed):
    found = []
    target = partial(run, tmp_path / "x.jsonl")
    thread = threading.Thread(target=lambda: found.append(results(target())))
    thread.start()
    thread.join()
    assert found == [undisturbed]


def test_what_was_finished_meanwhile_is_kept(tmp_path):
    """Whatever ends a run, Ctrl-C twice or a mistake in `on_record`."""
    file, executor = tmp_path / "x.jsonl", ThreadPoolExecutor(8)

    def fail(record):
        executor.shutdown(wait=True)  # the others come to their end
        raise RuntimeError("a mistake of the caller")

    with pytest.raises(RuntimeError, match="of the caller"):
        run(file, executor=executor, on_record=fail)
    assert len(Report(file).right) == 12


def test_threads_find_the_same(tmp_path, undisturbed):
    with ThreadPoolExecutor(4) as executor:
        assert results(run(tmp_path / "x", executor=executor)) == undisturbed


def test_processes_find_the_same_with_abacus(tmp_path):
    rows, llm = problems(6), LLMGen("abacus")
    scorer = aggregate(ArithmeticChecker().step_scores, "min")
    for i, strategy in enumerate(
        (partial(best_of_n, budget=300, scorer=scorer), partial(greedy, budget=200))
    ):
        alone = evaluate(strategy, rows, llm, out=tmp_path / f"{i}-alone")
        with processes(2) as executor:
            other = tmp_path / f"{i}-processes"
            together = evaluate(strategy, rows, llm, out=other, executor=executor)
        assert results(together) == results(alone)


def test_20_000_problems_need_no_more_memory_than_2_000(tmp_path):
    toy = ToyLanguage(3)
    env = ENV(Problem("Which?", "1"), toy)
    env.reset(seed=0)
    found = VOTE(env, toy, seed=0)

    def known(env, llm, seed):
        return found

    def peak(n):
        stream = ({"question": f"{i}?", "answer": str(GOLD)} for i in range(n))
        tracemalloc.start()
        evaluate(known, stream, toy, out=tmp_path / str(n))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    few, many = peak(2_000), peak(20_000)
    assert many - few < 18_000 * 20  # bytes: 8 for a hash, and 1 for a mark
    assert len(Report(tmp_path / "20000").right) == 20_000
