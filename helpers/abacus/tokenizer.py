"""Byte-level byte-pair encoding (BPE): text to token ids and back.

Vocabulary used here: a *piece* is a stretch of text that no token may cross (a
word with the space before it, one digit, one newline); a *merge* is a pair of
tokens that may be joined, the earlier in the list the sooner; a *token* is the
bytes of one vocabulary entry and its *id* the position there: id 0 ends a text,
ids 1 to 256 are the single bytes, the rest are the merges in order.

Digits and newlines are pieces of their own. So a number is read digit by digit,
as in long addition, and a sentence always ends on a token boundary. The pieces
are those of the pre-tokenizer that llama.cpp calls "smollm" (GPT-2's rule after
splitting off each digit), so an export to GGUF tokenizes alike.

Not covered: special tokens inside a text (`<|endoftext|>` typed by a reader is
plain text) and Unicode normalisation (there is none).

Source: Sennrich et al. 2016, "Neural machine translation of rare words with
subword units"; Radford et al. 2019 (GPT-2) for bytes as the alphabet.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

END_OF_TEXT = 0
NEWLINE = 1 + ord("\n")  # after the id 0 come the bytes, each in its place

# The rule is written for ASCII; `shadow` makes it serve every script.
PIECE = re.compile(
    r"\d|'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[^\sA-Za-z\d]+|\s+(?![^\s\d])|\s+",
    re.ASCII,
)
ASCII_OF_CLASS = {"L": "A", "N": "0", "Z": "\t"}  # letter, number, separator

Token = bytes
Merge = tuple[Token, Token]


def shadow(text: str) -> str:
    """The text with every non-ASCII character replaced by an ASCII one of its class."""
    if text.isascii():
        return text
    return "".join(
        c if c.isascii() else ASCII_OF_CLASS.get(unicodedata.category(c)[0], "!")
        for c in text.replace("\x85", "\n")
    )


def pieces(text: str) -> list[str]:
    """Cut a text into pieces; joined they are the text again."""
    return [text[m.start() : m.end()] for m in PIECE.finditer(shadow(text))]


def merge_pair(tokens: list[Token], pair: Merge) -> list[Token]:
    """Join every occurrence of the pair, from left to right."""
    merged: list[Token] = []
    for token in tokens:
        if merged and (merged[-1], token) == pair:
            merged[-1] += token
        else:
            merged.append(token)
    return merged


def learn_merges(texts: Iterable[str], vocab_size: int) -> list[Merge]:
    """Join the most frequent pair again and again until the vocabulary is full.

    Ties go to the pair that is smaller in byte order, so that every computer
    learns the same merges. Fewer merges come back when nothing is left to join.
    """
    counts = Counter(piece for text in texts for piece in pieces(text))
    words = [([bytes([b]) for b in w.encode("utf-8")], n) for w, n in counts.items()]
    merges: list[Merge] = []
    while len(merges) < vocab_size - 257:
        pairs: Counter[Merge] = Counter()
        for tokens, n in words:
            for pair in zip(tokens, tokens[1:], strict=False):
                pairs[pair] += n
        if not pairs:
            break
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        words = [(merge_pair(tokens, merges[-1]), n) for tokens, n in words]
    return merges


class Tokenizer:
    """Encodes and decodes with a fixed list of merges."""

    def __init__(self, merges: list[Merge]) -> None:
        self.merges = merges
        self.rank = {pair: rank for rank, pair in enumerate(merges)}
        alphabet = [bytes([b]) for b in range(256)]
        joined = [left + right for left, right in merges]
        self.tokens: list[Token] = [b"", *alphabet, *joined]
        self.ids = {token: i for i, token in enumerate(self.tokens) if token}
        self.known: dict[str, list[int]] = {}  # pieces met before

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, without any special token."""
        return [i for piece in pieces(text) for i in self._encode_piece(piece)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; broken UTF-8 shows as the replacement character."""
        return b"".join(self.tokens[i] for i in ids).decode("utf-8", "replace")

    def _encode_piece(self, piece: str) -> list[int]:
        if piece not in self.known:
            tokens = [bytes([b]) for b in piece.encode("utf-8", "surrogatepass")]
            self.known[piece] = [self.ids[token] for token in self._join(tokens)]
        return self.known[piece]

    def _join(self, tokens: list[Token]) -> list[Token]:
        while len(tokens) > 1:
            pairs = zip(tokens, tokens[1:], strict=False)
            pair = min(pairs, key=lambda p: self.rank.get(p, len(self.rank)))
            if pair not in self.rank:
                break
            tokens = merge_pair(tokens, pair)
        return tokens


#### Reading and writing merges, in GPT-2's own notation ####


@lru_cache
def printable_bytes() -> dict[int, str]:
    """A printable character for each byte: itself if it prints, else one from 256 on.

    It is the notation of GPT-2's `merges.txt` and of GGUF files, in which a space
    is written "\u0120" and a newline "\u010a".
    """
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [b for b in range(256) if b not in visible]
    return {b: chr(b) for b in visible} | {
        b: chr(256 + i) for i, b in enumerate(hidden)
    }


def printable(token: Token) -> str:
    """A token in that notation; the one that ends a text has a name."""
    return "".join(printable_bytes()[b] for b in token) or "<|endoftext|>"


def save_merges(merges: list[Merge], path: Path) -> None:
    """Write one merge a line, the two tokens separated by a space."""
    lines = (f"{printable(left)} {printable(right)}" for left, right in merges)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def load_merges(path: Path) -> list[Merge]:
    """Read what `save_merges` wrote."""
    byte = {c: b for b, c in printable_bytes().items()}
    lines = path.read_text(encoding="utf-8").splitlines()
    words = (line.split(" ") for line in lines)
    return [(bytes(byte[c] for c in a), bytes(byte[c] for c in b)) for a, b in words]
