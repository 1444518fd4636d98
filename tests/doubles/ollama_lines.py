"""What Ollama's two runners tell of each token that llama.cpp writes.

Vocabulary: an *event* is what llama.cpp says of one token. A *line* is what a runner
says of one token or more: `content`, `done`, maybe `logprobs`. The last line has no
token, but `done_reason`, counts and times.

The runner since 0.30 hands on llama.cpp's events, which looks for the stop strings. A
token that is held back, because a stop string might begin there, is told together with
the next one, under the log-probability of that one alone, be it the token that ends the
text. The runner before that looks for the stop strings itself, and forgets no token.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

NameOf = Callable[[int], str]


def new_lines(events: Iterator[dict], top: int) -> Iterator[dict]:
    """The lines of Ollama 0.30 and later."""
    for said in events:
        if said["stop"]:
            reason = "length" if said["stop_type"] == "limit" else "stop"
            timings = said["timings"]
            yield last_line(reason, timings, timings["predicted_n"])
        elif said["content"]:
            chances = said.get("completion_probabilities", ())
            told = [to_logprob(token, top) for token in chances]
            yield {"content": said["content"], "done": False, "logprobs": told}


def old_lines(
    events: Iterator[dict], stops: list[str], top: int, name_of: NameOf
) -> Iterator[dict]:
    """The lines of Ollama before 0.30. `name_of`: of a token written as nothing."""
    pending: list[tuple[str, list]] = []  # not told yet: a stop string may begin there
    for said, following in pairwise(events):
        last = following["stop"]
        reason = "length" if last and following["stop_type"] == "limit" else "stop"
        if not last or reason == "length":  # not the token that ends a text
            chances = said.get("completion_probabilities", ())
            told = [to_logprob(token, top, name_of) for token in chances]
            pending.append((said["content"] or name_of(said["tokens"][0]), told))
        text = "".join(piece for piece, _ in pending)
        if met := [stop for stop in stops if stop in text]:
            last, reason = True, "stop"
            pending = before(pending, text.index(met[0]))
        if last or not may_begin(text, stops):
            yield from told_together(pending)
            pending = []
        if last:
            count = said["tokens_predicted"]
            yield last_line(reason, said["timings"], count, count > 1)
            return


def told_together(pending: list[tuple[str, list]]) -> Iterator[dict]:
    """One line of all that was held back."""
    if text := "".join(piece for piece, _ in pending):
        told = [token for _, tokens in pending for token in tokens]
        yield {"content": text, "done": False, "logprobs": told}


def before(pending: list[tuple[str, list]], end: int) -> list[tuple[str, list]]:
    """What is left of the pieces; one that is cut keeps its log-probability."""
    kept, start = [], 0
    for piece, told in pending:
        if start < end:
            kept.append((piece[: end - start], told))
        start += len(piece)
    return kept


def may_begin(text: str, stops: list[str]) -> bool:
    """Whether a stop string may begin at the end of the text."""
    return any(text.endswith(s[:i]) for s in stops for i in range(1, len(s) + 1))


def last_line(reason: str, timings: dict, count: int, is_timed: bool = True) -> dict:
    """How an answer ended. An old runner does not time the first token."""
    return {
        "content": "",
        "done": True,
        "done_reason": reason,
        "prompt_eval_duration": int(timings["prompt_ms"] * 1e6),
        "eval_count": count,
        "eval_duration": int(timings["predicted_ms"] * 1e6) if is_timed else 0,
        "timings": timings,
    }


def to_logprob(token: dict, top: int, name_of: NameOf | None = None) -> dict:
    """A token with its log-probability and, if asked for, the likeliest ones. Only an
    old runner gives the token that ends a text its name; to others it is "", without
    bytes."""
    text = token["token"] or (name_of(token["id"]) if name_of else "")
    told = {"token": text, "logprob": token["logprob"]}
    if text:
        told["bytes"] = [*text.encode()]
    if top:
        told["top_logprobs"] = [
            to_logprob(t, 0, name_of) for t in token["top_logprobs"]
        ]
    return told
