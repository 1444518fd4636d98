"""A language model that says one sentence at a time, wherever it runs.

Vocabulary
    prompt    the whole text so far; it goes to the model raw: markup for a chat, if
              any, is a part of it (`chat.py`).
    form      how a problem is put to a model (`forms.py`).
    step      what the model adds until it writes the stop string: one sentence.
    seed      fixes what is drawn; each of several steps has one of its own.
    action    a distinct step among k samples; its *prior* is its share of them.
    client    who is asked: abacus or a GGUF file in this process, a server, several, a
              recording.

What fails is an `LLMError` that says what to type. Nothing heavy is loaded before it is
used, and nothing is read that is not needed: abacus asks no variable for a server.
"""

from helpers.wire import Response

from .addresses import server_address
from .chat import NAMED_CHATS
from .clients import chosen_model, find_model, open_client
from .connection import Connection
from .errors import LLMError, failure
from .forms import FORMS, SHORT, Limits, PromptForm, choose_form, form_of
from .gen import LLMGen, SharedSamples, Step, draw_each
from .identity import (
    EMBEDDED,
    Identity,
    differences,
    folded,
    is_embedded,
    is_file,
)
from .limits import check_given, check_limits, stops_of
from .open_steps import write_steps
from .proposal import Action, Proposal, merge_steps
from .reading import embed, has_states, next_tokens
from .seeds import derive_seed, sibling_seeds
from .threads import map_in_threads

__all__ = [
    "LLMGen",
    "SharedSamples",
    "Step",
    "derive_seed",
    "sibling_seeds",
    "draw_each",
    "Action",
    "Proposal",
    "merge_steps",
    "PromptForm",
    "FORMS",
    "NAMED_CHATS",
    "Limits",
    "SHORT",
    "choose_form",
    "form_of",
    "write_steps",
    "embed",
    "has_states",
    "next_tokens",
    "LLMError",
    "failure",
    "check_given",
    "check_limits",
    "stops_of",
    "EMBEDDED",
    "chosen_model",
    "is_embedded",
    "is_file",
    "folded",
    "Identity",
    "differences",
    "server_address",
    "open_client",
    "find_model",
    "Response",
    "Connection",
    "map_in_threads",
]
