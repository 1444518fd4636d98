"""The recorded verifiers of notebook 06: some of them are asked again."""

import json
import random

import pytest

from helpers.env import GSM8KEnv, Problem
from helpers.learning import label_steps, read_rows
from helpers.llm import LLMGen
from helpers.problems import generate
from helpers.search import sample_paths
from helpers.workshop import record_labels, record_verifiers

HEAD, *LINES = map(
    json.loads, record_verifiers.FILE.read_text(encoding="utf-8").splitlines()
)
ROWS = read_rows(record_verifiers.LABELS)
RNG = random.Random(6)
PICKED = RNG.sample(range(len(LINES)), 4)
RUNS_PICKED = RNG.sample(
    [(i, j) for i in range(len(LINES)) for j in range(len(record_verifiers.RUNS))], k=8
)


def env_of(i):
    return record_verifiers.zero_shot_env(generate("test", i + 1)[i])


def test_the_record_was_made_with_these_files_and_runs():
    assert json.loads(json.dumps(record_verifiers.header())) == HEAD
    assert [line["problem"] for line in LINES] == list(range(500))


@pytest.mark.parametrize("i", PICKED)
def test_samples_and_their_scores_come_out_again(i):
    """Trained models may differ in the last digits on another machine."""
    found = record_verifiers.score_samples(env_of(i), LLMGen("abacus"))
    for new, old in zip(found["samples"], LINES[i]["samples"], strict=True):
        assert new[:3] == old[:3]
        assert new[3:] == pytest.approx(old[3:], abs=5)  # per mille
    for new, old in zip(found["steps"], LINES[i]["steps"], strict=True):
        assert new[0] == old[0]
        for a, b in zip(new[1:], old[1:], strict=True):
            assert a == pytest.approx(b, abs=5)


@pytest.mark.parametrize(("i", "j"), RUNS_PICKED)
def test_a_search_comes_out_again(i, j):
    found = record_verifiers.solve(
        record_verifiers.RUNS[j], env_of(i), LLMGen("abacus")
    )
    assert found == LINES[i]["runs"][j]


def test_the_samples_are_sixty_four():
    for line in LINES:
        counts = [count for count, *_ in line["samples"]]
        assert 0 < sum(counts) <= record_verifiers.SAMPLES
        assert {len(sample) for sample in line["samples"]} == {
            3 + len(record_verifiers.VERIFIERS)
        }


def test_budgets_were_kept():
    runs = [run for line in LINES for run in line["runs"]]
    assert all(tokens <= record_verifiers.BUDGET + 40 for _, tokens, _ in runs)


@pytest.mark.parametrize("i", RNG.sample(range(record_labels.PROBLEMS), 4))
def test_labels_come_out_again(i):
    problem = record_labels.practice(record_labels.PROBLEMS)[i]
    env = GSM8KEnv(Problem(**problem), llm := LLMGen("abacus"), is_few_shot=False)
    env.reset(seed=record_labels.SEED)
    paths = sample_paths(env, llm, record_labels.PATHS, record_labels.SEED)
    found = label_steps(
        env, llm, paths, record_labels.ROLLOUTS, record_labels.SEED
    ).to_list()
    known = [row for row in ROWS if row["prompt"] == paths[0].prompt]
    for new, old in zip(found, known, strict=True):
        assert new.pop("logprobs") == pytest.approx(old["logprobs"], abs=1e-9)
        told = {name for name in new if name in old}  # made before digests were told
        assert {n: new[n] for n in told} == {n: old[n] for n in told}
        assert {*new} - told == {"digest", "engine"}
