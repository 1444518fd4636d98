"""The markup in which a model was taught to chat, with a turn that stays open.

Vocabulary
    turn       what one side says in a chat: the *user*, or the *assistant*, which is
               the model. Marks stand around it, each of them one token.
    open turn  the assistant's turn has begun and not ended: the steps so far stand in
               it, and the model goes on. A server's chat interface closes the turn, so
               the markup is written here, and the prompt goes out raw.
    format     the markup of a family of models. It is read from a model's file, or
               has a name: "chatml", "llama3", "gemma", "phi3".

What is put into a turn is never taken for markup. Covers: text. Does not cover: tools,
pictures, and the templates of Ollama, which are of another language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .errors import failure
from .template import END, render

EACH = "{% for m in messages %}"
NAMED_CHATS = {  # format: (marks that tell it in other languages too, its template)
    "chatml": (
        ("<|im_start|>", "<|im_end|>"),
        EACH + "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
        "{% endfor %}{{ '<|im_start|>assistant\n' }}",
    ),
    "llama3": (
        ("<|start_header_id|>", "<|eot_id|>"),
        EACH + "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' }}"
        "{{ m.content + '<|eot_id|>' }}{% endfor %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}",
    ),
    "gemma": (
        ("<start_of_turn>", "<end_of_turn>"),
        EACH + "{{ '<start_of_turn>' + {'assistant': 'model'}.get(m.role, m.role) }}"
        "{{ '\n' + m.content + '<end_of_turn>\n' }}{% endfor %}"
        "{{ '<start_of_turn>model\n' }}",
    ),
    "phi3": (
        ("<|user|>", "<|assistant|>", "<|end|>"),
        EACH + "{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
        "{{ '<|assistant|>\n' }}",
    ),
}
FOREIGN = "<|im_sep|>"  # of phi4, which is like ChatML and is not
MARKUP = re.compile(r"<(?=[^<>\s]{1,40}>)|\[(?=/?[A-Z_]{2,20}\]|\|[^\[\]\s]{1,40}\|\])")
HOLDER = "WhatIsSaid{}InThisTurn"  # stands for a content while a template runs


def plain(text: str) -> str:
    """A text for a turn: what looks like markup in it gets a blank, "< |im_end|>", and
    is markup no more."""
    return MARKUP.sub(lambda found: found[0] + " ", text.strip())


@lru_cache(maxsize=64)
def frame(template: str, roles: tuple[str, ...]) -> str:
    """A chat of these turns, with a holder for what is said in each.

    Raises ValueError where the template does not repeat what is said.
    """
    turns = [{"role": r, "content": HOLDER.format(i)} for i, r in enumerate(roles)]
    text = render(template, turns)
    for turn in turns:
        if text.count(turn["content"]) != 1:
            raise ValueError("it does not repeat what is said, once")
    if END in text:
        raise ValueError("it closes turns with a token that it does not tell")
    return text


@dataclass(frozen=True)
class ChatFormat:
    """How a chat is written for a model. template: in Jinja2."""

    template: str = field(repr=False)
    model: str = ""

    def open_turn(self, messages: Sequence[Mapping[str, str]]) -> str:
        """A chat that ends where the assistant's turn has just begun.

        messages: role ("user" or "assistant") and content of each turn.
        Raises LLMError for a template that cannot be used.
        """
        try:
            text = frame(self.template, tuple(m["role"] for m in messages))
        except ValueError as error:
            raise failure("template", model=self.model, said=error) from error
        said = {HOLDER.format(i): plain(m["content"]) for i, m in enumerate(messages)}
        holders = re.compile("|".join(map(re.escape, said)))
        return holders.sub(lambda found: said[found[0]], text)


def chat_format(info: Mapping[str, Any], name: str | None, model: str = "") -> Any:
    """The format of a model, or of that name; None for a model without any.

    info: what a client shows of the model. Ollama's own template is not filled in,
    only looked at for marks of a format that has a name.
    Raises ValueError for a name that is unknown.
    """
    if name is not None:
        if name not in NAMED_CHATS:
            raise ValueError(f"chat={name!r}: type one of {', '.join(NAMED_CHATS)}")
        return ChatFormat(NAMED_CHATS[name][1], model)
    metadata, other = info.get("model_info"), info.get("template")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    own = metadata.get("tokenizer.chat_template")
    if isinstance(own, str) and own.strip():
        return ChatFormat(own, model)
    for marks, template in NAMED_CHATS.values():
        found = isinstance(other, str) and all(mark in other for mark in marks)
        if found and FOREIGN not in other:
            return ChatFormat(template, model)
    return None
