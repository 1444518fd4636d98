"""What a reader types in an environment variable, understood as Ollama understands it.

Vocabulary: a *setting* is the value of a variable without the blanks and quotes around
it, which cmd on Windows keeps and which come along when a line is copied. One that is
empty counts as not set.

    REASONING_MODEL          which model: abacus if not set
    REASONING_CHAT           the markup of its chats, where nobody tells it
    REASONING_HOSTS          several Ollama servers, with commas between them
    REASONING_RECORD         a file of recorded answers
    REASONING_REPLAY_ONLY    ask nobody, only that file?
    OLLAMA_HOST              where the Ollama server is
    OLLAMA_NUM_PARALLEL      how many requests it takes at once
    OLLAMA_API_KEY           for ollama.com, and sent to nobody else
    OPENAI_API_KEY           for the server whose address ends in /v1
    GSM8K_PATH               a file of GSM8K, or the folder it is in
    NBGRADER_EXECUTION       nbgrader sets it while it marks

Every variable that this project reads, it reads here, and only when it is needed.
"""

import os
import string

AROUND = string.whitespace + "\u00a0\"'“”‘’`"  # a value
NO = {"", "0", "f", "false", "n", "no", "off"}  # all else means yes, as for Ollama


def meant(text: str) -> str:
    """What was typed, without the blanks and quotes around it."""
    return text.strip(AROUND)


def setting(name: str, default: str = "") -> str:
    """The value of a variable, or the default if nothing stands there."""
    return meant(os.environ.get(name, "")) or default


def is_on(name: str) -> bool:
    """Whether a variable says yes."""
    return setting(name).lower() not in NO


def path_setting(name: str) -> str:
    """A path, in which "~" is the reader's home; "" if there is none."""
    return os.path.expanduser(setting(name))
