"""Seeds: what is drawn is fixed by a number, and each of several samples has its own.

Vocabulary: *siblings* are samples of one prompt. Where one request draws them all, only
the first seed is sent: theirs follow each other.
"""

from __future__ import annotations

import hashlib
import json


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed in [0, 2**31) for whatever `parts` name: siblings must not share one."""
    # JSON keeps ("ab", "c") and ("a", "bc") apart; `int` admits NumPy's integers.
    text = json.dumps([seed, *parts], default=int)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def sibling_seeds(seed: int, prompt: str, k: int, together: bool = False) -> list[int]:
    """A seed for each of k samples of a prompt; of more samples, these are the first.

    together: one request draws all of them, by seeds that follow each other.
    """
    if together:
        return [derive_seed(seed, prompt) + i for i in range(k)]
    return [derive_seed(seed, prompt, i) for i in range(k)]
