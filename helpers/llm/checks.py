"""Whether an answer can be believed: counts that are possible, a stop that was kept.

Vocabulary: a prompt is *cut* if the server dropped a part of it. A server *ignores* a
stop string if it writes on after it, as Ollama does where it runs a model on MLX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from helpers.wire import Response

BYTES_PER_TOKEN = 5  # ordinary text has 2 to 5; a prompt cut to half seems to have more


def check_counts(response: Response, options: Mapping[str, Any]) -> None:
    """Raise a ValueError if more was counted than asked for."""
    most = options.get("num_predict", -1)
    if 0 < most < response.eval_count:
        raise ValueError(f"{response.eval_count} tokens where {most} were asked for")


def was_cut(prompt: str, response: Response, num_ctx: int) -> bool:
    """Whether the model seems to have lost a part of its prompt: a guess, for servers
    before 0.12.11, which do not know `truncate`.

    The one trace is their count of prompt tokens. Of too long a prompt, they keep
    `num_ctx` tokens or one fewer, or half as many; and a step that overflows the
    context pushes the prompt out. So it was cut if it fills the context, alone or with
    the step, or if the count is that half although the prompt has more bytes than
    `num_ctx`, and more of them per token than ordinary text has. What remains unseen:
    digits and other short tokens, of which half was dropped; what is suspected without
    reason: scripts with many bytes per token that come to that half.
    """
    count, half = response.prompt_eval_count, num_ctx // 2
    size = len(prompt.encode())
    halved = half <= count <= half + 16 and size > max(num_ctx, BYTES_PER_TOKEN * count)
    overflown = count + response.eval_count > num_ctx
    return halved or overflown or count >= num_ctx - 1


def cut_at_stop(response: Response, stops: Sequence[str]) -> Response:
    """The response up to the first stop string in it, as a server that keeps to it
    would have told it; but `eval_count` stays what it cost."""
    places = [response.response.find(stop) for stop in stops if stop]
    end = min((place for place in places if place >= 0), default=None)
    if end is None:
        return response
    kept, length = [], 0
    for token in response.logprobs or ():
        length += len(token.token)
        if length > end:  # it holds a part of the stop string
            break
        kept.append(token)
    logprobs = None if response.logprobs is None else tuple(kept)
    return replace(
        response, response=response.response[:end], done=True, done_reason="stop",
        logprobs=logprobs,
    )  # fmt: skip
