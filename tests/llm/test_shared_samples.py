"""Samples that several searches share, and a model at another temperature."""

from dataclasses import replace

import numpy as np
import pytest
from toy_language import ToyLanguage

from helpers.llm import LLMGen, SharedSamples

PROMPT = "Question: How many?\nAnswer:\n"


def test_nobody_can_tell_that_samples_are_shared():
    toy, llm = ToyLanguage(1), SharedSamples(ToyLanguage(1))
    for k in (3, 1, 5, 2, 5):
        for seed in (0, 7):
            assert llm.sample(PROMPT, k, seed) == toy.sample(PROMPT, k, seed)


def test_a_sample_is_drawn_once():
    toy = ToyLanguage(1)
    llm = SharedSamples(toy)
    for k in (4, 1, 2, 4, 3):
        llm.sample(PROMPT, k, 0)
    assert [k for _, k, *_ in toy.account] == [4]
    llm.sample(PROMPT, 6, 0)
    llm.sample(PROMPT, 6, 1)
    assert [k for _, k, *_ in toy.account] == [4, 6, 6]


def test_what_is_handed_out_can_be_changed_without_harm():
    llm = SharedSamples(ToyLanguage(1))
    first = llm.sample(PROMPT, 2, 0)
    wanted = list(first)
    first.clear()
    assert llm.sample(PROMPT, 2, 0) == wanted


def test_each_temperature_has_samples_of_its_own():
    toy = ToyLanguage(1)
    llm = SharedSamples(toy)
    cold = llm.at_temperature(0)
    assert cold is llm.at_temperature(0) is not llm
    assert cold.sample(PROMPT, 2, 0) == toy.at_temperature(0).sample(PROMPT, 2, 0)


@pytest.mark.parametrize(("k", "seed"), [(0, 0), (1, -1), (1, None)])
def test_bad_arguments_are_refused(k, seed):
    with pytest.raises(ValueError, match="type a whole number"):
        SharedSamples(ToyLanguage(1)).sample(PROMPT, k, seed)


def test_abacus_gives_the_same_samples_whatever_the_batch():
    llm = LLMGen("abacus")
    few, many = SharedSamples(llm).sample(PROMPT, 2, 3), llm.sample(PROMPT, 8, 3)
    for one, other in zip(few, many, strict=False):
        assert (one.text, one.tokens, one.reason) == (
            other.text, other.tokens, other.reason
        )  # fmt: skip
        assert one.logprob == pytest.approx(other.logprob, abs=1e-12)


def test_another_temperature_is_another_model_on_the_same_line():
    warm = LLMGen("abacus", temperature=1.0, n=30)
    cold = warm.at_temperature(0)
    assert cold.sample(PROMPT, 2, 0) == LLMGen("abacus", 0, n=30).sample(PROMPT, 2, 0)
    assert warm.connection.options["temperature"] == 1.0
    assert cold.connection.facts["temperature"] == 0
    cool = warm.at_temperature(np.float32(0.5)).connection.options["temperature"]
    assert cool == 0.5 and type(cool) is float
    assert cold.connection.client is warm.connection.client
    assert len({step.text for step in cold.sample(PROMPT, 4, 0)}) == 1
    with pytest.raises(ValueError, match="temperature=-1: type a number from 0"):
        warm.at_temperature(-1)


class Forgetful(ToyLanguage):
    """A server that only nearly repeats: each call says something else."""

    def sample(self, prompt, k, seed=None, image=None):
        steps = super().sample(prompt, k, seed, image)
        return [replace(s, text=f"{s.text} ({len(self.account)})") for s in steps]


def test_what_was_handed_out_stays_even_if_the_server_does_not_repeat():
    llm = SharedSamples(Forgetful(1))
    first = llm.sample(PROMPT, 2, 0)
    assert llm.sample(PROMPT, 5, 0)[:2] == first == llm.sample(PROMPT, 2, 0)
