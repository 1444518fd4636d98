"""Are steps the same? Log-probabilities nearly: their last digits depend on what else
an engine computed beside them."""

import pytest


def same_steps(found, wanted):
    """Equal texts, counts and reasons, and log-probabilities within a thousandth."""
    told = [[(s.text, s.tokens, s.reason) for s in steps] for steps in (found, wanted)]
    assert told[0] == told[1]
    for a, b in zip(found, wanted, strict=True):
        assert a.logprob == (b.logprob and pytest.approx(b.logprob, abs=1e-3))
    return True
