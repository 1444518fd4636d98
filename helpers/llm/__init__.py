"""A language model that says one sentence at a time, wherever it runs.

Vocabulary
    prompt    the whole text so far; it goes to the model raw, without a chat template.
    step      what the model adds until it writes the stop string: one sentence.
    seed      fixes what is drawn; each of several steps has one of its own.
    action    a distinct step among k samples; its *prior* is its share of them.
    client    who is asked: abacus in this process, a server, several, a recording.

What fails is an `LLMError` that says what to type. Nothing heavy is loaded before it is
used.
"""

from .clients import open_client
from .connection import Connection
from .errors import LLMError, explained, failure
from .gen import LLMGen, SharedSamples, Step, derive_seed, draw_each
from .limits import check_given, check_limits
from .proposal import Action, Proposal, merge_steps
from .reading import embed, has_states, next_tokens
from .servers import EMBEDDED, find_model, full_name, server_address
from .threads import map_in_threads

__all__ = [
    "LLMGen",
    "SharedSamples",
    "Step",
    "derive_seed",
    "draw_each",
    "Action",
    "Proposal",
    "merge_steps",
    "embed",
    "has_states",
    "next_tokens",
    "LLMError",
    "explained",
    "failure",
    "check_given",
    "check_limits",
    "EMBEDDED",
    "find_model",
    "full_name",
    "server_address",
    "open_client",
    "Connection",
    "map_in_threads",
]
