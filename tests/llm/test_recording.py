"""Recorded answers: said again word for word, without the server that gave them."""

import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fake_ollama import FakeOllama
from toy_runs import results

from helpers.abacus import AbacusClient
from helpers.env import GSM8KEnv
from helpers.evaluation import evaluate
from helpers.llm import LLMError, LLMGen, embed, next_tokens
from helpers.search import beam_search, best_of_n

PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "answers.sqlite")


@pytest.fixture
def served():
    with FakeOllama("llama3.2:latest") as fake:
        yield fake


def asked(fake):
    return [path for path, _ in fake.requests if path == "/api/generate"]


def test_a_class_room_without_a_server_hears_the_same(served, file):
    teacher = LLMGen("llama3.2", host=served.host, record=file)
    said = teacher.sample(PROMPT, 3, seed=5)
    assert len(asked(served)) == 3
    assert teacher.sample(PROMPT, 3, seed=5) == said and len(asked(served)) == 3
    assert teacher.sample(PROMPT, 4, seed=5)[:3] == said and len(asked(served)) == 4
    served.server.server_close()
    for replay_only in (True, False):
        options = {"host": "127.0.0.1:1", "record": file, "replay_only": replay_only}
        student = LLMGen("llama3.2", **options)
        assert student.sample(PROMPT, 3, seed=5) == said
        told = "holds no such answer" if replay_only else "No Ollama server answers"
        with pytest.raises(LLMError, match=told):
            student.sample(PROMPT, 3, seed=6)
    assert student.connection.provenance() == teacher.connection.provenance()


def test_a_miss_says_what_was_asked_and_what_to_do(served, file):
    LLMGen("llama3.2", host=served.host, record=file)
    student = LLMGen("llama3.2", record=file, replay_only=True)
    with pytest.raises(LLMError, match="seed.*How many.*Record it where 'llama3.2'"):
        student.sample(PROMPT, 1, seed=0)
    with pytest.raises(LLMError, match="it is of llama3.2:latest"):
        LLMGen("another", record=file, replay_only=True)


def test_whatever_an_answer_depends_on_is_asked_anew(served, file):
    served.show["capabilities"] = ["completion", "vision"]
    llm = LLMGen("llama3.2", host=served.host, record=file)
    llm.sample(PROMPT, 1, seed=0)
    for other in (
        partial(llm.sample, PROMPT + "x", 1, seed=0),
        partial(llm.sample, PROMPT, 1, seed=1),
        partial(llm.sample, PROMPT, 1, seed=0, image="AAAA"),
        partial(llm.at_temperature(0.5).sample, PROMPT, 1, seed=0),
        partial(next_tokens, llm, PROMPT),
    ):
        before = len(asked(served))
        first = other()
        assert len(asked(served)) == before + 1
        assert other() == first and len(asked(served)) == before + 1


def test_a_model_that_changed_under_its_name_is_asked_anew(served, file):
    def digest(text):
        served.digest = text
        return LLMGen("llama3.2", host=served.host, record=file)

    digest("old").sample(PROMPT, 1, seed=0)
    assert digest("new").sample(PROMPT, 1, seed=0) and len(asked(served)) == 2
    assert digest("old").sample(PROMPT, 1, seed=0) and len(asked(served)) == 2


def test_abacus_is_recorded_too_and_only_what_is_missing_is_computed(file, monkeypatch):
    plain, llm = LLMGen("abacus"), LLMGen("abacus", record=file)
    for found, step in zip(
        *(m.sample(PROMPT, 4, 0) for m in (llm, plain)), strict=True
    ):
        assert (found.text, found.tokens) == (step.text, step.tokens)
        assert found.logprob == pytest.approx(step.logprob)
    assert embed(llm, [PROMPT]) == pytest.approx(embed(plain, [PROMPT]))
    assert next_tokens(llm, PROMPT) == pytest.approx(next_tokens(plain, PROMPT))
    computed, usual = [], AbacusClient.generate_many

    def counted(self, model, prompts, **settings):
        computed.append(len(prompts))
        return usual(self, model, prompts, **settings)

    monkeypatch.setattr(AbacusClient, "generate_many", counted)
    found = [step.text for step in llm.sample(PROMPT, 6, seed=0)]
    assert computed == [2]
    assert found == [step.text for step in plain.sample(PROMPT, 6, seed=0)]


def test_a_whole_evaluation_is_replayed(tmp_path, file, monkeypatch):
    rows = [
        {"question": f"Tom has {i} apples and buys 4.", "answer": "7"} for i in (1, 2)
    ]
    runs = []
    for name in ("teacher", "student"):
        llm = LLMGen("abacus", record=file, replay_only=name == "student")
        strategy = partial(beam_search, budget=300)
        found = evaluate(strategy, rows, llm, out=tmp_path / name)
        runs.append((results(found), found.configuration))
        monkeypatch.delattr(AbacusClient, "generate_many", raising=False)
    assert runs[0] == runs[1]
    with pytest.raises(LLMError, match="2 problems|holds no such answer") as error:
        llm.sample("x", 1, seed=0)
    assert error.value.kind == "missing"


def test_a_miss_in_an_evaluation_is_a_failure_without_tries(tmp_path, file):
    LLMGen("abacus", record=file)
    llm = LLMGen("abacus", record=file, replay_only=True)
    rows = [{"question": "Tom?", "answer": "7"}]
    strategy = partial(best_of_n, budget=300)
    report = evaluate(strategy, rows, llm, out=tmp_path / "x", pauses=(9999,))
    assert "holds no such answer" in report.failed[0]


def test_one_variable_gives_every_notebook_its_recording(file, monkeypatch):
    monkeypatch.setenv("REASONING_RECORD", file)
    said = LLMGen("abacus").sample(PROMPT, 2, seed=1)
    monkeypatch.setenv("REASONING_REPLAY_ONLY", "1")
    assert LLMGen("abacus").sample(PROMPT, 2, seed=1) == said
    with pytest.raises(LLMError, match="holds no such answer"):
        LLMGen("abacus").sample(PROMPT, 2, seed=2)
    assert LLMGen("abacus", record="").sample(PROMPT, 2, seed=2)


def test_files_that_are_no_recordings(tmp_path, file):
    with pytest.raises(LLMError, match="cannot be used .there is no such file"):
        LLMGen("abacus", record=file, replay_only=True)
    with pytest.raises(LLMError, match="'' cannot be used .*--record"):
        LLMGen("abacus", replay_only=True)
    Path(file).write_text("my only copy, which is long enough " * 9, encoding="utf-8")
    with pytest.raises(LLMError, match="not a database"):
        LLMGen("abacus", record=file)
    assert Path(file).read_text(encoding="utf-8").startswith("my only copy")
    with pytest.raises(LLMError, match="unable to open"):
        LLMGen("abacus", record=str(tmp_path))


def test_models_that_the_server_lists_without_a_digest_are_kept_apart(served, file):
    served.models = {"a", "b"}
    served.digest = None
    said = {}
    for name in ("a", "b"):
        served.changes = {"response": f" I am {name}."}
        llm = LLMGen(name, host=served.host, record=file)
        said[name] = llm.sample(PROMPT, 1, seed=0)[0].text
    assert said == {"a": "I am a.", "b": "I am b."}


def test_a_name_and_its_latest_are_one_model(served, file):
    said = LLMGen("llama3.2", host=served.host, record=file).sample(PROMPT, 1, seed=0)
    other = LLMGen("llama3.2:latest", record=file, replay_only=True)
    assert other.sample(PROMPT, 1, seed=0) == said


def test_each_model_of_a_recording_has_the_version_of_its_server(served, file):
    llm = LLMGen("llama3.2", host=served.host, record=file)
    before = llm.connection.provenance()
    LLMGen("abacus", record=file)
    assert llm.connection.provenance() == before


def test_what_the_environment_said_goes_with_the_model(file, monkeypatch):
    LLMGen("abacus", record=file).sample(PROMPT, 1, seed=0)
    monkeypatch.setenv("REASONING_RECORD", file)
    monkeypatch.setenv("REASONING_REPLAY_ONLY", "1")
    sent = pickle.dumps(LLMGen("abacus"))
    monkeypatch.delenv("REASONING_RECORD")
    monkeypatch.setenv("REASONING_REPLAY_ONLY", "0")
    with pytest.raises(LLMError, match="holds no such answer"):
        pickle.loads(sent).sample(PROMPT, 1, seed=1)
    assert LLMGen("abacus").sample(PROMPT, 1, seed=1)


def test_replaying_does_not_change_the_file(file):
    LLMGen("abacus", record=file).sample(PROMPT, 1, seed=0)
    before = Path(file).read_bytes()
    os.chmod(file, 0o444)
    LLMGen("abacus", record=file, replay_only=True).sample(PROMPT, 1, seed=0)
    assert Path(file).read_bytes() == before


def test_a_recorded_model_can_be_sent_to_another_process(file):
    llm = LLMGen("abacus", record=file)
    sent = pickle.loads(pickle.dumps(llm))
    assert sent.sample(PROMPT, 2, seed=3) == llm.sample(PROMPT, 2, seed=3)


WRITER = """
import sys
from helpers.llm import LLMGen
llm = LLMGen("abacus", record=sys.argv[1], n=4)
for seed in range(12):
    print([step.text for step in llm.sample("Question: 1+1?", 3, seed=seed)])
"""


def test_many_processes_write_one_recording(file):
    command = [sys.executable, "-c", WRITER, file]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen(command, **pipes) for _ in range(4)]
    said = [writer.communicate() for writer in writers]
    assert {errors for _, errors in said} == {""} and len(
        {text for text, _ in said}
    ) == 1
    with sqlite3.connect(file) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM answers").fetchone()
    assert count == 12 * 3


def test_the_answer_that_was_first_is_everybodys(served, file):
    """Two processes that ask at the same time: both get what stands in the file."""
    llm = LLMGen("llama3.2", host=served.host, record=file)
    client = llm.connection.client
    usual = client.client.generate

    def slow(*args, **settings):
        ours = usual(*args, **settings)
        client.client.generate = usual
        theirs = LLMGen("llama3.2", host=served.host, record=file)
        served.changes = {"response": " Theirs."}
        theirs.sample(PROMPT, 1, seed=0)
        return ours

    client.client.generate = slow
    assert [step.text for step in llm.sample(PROMPT, 1, seed=0)] == ["Theirs."]


def test_an_environment_on_a_recording(file):
    for replay_only in (False, True):
        llm = LLMGen("abacus", record=file, replay_only=replay_only)
        env = GSM8KEnv(llm_gen=llm, is_few_shot=False)
        env.reset(seed=0)
        found = [action.text for action in env.legal_actions]
    assert found


# What is kept


PASSING = {
    "not done": {"done": False, "done_reason": None},
    "no counts": {"eval_count": None},
    "not done and no counts": {"done": False, "eval_count": None, "response": ""},
    "only thoughts": {"response": "", "thinking": "Hm."},
    "nonsense": {"eval_count": -5},
    "a wrong type": {"response": 7},
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_not_kept(served, file, fault):
    llm = LLMGen("llama3.2", host=served.host, record=file)
    served.changes = PASSING[fault]
    with suppress(LLMError):
        llm.sample(PROMPT, 1, seed=0)
    served.changes = {}
    said = llm.sample(PROMPT, 1, seed=0)
    assert said[0].text.startswith("Sentence number") and said[0].tokens == 5
    student = LLMGen("llama3.2", record=file, replay_only=True)
    assert student.sample(PROMPT, 1, seed=0) == said


def test_a_model_that_says_nothing_is_kept(served, file):
    llm = LLMGen("llama3.2", host=served.host, record=file)
    served.changes = {"response": "", "eval_count": 1, "logprobs": None}
    assert llm.sample(PROMPT, 1, seed=0) == llm.sample(PROMPT, 1, seed=0)
    assert len(asked(served)) == 1


# How it is found again


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [("temperature", 1.0, 1), ("temperature", 0, 0.0), ("top_p", 1, 1.0),
     ("min_p", 0.0, 0), ("repeat_penalty", 1, 1.0), ("stop", "\n", ["\n"]),
     ("temperature", np.float32(0.5), 0.5)],
)  # fmt: skip
def test_equal_numbers_are_found_however_they_are_typed(served, file, name, one, other):
    said = LLMGen("llama3.2", host=served.host, record=file, **{name: one})
    said = said.sample(PROMPT, 1, seed=0)
    found = LLMGen("llama3.2", record=file, replay_only=True, **{name: other})
    assert found.sample(PROMPT, 1, seed=0) == said


@pytest.mark.parametrize("typed", ["Llama3.2", "library/llama3.2", " llama3.2:LATEST"])
def test_another_spelling_is_the_same_model(served, file, typed):
    said = LLMGen("llama3.2", host=served.host, record=file).sample(PROMPT, 1, seed=0)
    student = LLMGen(typed, record=file, replay_only=True)
    assert student.sample(PROMPT, 1, seed=0) == said
    served.digest = "d2"  # pulled anew: what the old one said is not its word
    if "/" not in typed:
        LLMGen(typed, host=served.host, record=file).sample(PROMPT, 1, seed=0)
        assert len(asked(served)) == 2


def test_an_update_of_the_server_deafens_no_recording(served, file):
    llm = LLMGen("llama3.2", host=served.host, record=file)
    said = llm.sample(PROMPT, 1, seed=0)
    served.version, usual = "0.40.12", served.usual

    def listed_twice(path, body):
        status, found = usual(path, body)
        if path == "/api/tags":
            found = {"models": [{"model": "llamacpp:d1", "digest": "d9"},
                                {"model": "llama3.2:latest", "digest": "d2"},
                                *found["models"]]}  # fmt: skip
        return status, found

    served.usual = listed_twice
    again = LLMGen("llama3.2", host=served.host, record=file)
    assert again.sample(PROMPT, 1, seed=0) == said and len(asked(served)) == 1
    served.version = "0.24.0"  # another engine draws other texts
    LLMGen("llama3.2", host=served.host, record=file).sample(PROMPT, 1, seed=0)
    assert len(asked(served)) == 2


# Recordings of version 0.1: made with it, and written out as SQL


@pytest.fixture
def old(file):
    script = Path(__file__).with_name("recording_0_1.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script)
    return file


@pytest.mark.parametrize("is_served", [True, False])
def test_a_recording_of_version_0_1_replays(served, old, is_served):
    place = {"host": served.host} if is_served else {"replay_only": True}
    llm = LLMGen("Llama3.2", record=old, **place)
    (step,) = llm.sample(PROMPT, 1, seed=5)
    assert step.text == "Sentence number 407689699." and step.tokens == 5
    assert asked(served) == []
    abacus = LLMGen("abacus", record=old, n=3, temperature=0.0, replay_only=True)
    assert abacus.sample(PROMPT, 1, seed=5)[0].text == "Tom has"


def test_what_version_0_1_kept_of_a_fault_is_asked_again(served, old):
    with pytest.raises(LLMError, match="holds no such answer"):
        LLMGen("llama3.2", record=old, replay_only=True).sample(PROMPT, 1, seed=6)
    llm = LLMGen("llama3.2", host=served.host, record=old)
    assert llm.sample(PROMPT, 1, seed=6)[0].tokens == 5 and len(asked(served)) == 1


def test_an_old_recording_is_not_mixed_with_another_engine(served, old):
    served.version = "0.24.0"
    for _ in range(2):
        LLMGen("llama3.2", host=served.host, record=old).sample(PROMPT, 1, seed=5)
        assert len(asked(served)) == 1


# Damage


@pytest.mark.parametrize(
    "damage",
    ["not JSON", "[1]", '{"done": true, "response": 7}', "[" * 100_000, "null",
     '{"embeddings": 3}', b"\xff\xfe"],
    ids=repr,
)  # fmt: skip
def test_a_damaged_answer_ends_in_a_sentence(file, damage):
    LLMGen("abacus", record=file).sample(PROMPT, 1, seed=0)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE answers SET answer = ?", [damage])
    with pytest.raises(LLMError, match="cannot be used .*damaged|holds no such answer"):
        LLMGen("abacus", record=file, replay_only=True).sample(PROMPT, 1, seed=0)


@pytest.mark.parametrize("damage", ["not JSON", "[1]", None, b"\xff"])
def test_a_damaged_model_ends_in_a_sentence(file, damage):
    LLMGen("abacus", record=file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE models SET shown = ?", [damage])
    with pytest.raises(LLMError, match="cannot be used .*damaged"):
        LLMGen("abacus", record=file, replay_only=True)


def test_another_programs_database_is_no_recording(file):
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE answers (id INTEGER)")
    for options in ({"replay_only": True}, {}):
        with pytest.raises(LLMError, match="cannot be used"):
            LLMGen("abacus", record=file, **options)


def test_a_hot_journal_says_what_to_do(file):
    """A writer that was killed leaves it; whoever may write puts it in order."""
    LLMGen("abacus", record=file).sample(PROMPT, 1, seed=0)
    journal = Path(f"{file}-journal")
    journal.write_bytes(hot_journal(Path(file)))
    with pytest.raises(LLMError, match="cannot be used .*once without replay_only"):
        LLMGen("abacus", record=file, replay_only=True).sample(PROMPT, 1, seed=0)
    assert journal.exists()
    LLMGen("abacus", record=file)
    assert not journal.exists()
    LLMGen("abacus", record=file, replay_only=True).sample(PROMPT, 1, seed=0)


def hot_journal(file):
    """A rollback journal that holds the first page of a file, as SQLite's file format
    describes it."""
    size, page = 4096, file.read_bytes()[:4096]
    nonce = 7
    head = bytes.fromhex("d9d505f920a163d7") + b"".join(
        number.to_bytes(4, "big")
        for number in (1, nonce, file.stat().st_size // size, 512, size)
    )
    check = (nonce + sum(page[i] for i in range(size - 200, 0, -200))) % 2**32
    record = (1).to_bytes(4, "big") + page + check.to_bytes(4, "big")
    return head.ljust(512, b"\0") + record


def test_a_recording_that_may_not_be_written_replays_beside_a_server(served, file):
    """As one that a teacher put on a drive for reading."""
    said = LLMGen("llama3.2", host=served.host, record=file).sample(PROMPT, 1, seed=0)
    os.chmod(file, 0o444)
    again = LLMGen("llama3.2", host=served.host, record=file)
    assert again.sample(PROMPT, 1, seed=0) == said and len(asked(served)) == 1


@pytest.mark.parametrize("damage", ["not JSON", "[1]", None, "[" * 100_000])
def test_a_damaged_request_of_version_0_1_is_as_good_as_none(served, old, damage):
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("UPDATE answers SET request = ?", [damage])
    with pytest.raises(LLMError, match="holds no such answer"):
        LLMGen("llama3.2", record=old, replay_only=True).sample(PROMPT, 1, seed=5)
    LLMGen("llama3.2", host=served.host, record=old).sample(PROMPT, 1, seed=5)
    assert len(asked(served)) == 1
