"""What is recorded of each problem, and in which file."""

from functools import partial

import pytest
from toy_language import ToyLanguage
from toy_runs import ENV, VOTE, Fragile, problems, results, run

from helpers.env import GSM8KEnv, Problem
from helpers.evaluation import (
    Record,
    evaluate,
    to_line,
)
from helpers.evaluation.records import to_record
from helpers.search import (
    mcts,
)


def test_a_record_says_what_the_search_found(tmp_path):
    report = run(tmp_path / "x.jsonl", n=4)
    for record, problem in zip(report.records(), problems(4), strict=True):
        toy = ToyLanguage(3)
        env = ENV(Problem(**problem), toy)
        env.reset(seed=0)
        found = VOTE(env, toy, seed=0)
        assert record.answer == str(found.answer.value)
        assert record.right == (record.answer == problem["answer"] == record.gold)
        assert record.tokens == found.tokens == toy.tokens
        assert record.calls == found.calls and record.rule == "answer is"
        assert record.steps == tuple(found.path.path)
        votes = [weight for _, weight in found.ranked]
        assert record.confidence == max(votes) / sum(votes)
        assert sum(sample.count for sample in record.samples) == 5
        winner = [s.count for s in record.samples if s.answer == record.answer]
        assert sum(winner) == max(votes)


def test_a_tree_is_no_batch_of_samples(tmp_path):
    report = run(tmp_path / "x.jsonl", 2, partial(mcts, budget=300))
    assert [record.samples for record in report.records()] == [(), ()]


def test_records_come_back_from_their_lines(undisturbed):
    for values in undisturbed.values():
        record = Record(**values)
        assert to_record(to_line(record)) == record


def test_another_run_in_the_same_file_is_refused(tmp_path):
    file = tmp_path / "x.jsonl"
    run(file, n=2)
    before = file.read_bytes()
    for options, told in (
        ({"seed": 1}, "seed: 0 there, 1 here"),
        ({"strategy": partial(VOTE, n=6)}, "strategy.n: 5 there, 6 here"),
        ({"make_env": GSM8KEnv}, "environment.max_steps: 6 there, 10 here"),
        ({"llm": Fragile({})}, "model.name: ToyLanguage there, Fragile here"),
    ):
        with pytest.raises(ValueError, match=told):
            run(file, n=2, **options)
    with pytest.raises(ValueError, match="Problem 0 in .* is another one"):
        evaluate(VOTE, problems(2)[::-1], ToyLanguage(3), out=file, make_env=ENV)
    assert file.read_bytes() == before


def test_a_file_of_other_people_is_left_alone(tmp_path):
    file = tmp_path / "x.jsonl"
    for text in ("my only copy", "my only\ncopy", '{"a": 1}\n', "[1]\n{}\n"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="another file|is no journal"):
            run(file)
        assert file.read_text(encoding="utf-8") == text


def test_a_damaged_line_is_named(tmp_path, undisturbed):
    file = tmp_path / "x.jsonl"
    run(file)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for bad in ("\0\0\n", "{}\n", '{"index": 1, "problem": "a", "else": 1}\n', "5\n"):
        file.write_text("".join([*lines[:3], bad, *lines[4:]]), encoding="utf-8")
        with pytest.raises(ValueError, match="line 4, is not a record.*Delete that"):
            run(file)
    file.write_text("".join([*lines[:3], *lines[4:]]), encoding="utf-8")
    assert results(run(file)) == undisturbed


def test_a_run_that_is_being_written_is_refused(tmp_path):
    file, told = tmp_path / "x.jsonl", []

    def again(record):
        with pytest.raises(BlockingIOError, match="Another run is writing") as error:
            run(file)
        told.append(str(error.value))

    run(file, n=2, on_record=again)
    assert len(told) == 2
