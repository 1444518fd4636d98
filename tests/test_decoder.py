"""The decoder against the transformer: the same network in another arrangement."""

import numpy as np
import pytest
from test_transformer import PARAMS, TINY, states

from helpers.abacus.decoder import Cache, Decoder

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
    """Two rows share a prefix; in the middle, some rows are dropped."""
    rows, read = [0, 0, 1, 2], [4, 4, 1, 6]  # texts, and the tokens read before
    prefixes = [DECODER.read(TOKENS[i, :n], DECODER.nothing)[1]
                for i, n in ((0, 4), (1, 1), (2, 6))]  # fmt: skip
    cache = Cache(prefixes, [2, 1, 1])
    for t in range(6):
        if t == 3:
            cache.keep(np.array([1, 3]))
            rows, read = [0, 2], [4, 6]
        places = [n + t for n in read]
        assert [*cache.places + 1] == places
        found = DECODER.step(TOKENS[rows, places], cache)
        np.testing.assert_allclose(found, TRUTH[rows, places], **NEAR)


def test_the_cache_grows():
    """More own tokens than there was room for at first."""
    long = RNG.integers(0, TINY.vocab, (1, 80))
    cache = Cache([DECODER.read(long[0, :2], DECODER.nothing)[1]], [1])
    for t in range(2, 80):
        found = DECODER.step(long[:, t], cache)
    np.testing.assert_allclose(found, states(PARAMS, long)[:, -1], **NEAR)
