"""How the next token is drawn: filters, shares, the inverse distribution."""

from collections import Counter

import numpy as np
import pytest
from plain_engine import PROMPT, plain_log_probs

from helpers.abacus import (
    END_OF_TEXT,
    WEIGHTS,
    Engine,
    Sampling,
    allowed,
)
from helpers.abacus.client import load_engine
from helpers.abacus.sampling import draw


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(WEIGHTS)


def test_samples_follow_the_distribution(engine: Engine) -> None:
    """First tokens of 4000 seeds against their probabilities (chi-squared)."""
    probs = np.exp(plain_log_probs(engine, engine.encode(PROMPT))[-1] / 2.0)
    probs /= probs.sum()
    rows = engine.generate([PROMPT] * 4000, range(4000), 1, Sampling(temperature=2.0))
    counts = Counter(row.ids[0] if row.ids else END_OF_TEXT for row in rows)
    common = [i for i in range(len(probs)) if 4000 * probs[i] >= 5]
    found = np.array([counts[i] for i in common] + [0.0])
    expected = np.array([4000 * probs[i] for i in common] + [0.0])
    found[-1], expected[-1] = 4000 - found.sum(), 4000 - expected.sum()
    chi2 = ((found - expected) ** 2 / expected).sum()
    freedom = len(common)
    assert chi2 < freedom + 4 * np.sqrt(2 * freedom)


def test_filters_by_hand() -> None:
    log_probs = np.log([[0.4, 0.1, 0.3, 0.2]])

    def passed(**how: float) -> list[int]:
        return np.flatnonzero(allowed(log_probs, Sampling(**how))[0]).tolist()

    assert passed() == [0, 1, 2, 3]
    assert passed(top_k=2) == [0, 2]
    assert passed(top_p=0.4) == [0]  # the fewest tokens that reach p
    assert passed(top_p=0.6) == [0, 2]
    assert passed(min_p=0.6) == [0, 2]  # at least 0.6 of the best one's 0.4
    # top_p judges what top_k left: 0.4/0.7 = 0.57 reaches a half on its own.
    assert passed(top_k=2, top_p=0.5) == [0]
    # Off is off, although the others' probabilities may add up to 1 before the last.
    sharp = np.log([[1 - 3e-17, 1e-17, 1e-17, 1e-17]]).repeat(2, 0)
    for kind in (np.float64, np.float32):
        assert allowed(sharp.astype(kind), Sampling(top_k=4)).all()
    # The filters come before temperature: heat cannot bring a token back.
    assert passed(top_p=0.6, temperature=9.0) == [0, 2]


def test_drawing_inverts_the_cumulative_distribution() -> None:
    log_probs, rows = np.log([[0.25, 0.5, 0.25], [0.1, 0.1, 0.8]]), [0, 0, 0, 0, 0, 1]
    uniform = np.array([0.0, 0.24, 0.26, 0.74, 0.76, 0.74])
    assert draw(log_probs, rows, uniform, Sampling()).tolist() == [0, 0, 1, 1, 2, 2]
    for cold in (0, 5e-324):
        for kind in (np.float64, np.float32):
            how = Sampling(temperature=cold)
            found = draw(log_probs[:1].astype(kind), [0] * 6, uniform, how)
            assert found.tolist() == [1] * 6
