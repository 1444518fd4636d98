"""Labels against a language whose every probability is known."""

import dataclasses
import json
from fractions import Fraction
from types import SimpleNamespace

import pytest
from fake_ollama import FakeOllama
from toy_language import GOLD, PLENTY, ToyLanguage, make_env

from helpers.env import GSM8KEnv, Problem
from helpers.learning import (
    estimate_values,
    first_error,
    label_steps,
    read_rows,
    to_path,
)
from helpers.learning.labels import draw_solutions, export_trl, go_on, to_row
from helpers.llm import Action, LLMGen, Response, derive_seed
from helpers.problems import generate, prompt_of
from helpers.rewards import Path, texts_of
from helpers.search import Search, draw_paths, no_opinion, sample_paths


class Line:
    """A connection that writes whole solutions: what `tell(prompt, seed)` says."""

    asked = 0

    @property
    def connection(self):
        return self

    def with_options(self, num_predict, stop):
        assert num_predict > 400 and stop == ["\n\n"]
        return self

    def generate(self, prompts, seeds):
        self.asked += len(set(prompts))
        pairs = zip(prompts, seeds, strict=True)
        return [Response(self.tell(*pair), done_reason="stop") for pair in pairs]


class Talker(Line, ToyLanguage):
    """The toy language, which can also be asked for many things at once."""

    @property
    def connection(self):  # one step of each prompt, unless it is told to go on
        return SimpleNamespace(generate=self.say, with_options=self.with_options)

    def say(self, prompts, seeds):
        pairs = zip(prompts, seeds, strict=True)
        steps = [self.draw(self.rules[p.splitlines()[-1]], s) for p, s in pairs]
        return [
            SimpleNamespace(
                response=step.text, eval_count=step.tokens, done_reason="stop",
                logprobs=[SimpleNamespace(logprob=step.logprob)],
            )
            for step in steps
        ]  # fmt: skip

    def tell(self, prompt, seed):
        lines = [prompt.splitlines()[-1]]
        while lines[-1] in self.rules:
            step = self.draw(self.rules[lines[-1]], derive_seed(seed, len(lines)))
            lines.append(step.text)
        return "\n".join(lines[1:])


def value_of(toy, steps):
    """The true value: the probability of all right paths from here on."""
    paths = toy.finished_paths(tuple(steps))
    return sum(p for path, p in paths.items() if path[-1] == f"The answer is {GOLD}.")


@pytest.fixture
def toy():
    return Talker(seed=1, branching=2, depth=2, answers=3)


@pytest.fixture
def env(toy):
    return make_env(toy)


def test_values_are_the_probabilities_of_success(toy, env):
    prefixes = [("a",), ("b",), ("a", "ab"), ("b", "ba")]
    found = estimate_values(env, toy, prefixes, rollouts=4000)
    expected = [value_of(toy, steps) for steps in prefixes]
    assert found == pytest.approx(expected, abs=0.03)
    assert max(expected) - min(expected) > 0.2  # or there would be nothing to tell
    assert toy.asked == 4


def test_a_finished_path_is_worth_its_reward(toy, env):
    right, wrong = ["a", f"The answer is {GOLD}."], ["a", "The answer is 77."]
    cut = ["a"] * env.max_steps
    assert estimate_values(env, toy, [right, wrong, cut], rollouts=3) == [1, 0, 0]
    ended, _ = go_on(env, right)
    assert estimate_values(ended, toy, [[]], rollouts=3) == [1]
    assert toy.asked == 0
    assert env.steps == ()


def test_a_step_that_ends_the_path_ends_the_rollout(env):
    place, reward = go_on(env, ["a", f"The answer is {GOLD}.", "and so on"])
    assert (place.steps[1:], reward) == ((f"The answer is {GOLD}.",), 1.0)


def test_rollouts_have_seeds_of_their_own(toy, env):
    """A path drawn with the same seed must not be one of its own witnesses."""
    seeds = []
    toy.tell = lambda prompt, seed: seeds.append(seed) or "The answer is 1."
    estimate_values(env, toy, [("a",)], rollouts=2, seed=0)
    estimate_values(env, toy, [("a",)], rollouts=2, seed=1)
    usual = [derive_seed(seed, env.state + "a\n", i) for seed in (0, 1) for i in (0, 1)]
    assert len({*usual, *seeds}) == 8


@pytest.mark.parametrize("error", [0, 1, 2, 3, 4, None])
def test_the_first_error_is_found_by_halves(error, env):
    """After the error nothing can be right; before it, everything is."""

    class Oracle(Line):
        def tell(self, prompt, seed):
            lost = error is not None and prompt.count("\nStep") > error
            return "The answer is 0." if lost else f"The answer is {GOLD}."

    steps = [f"Step {i}" for i in range(5)]
    oracle = Oracle()
    assert first_error(env, oracle, steps, rollouts=2) == error
    assert oracle.asked <= 3  # of five steps


def test_rows_are_tables_of_steps(toy, env):
    paths = sample_paths(env, toy, 6)
    data = label_steps(env, toy, paths, rollouts=5, seed=3)
    assert data.column_names[:2] == ["prompt", "completions"]
    assert len(data) == len(paths) > 1
    for row, path in zip(data, paths, strict=True):
        assert row["completions"] == list(path.steps)
        assert len(row["labels"]) == len(row["values"]) == len(path.steps)
        assert row["labels"] == [value > 0 for value in row["values"]]
        assert all(Fraction(v).limit_denominator(5) * 5 % 1 == 0 for v in row["values"])
        assert (row["rollouts"], row["seed"], row["model"]) == (5, 3, "Talker")
        again = to_path(row)
        assert (again.prompt, again.steps) == (path.prompt, path.steps)
        assert [a.logprob for a in again.actions] == [a.logprob for a in path.actions]


def test_paths_are_distinct_and_keep_their_counts(toy, env):
    paths = sample_paths(env, toy, 50)
    search = Search(env, toy, no_opinion, PLENTY, seed=0)
    assert paths == [search.path(leaf) for leaf in draw_paths(search, 50)]
    assert len({path.steps for path in paths}) == len(paths)
    assert sum(path.actions[-1].count for path in paths) == 50


def test_a_run_that_was_stopped_goes_on(toy, env, tmp_path):
    file = tmp_path / "labels.jsonl"
    paths = sample_paths(env, toy, 6)
    label_steps(env, toy, paths[:1], rollouts=4, out=file)
    first, asked = file.read_text(encoding="utf-8"), toy.asked
    label_steps(env, toy, paths[:1], rollouts=4, out=file)
    assert (file.read_text(encoding="utf-8"), toy.asked) == (first, asked)
    file.write_text(first + '{"prompt": "torn', encoding="utf-8")
    data = label_steps(env, toy, paths, rollouts=4, out=file)
    rows = read_rows(file)
    assert [row["completions"] for row in rows] == [list(p.steps) for p in paths]
    assert data.to_list() == label_steps(env, toy, paths, rollouts=4).to_list() == rows
    label_steps(env, toy, paths[:1], rollouts=3, out=file)  # another question
    assert len(read_rows(file)) == len(paths) + 1


def test_reading_changes_nothing_and_foreign_files_are_refused(toy, env, tmp_path):
    file, paths = tmp_path / "new" / "rows.jsonl", sample_paths(env, toy, 2)
    label_steps(env, toy, paths[:1], rollouts=2, out=file)
    row = file.read_text(encoding="utf-8")
    for text in (row.strip(), row + "\n" + row, row + row[:40]):
        file.write_text(text, encoding="utf-8")
        assert all(found == json.loads(row) for found in read_rows(file))
        assert file.read_text(encoding="utf-8") == text
    for text in ("my only copy", "\ufeff" + row, row[:40] + "\n" + row, '{"a": 1}\n'):
        file.write_text(text, encoding="utf-8")
        for use in (
            lambda: read_rows(file),
            lambda: label_steps(env, toy, paths, rollouts=2, out=file),
            lambda: export_trl(file, tmp_path / "out.jsonl"),
        ):
            with pytest.raises(ValueError, match="line 1, is no row|is no journal"):
                use()
            assert file.read_text(encoding="utf-8") == text


def test_another_configuration_has_labels_of_its_own(toy, env, tmp_path):
    file, paths = tmp_path / "rows.jsonl", sample_paths(env, toy, 2)
    label_steps(env, toy, paths[:1], rollouts=2, out=file)
    env.problem = dataclasses.replace(env.problem, answer="999")
    (row,) = label_steps(env, toy, paths[:1], rollouts=2, out=file)
    assert set(row["values"]) == {0.0}
    assert len(read_rows(file)) == 2
    env.step("a")
    with pytest.raises(ValueError, match="begins elsewhere"):
        label_steps(env, toy, paths, rollouts=2)


def test_rollouts_are_lines_as_the_environment_has_them(env):
    class Odd(Line):
        def tell(self, prompt, seed):
            return f"Total:\u2028 The  answer is {GOLD}."

    env.max_steps = 1
    assert estimate_values(env, Odd(), [()], rollouts=1) == [1.0]


def test_trl_gets_decided_labels(tmp_path):
    """int(0.9) is 0: soft labels would all turn into errors."""
    source, out = tmp_path / "labels.jsonl", tmp_path / "trl.jsonl"
    row = {"prompt": "Q\n", "completions": ["a", "b", "c"], "values": [0.9, 0.5, 0.1]}
    row |= {"logprobs": [-1.0] * 3, "tokens": [2] * 3}
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert export_trl(source, out) == 1
    kept = {"prompt": "Q\n", "completions": ["a", "b", "c"]}
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found == kept | {"labels": [True, True, False]}
    export_trl(source, out, threshold=0.8)
    assert json.loads(out.read_text(encoding="utf-8"))["labels"] == [True, False, False]
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        export_trl(source, tmp_path / "taken")
    assert not [*tmp_path.glob("*.partial")]
    with pytest.raises(FileNotFoundError):
        export_trl(tmp_path / "none.jsonl", out)
    with pytest.raises(ValueError, match="Name another file"):
        export_trl(source, source)
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        export_trl(source, out, threshold=float("nan"))


def test_abacus_labels_a_path():
    llm = LLMGen("abacus")
    env = make_env(llm, max_steps=10)
    env.reset(seed=0)
    slip = ["So 1+1 = 9.", "The answer is 9."]
    found = estimate_values(env, llm, [slip[:1], slip], rollouts=4)
    assert 0 <= found[0] <= 1 and found[1] == 0


def test_solutions_of_many_prompts_are_those_of_each():
    first, second = (prompt_of(generate("test", 1, seed=i)[0]) for i in (2, 3))
    llm, prompts = LLMGen("abacus"), [first, second, first + "So"]
    together = draw_solutions(llm, prompts, k=3, seed=7)
    alone = [draw_solutions(llm, [prompt], k=3, seed=7)[0] for prompt in prompts]
    assert together == alone
    assert len({str(lines) for group in together for lines in group}) > 3
    for group in together[:2]:
        assert all(lines[-1].startswith("The answer is") for lines in group), group
    assert draw_solutions(llm, [], k=3, seed=7) == []


PARAGRAPHS = "## Costs\n\nWe add:\n\\[ 3+4 = 7 \\]\n\nSo 7 are left."


@pytest.mark.parametrize(
    ("said", "reason", "value"),
    [
        (PARAGRAPHS, "stop", 1.0),  # it ended its turn
        (PARAGRAPHS, "length", 0.0),  # it was cut, and states nothing
        ("First:\n\n\\boxed{7}\n\nMore.", "length", 1.0),
        ("So \\boxed{8}.", "stop", 0.0),
    ],
)
def test_rollouts_of_a_model_that_writes_paragraphs(said, reason, value):
    """They go on after a blank line, to the end of the turn."""
    with FakeOllama("scripted") as server:
        server.show = {"template": "<|im_start|>{{ .Prompt }}<|im_end|>"}
        server.changes = {"response": said, "done_reason": reason}
        llm = LLMGen("scripted", host=server.host)
        env = GSM8KEnv(Problem("How many?", "7"), llm)
        env.reset(seed=0)
        assert llm.form.name == "boxed"
        assert estimate_values(env, llm, [["Let us see."]], rollouts=2) == [value]
        (body, *_) = server.bodies("/api/generate")
        assert body["options"]["stop"] == ["\nQuestion:"]
        assert body["prompt"].endswith("assistant\nLet us see.\n\n")


def test_paragraphs_are_kept_as_such_in_a_row():
    path = Path("Q\n", (Action("a\nb", 1.0, 1, -0.5, 2),), "\n\n")
    assert to_path(to_row(path)) == path
    assert "delimiter" not in to_row(Path("Q\n", path.actions))
    assert texts_of(path) == ["Q\na\nb\n\n"]


class Known(Talker):
    """A talker that says which model it is."""

    def __init__(self, digest, model="m"):
        super().__init__(3)
        self.model, self.digest = model, digest

    @property
    def connection(self):
        line = super().connection
        line.identity = SimpleNamespace(digest=self.digest, engine="llama.cpp")
        return line


def test_labels_of_another_model_are_not_believed(toy, env, tmp_path):
    file, paths = tmp_path / "rows.jsonl", sample_paths(env, toy, 1)
    for digest, model, rows in (
        ("d1", "m", 1), ("d1", "M:latest", 1), ("d2", "m", 2), ("d1", "n", 3),
    ):  # fmt: skip
        (row,) = label_steps(env, Known(digest, model), paths, rollouts=2, out=file)
        assert row["digest"] == digest and len(read_rows(file)) == rows


def test_labels_of_version_0_1_are_not_computed_again(toy, env, tmp_path):
    file, paths = tmp_path / "rows.jsonl", sample_paths(env, toy, 1)
    label_steps(env, Known("d1"), paths, rollouts=2, out=file)
    (row,) = read_rows(file)
    del row["digest"], row["engine"]
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (found,) = label_steps(env, Known("d1"), paths, rollouts=2, out=file)
    assert found["labels"] == row["labels"] and read_rows(file) == [row]
