"""OpenAI's completions over the wire: a request from options, a response from a choice.

Vocabulary: a *choice* is one of the n samples that a request asks for. Servers differ
in how they tell its tokens, and in whether the one that ended it is among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.wire import Response, read_response

SENT_ON = ("stop", "presence_penalty", "frequency_penalty")


def body_of(
    model: str, prompt: str, seed: int | None, n: int, options: Mapping[str, Any],
    top: int,
) -> dict[str, Any]:  # fmt: skip
    """A request. What is off is sent as well: servers have defaults of their own."""
    most, repeat = options.get("num_predict", -1), options.get("repeat_penalty", 1.0)
    body = {"model": model, "prompt": prompt, "n": n, "logprobs": max(top, 1),
            "max_tokens": most if most > 0 else options.get("num_ctx", 2048),
            "temperature": options.get("temperature", 1.0),
            "top_p": options.get("top_p", 1.0), "top_k": options.get("top_k") or -1,
            "min_p": options.get("min_p", 0.0), "stream": False,
            # vLLM and SGLang call it so, and llama.cpp so.
            "repetition_penalty": repeat, "repeat_penalty": repeat}  # fmt: skip
    body |= {"seed": int(seed)} if seed is not None else {}
    return body | {name: options[name] for name in SENT_ON if options.get(name)}


def to_response(
    choice: Mapping[str, Any], usage: Any, n: int, top: int, stops: Sequence[str]
) -> Response:
    """One choice. Of its tokens, some servers tell the one that ended it, and some do
    not; it is one that is not a part of the text."""
    text, reason = choice["text"], choice.get("finish_reason")
    tokens, kept, length = tokens_of(choice.get("logprobs"), top), [], 0
    for token in tokens:
        length += len(token["token"])
        if length > len(text):
            break
        kept.append(token)
    is_nothing = bool(kept) and not kept[-1]["token"]
    if is_nothing and reason == "stop":
        kept.pop()
    count = len(tokens) + (reason == "stop" and len(kept) == len(tokens))
    usage = usage if isinstance(usage, Mapping) else {}
    if n == 1:  # of several samples, servers count all, or the first
        count = usage.get("completion_tokens", count if tokens else 0)
    elif not tokens:
        count = 0
    # What a longer stop string begins with is told as nothing, too.
    is_told = is_nothing and all(len(stop) == 1 for stop in stops)
    is_over = is_told or (bool(tokens) and choice.get("stop_reason", "") is None)
    return read_response({
        "response": text, "done": True,
        "done_reason": "end" if reason == "stop" and is_over else reason,
        "prompt_eval_count": usage.get("prompt_tokens", 0), "eval_count": count,
        "logprobs": kept or None,
    })  # fmt: skip


def tokens_of(told: Any, top: int) -> list[dict[str, Any]]:
    """The tokens of a choice, in whichever of the two ways servers tell them."""
    if not isinstance(told, Mapping):
        return []
    if isinstance(told.get("content"), list):  # as in chats: llama-server
        return [{**t, "top_logprobs": t["top_logprobs"] if top else []}
                for t in told["content"]]  # fmt: skip
    likeliest = told.get("top_logprobs") or [None] * len(told.get("tokens") or ())
    return [
        {"token": token, "logprob": logprob, "top_logprobs": [
            {"token": t, "logprob": p} for t, p in (others or {}).items()
        ] if top else []}
        for token, logprob, others in zip(
            told.get("tokens") or (), told.get("token_logprobs") or (), likeliest,
            strict=True,
        )
    ]  # fmt: skip
