"""The decoder against the transformer: the same network in another arrangement."""

import numpy as np
import pytest
from tiny_llama import PARAMS, TINY, states

from helpers.abacus import Cache
from helpers.abacus.decoder import Decoder

RNG = np.random.default_rng(1)
TOKENS = RNG.integers(0, TINY.vocab, (5, 12))
DECODER = Decoder(PARAMS, TINY)
TRUTH = states(PARAMS, TOKENS)  # (B, T, d)
NEAR = {"rtol": 0, "atol": 1e-12}


@pytest.mark.parametrize("known", [0, 1, 7, 11])
def test_a_text_is_read_at_once_or_in_two_parts(known):
    text = TOKENS[0]
    past = DECODER.nothing
    if known:
        state, past = DECODER.read(text[:known], past)
        np.testing.assert_allclose(state, TRUTH[0, known - 1], **NEAR)
    state, kept = DECODER.read(text[known:], past)
    np.testing.assert_allclose(state, TRUTH[0, -1], **NEAR)
    assert kept.shape == (TINY.layers, 2, TINY.heads, 12, TINY.width // TINY.heads)


def test_tokens_one_by_one_after_prefixes_of_different_length():
    """Rows are copied, moved, and forgotten; each goes on as the text that it is."""
    texts = np.repeat(TOKENS[:3], 2, axis=0)  # two of each prefix, later different
    for text, same in ((1, 6), (3, 5), (5, 8)):
        texts[text, same:] = TOKENS[3, same:]
    truth, read = states(PARAMS, texts), np.array([4, 4, 1, 1, 6, 6])
    prefixes = [DECODER.read(texts[i, : read[i]], DECODER.nothing)[1]
                for i in (0, 2, 4)]  # fmt: skip
    cache, rows = Cache(prefixes, most=6), [0, 2, 4]  # texts
    moves = {  # of each step: the row that each goes on from, and the text that it is
        2: ([0, 1, 2, 0, 2], [0, 2, 4, 1, 5]),
        3: ([3, 1, 4], [1, 2, 5]),
        4: ([0, 1, 2, 1], [1, 2, 5, 3]),
        5: ([2], [5]),
    }
    for t in range(6):
        if t in moves:
            parents, rows = moves[t]
            cache.follow(parents)
        places = read[rows] + t
        found = DECODER.step(texts[rows, places], cache)
        assert [*cache.places] == [*places]
        np.testing.assert_allclose(found, truth[rows, places], **NEAR)


@pytest.mark.parametrize("most", [1, 2])
def test_the_cache_grows(most):
    """More own tokens than there was room for at first, and a row that comes late."""
    long = RNG.integers(0, TINY.vocab, (most, 80))
    long[:, :70] = long[0, :70]
    cache = Cache([DECODER.read(long[0, :2], DECODER.nothing)[1]], most)
    for t in range(2, 80):
        if t == 70:
            cache.follow([0] * most)
        found = DECODER.step(long[: len(cache.group), t], cache)
    np.testing.assert_allclose(found, states(PARAMS, long)[:, -1], **NEAR)
