"""The tokenizer against an independent one, Hugging Face `tokenizers`."""

import random

import pytest
from tokenizers import Tokenizer as Reference
from tokenizers import decoders, models, pre_tokenizers

from helpers.abacus import END_OF_TEXT, Tokenizer, merge_pair
from helpers.abacus.engine import HERE
from helpers.abacus.tokenizer import (
    learn_merges,
    load_merges,
    pieces,
    printable_bytes,
    save_merges,
)

ALPHABET = [*"abzAB  \n\n\t019'srtvemld.,$%?!é²½Ⅷ中文🙂€_-\r\x1c\x85\xa0\u0301\u2003"]


def strange_texts(n: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(ALPHABET, k=rng.randrange(16))) for _ in range(n)]


@pytest.fixture(scope="module")
def ours() -> Tokenizer:
    return Tokenizer(load_merges(HERE / "merges.txt"))


@pytest.fixture(scope="module")
def reference(ours: Tokenizer) -> Reference:
    """The same merges in another implementation, with smollm's pre-tokenizer."""
    show = printable_bytes()
    names = ["".join(show[b] for b in token) for token in ours.tokens]
    vocab = {name or "<|endoftext|>": i for i, name in enumerate(names)}
    merges = [
        tuple("".join(show[b] for b in token) for token in pair) for pair in ours.merges
    ]
    tokenizer = Reference(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def test_pieces_are_those_of_the_reference(reference: Reference) -> None:
    for text in strange_texts(3000):
        cuts = reference.pre_tokenizer.pre_tokenize_str(text)
        assert pieces(text) == [text[a:b] for _, (a, b) in cuts], repr(text)


def test_ids_are_those_of_the_reference(ours: Tokenizer, reference: Reference) -> None:
    texts = strange_texts(1000, seed=1)
    texts += ["Question: Maya has 12 apples.\nAnswer:\nShe has 12*3 = 36 left.\n"]
    for text in texts:
        assert ours.encode(text) == reference.encode(text).ids, repr(text)


def test_decoding_gives_the_text_back(ours: Tokenizer) -> None:
    for text in strange_texts(1000, seed=2):
        assert ours.decode(ours.encode(text)) == text


def test_no_text_encodes_to_the_end_of_text(ours: Tokenizer) -> None:
    assert END_OF_TEXT not in ours.encode("<|endoftext|> \x00")


def test_digits_and_newlines_stand_alone(ours: Tokenizer) -> None:
    ids = ours.encode("12\n\n345")
    assert [ours.decode([i]) for i in ids] == ["1", "2", "\n", "\n", "3", "4", "5"]


def test_broken_utf8_and_surrogates_do_not_raise(ours: Tokenizer) -> None:
    assert ours.decode(ours.encode("é")[:1]) == "\ufffd"
    assert ours.encode("\ud800")  # half of a character, as a broken file may hold


def test_merging_goes_from_left_to_right() -> None:
    assert merge_pair([b"a", b"a", b"a"], (b"a", b"a")) == [b"aa", b"a"]


def test_learning_joins_the_most_frequent_pair_first() -> None:
    # Pieces: "abc", " abc", " ab". Pairs: ab 3, bc 2, " a" 2; then " ab" 2, "abc" 2.
    merges = learn_merges(["abc abc ab"], 257 + 2)
    assert merges == [(b"a", b"b"), (b" ", b"ab")]  # ties: smaller bytes first
    assert len(learn_merges(["ab"], 1000)) == 1  # nothing is left to join


def test_merges_survive_a_file(tmp_path) -> None:
    merges = learn_merges(["naïve café, naïve café\n\t\n"], 280)
    save_merges(merges, tmp_path / "merges.txt")
    assert load_merges(tmp_path / "merges.txt") == merges
