"""Sampling: continuations of one prefix, and of the leaves of a tree, in tokens/s.

Every contestant reads the prefix as well, in the same time, and a new one in every
round, because llama.cpp remembers what it has read (and abacus, which is made to
forget). No stop string is set, so a text ends only where the model ends it; every token
sampled counts. A peer's settings are all tried on one prefix; the best few go on, and
that of the best median is told.

abacus computes what is equal in a batch once: as long as continuations of one prefix
have drawn the same tokens, they are one text. How many of the sampled tokens had to be
computed is told, and how fast it is at a temperature at which nearly all texts differ.

The share of the peak is that of the whole computer, all cores, in the precision of the
contestant. Only tokens that were computed count for it, not the reading of the prefix.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean, median
from typing import Any
from unittest.mock import patch

import numpy as np
from frame import Row, alternate, rate
from peak import flops, peaks
from peers import Draw, Ids, hugging_face, llama_cpp

from helpers.abacus import Cache, Engine, Sampling
from helpers.problems import PROBLEM_FORMAT, format_solution, generate

LENGTH = 100  # tokens of a prefix
KEPT = 3  # settings of a peer that are measured, not only tried
PEERS = {  # and what to type if one is missing
    "llama.cpp": 'left out: it needs xllamacpp; type: pip install -e ".[test]"',
    "generate": 'left out: it needs transformers; type: pip install -e ".[train]"',
}
OWN = {"abacus, {}": Sampling(), "abacus, {}, different": Sampling(temperature=2.5)}
Name = tuple[str, str]  # who, and with which setting
Prefixes = Callable[[int], list[Ids]]  # of a round


def one_prefix(engine: Engine, seed: int) -> list[Ids]:
    """A problem and how its solution begins, cut where its text has the same tokens."""
    for row in generate("validation", 100, seed=seed):
        text = PROBLEM_FORMAT.format(**row) + format_solution(row["answer"])
        ids = engine.encode(text)[:LENGTH]
        again = engine.encode(engine.tokenizer.decode(ids[1:]))
        if len(ids) == LENGTH and again == ids:
            return [ids]
    raise ValueError(f"no problem of {LENGTH} tokens; type another seed")


def each_of_16_leaves(engine: Engine, seed: int) -> list[Ids]:
    """A problem, and after it the four steps that lead to each leaf of a binary tree.

    Its nodes are numbered as in a heap: 1 is the root, 2 n and 2 n + 1 follow n.
    """
    rows = generate("validation", 20, seed=seed)
    texts = [format_solution(row["answer"]).splitlines() for row in rows]
    steps = [line for lines in texts for line in lines[:-1]]  # without "The answer is"

    def text(node: int) -> str:
        if node == 1:
            return PROBLEM_FORMAT.format(**rows[0])
        return text(node // 2) + steps[node] + "\n"

    return [engine.encode(text(node)) for node in range(16, 32)]


CASES = [*((one_prefix, k) for k in (1, 8, 64, 256)), (each_of_16_leaves, 64)]
QUICK = [(one_prefix, 1), (one_prefix, 4), (each_of_16_leaves, 4)]


def abacus(
    engine: Engine, how: Sampling, prefixes: Sequence[Ids], k: int, n: int
) -> int:
    """Our way to draw; what was read for another measurement is forgotten."""
    engine.memory.clear()
    texts = [engine.tokenizer.decode(ids[1:]) for ids in prefixes]
    prompts = [text for text in texts for _ in range(k)]
    found = engine.generate(prompts, range(len(prompts)), n, how)
    return sum(row.sampled for row in found)


def computed(
    engine: Engine, draw: Draw, rounds: Sequence[list[Ids]], k: int, n: int
) -> float:
    """The share of our sampled tokens that is computed."""
    step, rows = engine.decoder.step, []

    def counted(tokens: np.ndarray, cache: Cache) -> np.ndarray:
        rows.append(len(tokens))
        return step(tokens, cache)

    with patch.object(engine.decoder, "step", counted):
        sampled = sum(draw(prefixes, k, n) for prefixes in rounds)
    return sum(rows) / sampled


def engines() -> dict[str, Engine]:
    """The engine in each precision."""
    return {kind: Engine(precision=kind) for kind in ("float64", "float32")}


def measure(
    draws: Mapping[Any, Draw], prefixes: Prefixes, k: int, n: int, rounds: int
) -> dict[Any, list[float]]:
    """Tokens a second of each way to draw n tokens; each round has its own prefixes."""

    def once(draw: Draw, number: int) -> float:
        found = prefixes(number)
        return rate(lambda: draw(found, k, n))

    return alternate({x: partial(once, draw) for x, draw in draws.items()}, rounds)


def shortlist(
    settings: dict[str, Draw], prefixes: Prefixes, k: int, n: int
) -> list[str]:
    """The settings that are fastest for up to 64 continuations."""
    tried = measure(settings, prefixes, min(k, 64), n, rounds=1)
    return sorted(settings, key=lambda name: tried[name], reverse=True)[:KEPT]


def contestants(own: dict[str, Engine], k: int, n: int) -> dict[Name, Draw]:
    """abacus in each precision, and the peers with what suits them best."""
    engine = own["float64"]
    draws: dict[Name, Draw] = {
        (who.format(kind), kind): partial(abacus, own[kind], how)
        for who, how in OWN.items()
        for kind in own
    }
    peers = dict(zip(PEERS, (llama_cpp(engine, k), hugging_face(engine)), strict=True))
    for who, settings in peers.items():
        kept = shortlist(settings, lambda i: one_prefix(engine, 1001 + i), k, n)
        draws |= {(who, setting): settings[setting] for setting in kept}
    return draws


def best(
    task: str,
    found: dict[Name, list[float]],
    work: float,
    top: dict[str, float],
    shares: dict[str, float],
) -> Iterator[Row]:
    """A row for everyone, of the best setting.

    work: a computed token's, in GFLOP. shares: of our tokens, how many are computed.
    """
    for who in dict.fromkeys([*(who for who, _ in found), *PEERS]):
        mine = {setting: found[w, setting] for w, setting in found if w == who}
        if not mine:
            yield Row(task, who, "tokens/s", [], note=PEERS[who])
            continue
        setting = max(mine, key=lambda setting: median(mine[setting]))
        kind, part = setting if who in shares else "float32", shares.get(who, 1)
        share = median(mine[setting]) * part * work / top[kind]
        note = f"{setting}; {part:.0%} computed; {share:.0%} of the peak"
        yield Row(task, who, "tokens/s", mine[setting], who in PEERS, note)


def rows(rounds: int, quick: bool = False) -> list[Row]:
    """The computer's own peak, then every case."""
    n, own = 4 if quick else 64, engines()
    engine, told = own["float64"], peaks(rounds, 512 if quick else 2048)
    top = {row.task.split()[-1]: median(row.values) for row in told}  # of all cores
    for make, k in QUICK if quick else CASES:
        draws, prefixes = contestants(own, k, n), partial(make, engine)
        drawn = [prefixes(1 + i) for i in range(rounds)]
        shares = {
            who: computed(own[kind], draws[who, kind], drawn, k, n)
            for who, kind in draws
            if who not in PEERS
        }
        found = measure(draws, lambda i, f=prefixes: f(1 + i), k, n, rounds)
        length = fmean(len(ids) for ids in drawn[0])
        task = f"{k} of {make.__name__.replace('_', ' ')}"
        work = flops(engine.config, length + n / 2) / 1e9
        told += best(task, found, work, top, shares)
    return told
