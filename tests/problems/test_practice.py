"""The generated word problems: right arithmetic, full information, apart splits."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from helpers.problems import generate, practice, words
from helpers.problems.practice import SPLITS, compose, plan, split_of
from helpers.problems.story import SCHEMAS, START, Story, Unsuitable, evaluate, middle

WORD_NUMBERS = {"twice": 2, "half": 2, "third": 3, "quarter": 4, "fifth": 5}
# 1: oneself among the sharers; 2: there and back, two long sides, two people;
# 60: minutes of an hour; 100: percent.
CONSTANTS = {1, 2, 60, 100}
ANNOTATED = re.compile(r"(\S+) = <<(\S+)=(\d+)>>(\d+)\b")


@pytest.fixture(scope="module")
def train() -> list[dict[str, str]]:
    return generate("train", 5000)


@pytest.fixture(scope="module")
def by_split() -> dict[str, list[dict[str, str]]]:
    return {split: generate(split, 1000, seed=3) for split in SPLITS}


def exact(calculation: str) -> Fraction:
    """Parse ints with + - * / by the grammar: a sum of products, no eval."""
    total = Fraction(0)
    for sign, product in re.findall(r"([+-]?)([^+-]+)", calculation):
        first, *rest = re.split(r"([*/])", product)
        value = Fraction(int(first))
        for operator, number in zip(rest[::2], rest[1::2], strict=True):
            factor = Fraction(int(number))
            value = value * factor if operator == "*" else value / factor
        total += -value if sign == "-" else value
    return total


def numbers(text: str) -> set[int]:
    return {int(digits) for digits in re.findall(r"\d+", text)}


def test_the_parser_of_this_test_knows_precedence() -> None:
    assert exact("7+8*2-6/4") == Fraction(43, 2)


def test_every_step_is_right_and_uses_only_what_is_known(train) -> None:
    for problem in train:
        question = problem["question"]
        *steps, closing = problem["answer"].split("\n")
        known = numbers(question) | CONSTANTS
        known |= {n for word, n in WORD_NUMBERS.items() if word in question}
        for step in steps:
            ((shown, inside, result, printed),) = ANNOTATED.findall(step)
            assert shown == inside and result == printed
            assert numbers(inside) <= known, (question, step)
            assert exact(inside) == int(result) >= 2
            known.add(int(result))
        assert closing == f"#### {result}"


def test_texts_read_well(train) -> None:
    odd = re.compile(r"[{}<>]|  |,,|\.\.|\b[01] \w|\b(\w+) \1\b")
    for problem in train:
        question = problem["question"]
        assert 25 <= len(question.split()) <= 90
        assert question.endswith("?") and "\n" not in question
        plain = re.sub("<<.*?>>", "", problem["answer"])
        assert not odd.search(question), question
        assert not odd.search(plain), plain
        for sentence in re.split(r"(?<=[.?]) |\n", f"{question}\n{plain}"):
            assert sentence[0].isupper() or sentence[0] == "#"
        for step in plain.split("\n")[:-1]:
            assert step.endswith(".") and step.count("=") == 1


def test_hero_and_friend_never_share_a_pronoun() -> None:
    for seed in range(200):
        fields = Story(Random(seed)).fields
        assert {fields["she"], fields["he"]} == {"she", "he"}
        assert (fields["name"] in words.GIRLS) == (fields["she"] == "she")


def test_distractors_are_in_about_a_quarter_and_count_nothing_asked(train) -> None:
    unused = 0
    for problem in train:
        used = set().union(*map(numbers, re.findall("<<.*?>>", problem["answer"])))
        unused += not numbers(problem["question"]) <= used
    assert 0.2 < unused / len(train) < 0.32
    things = {thing for topic in words.TOPICS for thing in topic.things}
    things |= {*words.INGREDIENTS, *words.PARTY, *words.GOALS, *words.BARGAINS}
    assert things.isdisjoint(words.SPARES)


def test_step_counts_cover_two_to_eight_and_obey_the_bounds(train) -> None:
    counts = Counter(problem["answer"].count("<<") for problem in train)
    assert sorted(counts) == [2, 3, 4, 5, 6, 7, 8]
    assert sum(counts[k] for k in (3, 4, 5, 6)) > 0.7 * len(train)
    asked = Counter(p["answer"].count("<<") for p in generate("test", 300))
    assert sorted(asked) == [2, 3, 4, 5, 6, 7, 8]
    assert sum(asked[k] for k in (6, 7, 8)) > 0.6 * 300
    for low, high in [(2, 2), (4, 5), (8, 8)]:
        bounded = generate("train", 100, steps=(low, high))
        assert {p["answer"].count("<<") for p in bounded} == set(range(low, high + 1))


def test_the_vocabulary_stays_small_and_questions_do_not_repeat(train) -> None:
    text = " ".join(p["question"] + " " + p["answer"] for p in train)
    assert 400 <= len(set(re.findall("[a-z]+", text.lower()))) <= 900
    assert len({p["question"] for p in train}) > 0.999 * len(train)


def test_every_schema_is_used_and_adds_the_steps_it_declares() -> None:
    random, used = Random(0), set()
    for _ in range(6000):
        schemas = plan(random.randint(2, 8), random)
        assert schemas[0].before == START
        assert all(a.after == b.before for a, b in zip(schemas, schemas[1:], strict=0))
        try:
            story = compose(schemas, random)
        except Unsuitable:
            continue
        assert len(story.steps) == sum(schema.steps for schema in schemas)
        used.update(schema.name for schema in schemas)
    assert used == set(SCHEMAS) and len(used) >= 40


def test_every_schema_has_enough_phrasings(monkeypatch) -> None:
    """At least 3 ways to say each sentence and 2 ways to state each step."""
    told = Counter()

    def phrase(self: Story, phrasings: tuple[str, ...]) -> str:
        assert len(set(phrasings)) == len(phrasings)
        told[len(phrasings)] += 1
        return "x"

    monkeypatch.setattr(Story, "_phrase", phrase)
    random = Random(1)
    for _ in range(2000):
        schemas = plan(random.randint(2, 8), random)
        told.clear()
        try:
            story = compose(schemas, random)
        except Unsuitable:
            continue
        steps, sentences = len(story.steps), len(story.sentences)
        assert told == Counter({2: steps}) + Counter({3: sentences})


def test_calls_are_reproducible_and_prefix_stable() -> None:
    assert generate("train", 30, seed=5) == generate("train", 60, seed=5)[:30]
    assert generate("test", 9, steps=(3, 4)) == generate("test", 9, steps=(3, 4))
    assert generate("train", 30, seed=5) != generate("train", 30, seed=6)


def test_a_seed_gives_the_same_problems_for_ever_and_in_every_process() -> None:
    """The trained weights belong to these texts: this digest must never change."""
    code = (
        "import hashlib, json; from helpers.problems import generate;"
        "texts = [*generate('train', 500, seed=1), *generate('test', 50, seed=1)];"
        "print(hashlib.sha256(json.dumps(texts).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    texts = [*generate("train", 500, seed=1), *generate("test", 50, seed=1)]
    here = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    assert done.stdout.strip() == here
    assert here.startswith("92863e6a5bd8c5df")


def masked(question: str) -> str:
    """The question without the words that only dress it up."""
    topics = [word for t in words.TOPICS for part in t for word in listed(part)]
    lists = [*words.GIRLS, *words.BOYS, *words.INGREDIENTS, *words.PARTY, *words.GOALS]
    lists += [*words.BARGAINS, *words.ELDERS, *topics]
    dress = {*lists, *map(words.plural, lists), "she", "he", "her", "his"}
    dress |= {"herself", "himself"}
    return re.sub(r"\w+", lambda m: "_" if m[0] in dress else m[0], question)


def listed(part: str | list[str]) -> list[str]:
    return part if isinstance(part, list) else part.split()


def test_splits_share_no_question_even_without_names_and_things(by_split) -> None:
    for a, b in [SPLITS[:2], SPLITS[1:], SPLITS[::2]]:
        assert {p["question"] for p in by_split[a]}.isdisjoint(
            p["question"] for p in by_split[b]
        )
        assert {masked(p["question"]) for p in by_split[a]}.isdisjoint(
            masked(p["question"]) for p in by_split[b]
        )


def test_a_problem_is_kept_only_in_the_split_of_its_skeleton(monkeypatch) -> None:
    asked: list[tuple[tuple[str, ...], tuple[int, ...]]] = []
    monkeypatch.setattr(practice, "split_of", lambda s: asked.append(s) or split_of(s))
    for split in SPLITS:
        for seed in range(100):
            (problem,) = generate(split, 1, seed=seed)
            names, drawn = asked[-1]
            assert split_of((names, drawn)) == split
            steps = problem["answer"].count("<<")
            assert steps == sum(SCHEMAS[name].steps for name in names)
            shown = numbers(problem["question"] + problem["answer"])
            assert set(drawn) <= shown | CONSTANTS | {3, 4, 5, 6}


def test_the_same_numbers_in_other_words_are_one_skeleton() -> None:
    schemas = [SCHEMAS["older_friend"], SCHEMAS["age_later"]]
    tellings: dict[tuple[int, ...], list[str]] = {}
    for seed in range(3000):
        story = compose(schemas, Random(seed))
        key = tuple(story.numbers)
        tellings.setdefault(key, []).append(" ".join(story.sentences))
    numbers_told, texts = max(tellings.items(), key=lambda item: len(set(item[1])))
    assert len(set(texts)) > 1
    for text in texts:
        assert Counter(map(int, re.findall(r"\d+", text))) == Counter(numbers_told)


def test_splits_have_their_shares() -> None:
    shares = Counter(split_of((("a", "b"), (i, 7))) for i in range(20000))
    assert 0.045 < shares["test"] / 20000 < 0.055
    assert 0.045 < shares["validation"] / 20000 < 0.055
    assert sum(shares.values()) == 20000 and set(shares) == set(SPLITS)


@pytest.mark.parametrize("calculation", ["7/2", "3-9", "5-4", "1500*2", "6-6"])
def test_calculations_outside_the_whole_numbers_from_2_are_refused(calculation) -> None:
    with pytest.raises(Unsuitable):
        evaluate(calculation)


def test_evaluate_agrees_with_fractions() -> None:
    for calculation in ["80*25/100", "7+8+9", "420/28*3", "500-98", "12*5"]:
        assert evaluate(calculation) == exact(calculation)


def test_wrong_arguments_say_what_to_type() -> None:
    with pytest.raises(ValueError, match="choose one of train, validation, test"):
        generate("dev", 1)
    for steps in [(9, 12), (5, 3), (0, 1)]:
        with pytest.raises(ValueError, match="use 2 to 8"):
            generate("train", 1, steps=steps)


def test_two_schemas_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="two schemas are named equal_groups"):
        middle("things", "things", 1)(SCHEMAS["equal_groups"].tell)
