"""Fills in a chat template, a program that came with a model, where it can do no harm.

Vocabulary: a *template* is a program in the language Jinja2, which stands in the file
of a model and writes a chat as the model has learned to read it. A stranger wrote it,
so it runs in a process of its own, in Jinja2's immutable sandbox, with few seconds,
little memory, little room to write and without the reader's environment variables.

`render` starts this very file as that process. A template that asks for today's date
always gets the same one, so that a prompt is the same tomorrow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date

SECONDS = 10.0  # of which most may go into the start of a process
LONGEST = 2**16  # characters that a template may write
MEMORY = 2**30  # bytes, where the system can limit them
TODAY = date(2024, 7, 26)
NEEDED = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "USERPROFILE",
          "APPDATA")  # fmt: skip
END = "EndOfTextHere"  # what a template writes for the token that ends a text


def render(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    """What a template writes of messages (role, content), up to where the model goes
    on. Raises ValueError with what was wrong with the template."""
    command = [sys.executable, "-P", __file__]
    asked = json.dumps([template, list(messages)]).encode()
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, timeout=SECONDS, check=False,
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(f"it came to no end in {SECONDS:g} seconds") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ValueError(said[-1] if said else "it needs more memory than it may have")
    return json.loads(done.stdout)


def fill_in(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    """The same, in this process."""
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(said: str) -> None:
        raise TemplateError(said)

    world = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    world.globals |= {
        "raise_exception": raise_exception,
        "strftime_now": lambda form: TODAY.strftime(form),
    }
    # As in transformers: no escaping, which is for pages.
    world.filters["tojson"] = lambda value, indent=None: json.dumps(
        value, indent=indent, ensure_ascii=False
    )
    parts, size = [], 0
    about = {"add_generation_prompt": True, "enable_thinking": False}
    # The engine writes the token that begins a text; two of them confuse a model.
    about |= {"bos_token": "", "eos_token": END}
    for part in world.from_string(template).generate(messages=messages, **about):
        parts.append(part)
        size += len(part)
        if size > LONGEST:
            raise TemplateError(f"it writes more than {LONGEST} characters")
    return "".join(parts)


def limit_memory() -> None:
    """Keep this process small, where the system knows how."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, OSError, ValueError):
        pass  # Windows has no such limit; the time is limited there too


def main() -> None:
    """Read a template and messages, as JSON; write what comes of them, as JSON."""
    limit_memory()
    template, messages = json.loads(sys.stdin.buffer.read())
    try:
        print(json.dumps(fill_in(template, messages)))
    except Exception as error:  # whatever a stranger's program raises, it is told
        sys.exit(f"{type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main()
