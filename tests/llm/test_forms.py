"""Prompt forms, and steps of models that answer in their own way."""

from types import SimpleNamespace

import pytest
from chatty import Chatty
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.llm import FORMS, LLMError, LLMGen, Step, form_of, write_steps
from helpers.llm.chat import NAMED_CHATS, ChatFormat
from helpers.llm.forms import END_OF_TURN, bind, choose_form
from helpers.llm.open_steps import LEADS
from helpers.problems import is_lead

CHATML = ChatFormat(NAMED_CHATS["chatml"][1])
ASKED = "Question: How many?\nAnswer: Let's think step by step.\n"


def test_the_usual_form_of_each_kind_of_model():
    chat = {"model_info": {"tokenizer.chat_template": "x"}}
    for info, is_embedded, name in (
        ({}, True, "question"),
        (chat, False, "boxed"),
        ({}, False, "examples"),
    ):
        line = SimpleNamespace(info=info, is_embedded=is_embedded, model="mine")
        assert choose_form(None, None, line).name == name
        assert choose_form("think", None, line).name == "think"
    assert LLMGen("abacus").form.name == "question"
    assert form_of(object()).name == "examples"
    assert form_of(LLMGen("abacus"), "think").name == "think"


def test_names_that_are_none():
    with pytest.raises(ValueError, match="form='chat': type one of question, examples"):
        LLMGen("abacus", form="chat")
    with pytest.raises(LLMError, match='form="examples"'):
        form_of(LLMGen("abacus"), "turns")


def test_a_turn_is_open_and_examples_are_turns():
    boxed = bind("boxed", CHATML).prompt("How many?")
    assert boxed.startswith("<|im_start|>user\nHow many?\nPlease reason step by step")
    assert boxed.endswith("\\boxed{}.<|im_end|>\n<|im_start|>assistant\n")
    turns = bind("turns", CHATML).prompt("How many?")
    assert turns.count("<|im_start|>user") == 3 and "The answer is 16." in turns
    assert turns.index("The answer is 12.") < turns.index("How many?\nSolve")
    assert FORMS["think"].prompt("How many?") == ASKED


def test_braces_in_a_question_are_text():
    asked = "What is {question} and {0} and \\boxed{3}?"
    assert asked in bind("boxed", CHATML).prompt(asked)


@pytest.mark.parametrize(
    ("step", "is_last"),
    [
        ("The answer is 18.", True),
        ("**Answer: 18**", True),
        ("So \\(\\boxed{18}\\).", True),
        ("#### 18", True),
        (f"Well done!{END_OF_TURN}", True),
        ("The final answer is:\n\\[\n\\boxed{18}", True),
        ("The final answer is:", False),
        ("Put the answer within \\boxed{}.", False),
        ("She has **18** left.", False),
    ],
)
def test_the_end_of_an_answer(step, is_last):
    assert FORMS["boxed"].is_last(step) is is_last


LINES = st.sampled_from(
    ["", "## Costs", "We add:", "\\[", "3+4 = 7", "  * 7 apples", "So 7. ", "---"]
)


def few_blanks(lines):
    """After several blank lines in a row, a turn is taken for ended."""
    return "\n\n\n" not in "\n".join(["", *lines, ""])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(LINES, max_size=12).filter(few_blanks),
    st.booleans(),
    st.sampled_from(["\n", "\n\n"]),
)
def test_steps_put_together_are_what_was_written(lines, tells_end, delimiter):
    """Every step but the last ends in a sentence, and nothing is lost or changed."""
    whole = "\n".join([*lines, "That is 7."])
    llm, state, steps = Chatty(whole, tells_end=tells_end), ASKED, []
    while not steps or not FORMS["think"].is_last(steps[-1].text):
        (step,) = write_steps(llm, state, 1, 0, None, delimiter)
        steps.append(step)
        state += step.text + delimiter
    told = delimiter.join(step.text for step in steps)
    assert sum(step.tokens for step in steps) == llm.tokens
    if tells_end:
        assert told == whole + END_OF_TURN
    else:  # blank lines, after which nothing came
        assert told.startswith(whole) and END_OF_TURN in told.removeprefix(whole)
    for step in steps[:-1]:
        *leads, last = step.text.split(delimiter)
        assert all(map(is_lead, leads)) and len(leads) <= LEADS
        assert not is_lead(last) or len(leads) == LEADS


def test_samples_with_one_lead_go_on_together():
    llm = Chatty("## A\nTom has 3.\nThe answer is 3.", "## A\nTom has 4.\n", "No.\n")
    steps = write_steps(llm, ASKED, 12, seed=1)
    assert {step.text for step in steps} == {"## A\nTom has 3.", "## A\nTom has 4.",
                                             "No."}  # fmt: skip
    (_, first), (after, more) = llm.asked
    assert first == 12 and after == ASKED + "## A\n"
    assert more == sum(step.text != "No." for step in steps)


def test_a_stated_answer_needs_no_mark_of_the_end():
    (step,) = write_steps(Chatty("So \\boxed{7}."), ASKED, 1, seed=0)
    assert step.text == "So \\boxed{7}." and step.reason == "end"


def test_a_model_that_thinks_all_the_same_is_reported_and_counted():
    llm = Chatty("<think>\nTom has 3.\n</think>\nThe answer is 3.")
    with pytest.warns(UserWarning, match="costs tokens"):
        (step,) = write_steps(llm, ASKED, 1, seed=0)
    assert step.text == "<think>" and step.tokens == llm.tokens == 2


def test_a_step_that_was_cut_stays_as_it_is():
    class Cut(Chatty):
        def sample(self, *args):
            from dataclasses import replace

            return [replace(s, reason="length") for s in super().sample(*args)]

    (step,) = write_steps(Cut("## A"), ASKED, 1, seed=0)
    assert step.text == "## A" and step.reason == "length"


@pytest.mark.parametrize("n", range(1, 14))
@pytest.mark.parametrize("tells_end", [True, False])
def test_wherever_a_step_is_cut_it_is_one_step(n, tells_end):
    """By characters, even amid the delimiter: what is too much is dropped."""

    class Cut(Chatty):
        def sample(self, *args):
            whole = []
            for step in super().sample(*args):
                said = step.written + ("\n\n" if step.reason == "stop" else "")
                is_cut = len(said) > n
                text = said[:n] if is_cut else step.written
                reason = "length" if is_cut else step.reason
                whole.append(Step(text.strip(), n, -1.0, reason, text))
            return whole

    text = "She pays 8.\n\nThen 4."
    (step,) = write_steps(Cut(text, tells_end=tells_end), ASKED, 1, 0, None, "\n\n")
    assert "\n\n" not in step.text and "She pays 8.".startswith(step.text.rstrip("\n"))
    assert step.logprob == pytest.approx(-1.0)
    if n > 3:  # three pieces are enough
        assert step.text.rstrip("\n") == "She pays 8."


def test_a_long_paragraph_is_written_to_its_end():
    class Brief(Chatty):
        """Three words at a time."""

        def sample(self, *args):
            steps = []
            for step in super().sample(*args):
                words = step.written.split(" ")
                is_cut = len(words) > 3
                text = " ".join(words[:3]) + " " * is_cut
                reason = "length" if is_cut else step.reason
                steps.append(Step(text.strip(), 3, -0.5, reason, text))
            return steps

    text = "Tom has 3 apples and buys 4 of\nthem. So"
    (step,) = write_steps(Brief(text + "\n\nMore."), ASKED, 1, 0, None, "\n\n")
    assert step.text == text and step.reason == "stop" and step.tokens == 9
