"""An open turn is what `transformers` makes of the same chat (`make test-train`).

The templates are those that TRL's package holds, of five families of models.
"""

from pathlib import Path

import pytest

pytestmark = pytest.mark.train
trl = pytest.importorskip("trl", reason="needs the extra `train`")
transformers = pytest.importorskip("transformers")

from helpers.llm.chat import NAMED_CHATS, ChatFormat  # noqa: E402

FAMILIES = {  # a file: the named format that it should equal, but for a system's turn
    "qwen2_5": "chatml",
    "llama3_2": "llama3",
    "gemma3": "gemma",
    "phi3": "phi3",
    "lfm2": "chatml",
    "qwen3": "chatml",
    "gemma": "gemma",
    "llama3": "llama3",
}
CHATS = [
    [("user", "How many apples?")],
    [("user", "One?"), ("assistant", "The answer is 1."), ("user", "Two?\nOr three?")],
]
STEPS = ["", "First, we add:\n\\[ 1+1 = 2 \\]", "a\n\nb"]


def template_of(family):
    folder = Path(trl.__file__).parent / "chat_templates"
    return (folder / f"{family}.jinja").read_text(encoding="utf-8")


def reference(template, messages, **how):
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template(
        conversations=[messages], chat_template=template, bos_token="", eos_token="",
        enable_thinking=False, date_string="26 Jul 2024", **how,
    )  # fmt: skip
    return texts[0]


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_open_turn(family, chat, steps):
    template = template_of(family)
    messages = [{"role": role, "content": said} for role, said in chat]
    mine = ChatFormat(template).open_turn(messages)
    assert mine == reference(template, messages, add_generation_prompt=True)
    if steps and family != "qwen3":  # that one puts thoughts before what is said
        turns = [*messages, {"role": "assistant", "content": steps}]
        theirs = reference(template, turns, continue_final_message=True)
        assert (mine + steps).rstrip() == theirs.rstrip()


@pytest.mark.parametrize("family", FAMILIES)
def test_named_formats_end_as_the_template_does(family):
    messages = [{"role": "user", "content": "How many?"}]
    own = ChatFormat(template_of(family)).open_turn(messages)
    named = ChatFormat(NAMED_CHATS[FAMILIES[family]][1]).open_turn(messages)
    assert own.removesuffix("<think>\n\n</think>\n\n").endswith(named)
