r"""Lines that a model writes: which of them say something.

Vocabulary: a *lead* is a line that only leads to the next: a blank one, a heading, a
mark of LaTeX or Markdown by itself, an announcement ("We add the costs:"). A *sentence*
is any other line. abacus writes sentences alone; models made for a chat lead to them.

Covers: Markdown and LaTeX, as such models write them. Does not cover: whether what a
sentence says is right (`grading.py`, `rewards/`).
"""

import re

STATED = re.compile(  # an answer, and not the number of a step or a heading
    r"""
    \banswer \W{1,4} is \b (?! \W{1,4} not\b ) \W*+ (?: [a-z]++ \W++ ){0,2}? \d
    | \banswer \W{0,3} : [^\w\n]*+ (?! \d++ [.)] \s ) \d
    | \#{4} [^\w\n]{0,8} (?! \d++ [.)] \s ) \d
    | \\boxed \s* \{ [^}\n]{0,40} \d
    """,
    re.X | re.I,
)
LEAD = re.compile(
    r"""
    \s*+ (?:
        [-*+>\s]*+                                  # blank, or the mark of a list
      | \#{1,6}\s.*                                 # a heading
      | [-*_=]{3,}                                  # a rule
      | ```\w*+ | \$\$ | \\[\[\]]                     # a block begins or ends
      | \\(?:begin|end)\{[^{}]*\}
      | (?: \d+[.)]\s* )? \*\*[^*\d]+\*\* [.:]?     # bold, and no number in it
      | \*\*\s* step \s+ \d+ \b [^\d*]* \*\* [.:]?   # **Step 2: the cost**
      | .* : [*\s]*                                # an announcement
    ) \s*
    """,
    re.X | re.I,
)


def states_answer(text: str) -> bool:
    """Does a line of this text state an answer, so that nobody has to guess it?"""
    return any(STATED.search(line) for line in text.split("\n"))


def is_lead(text: str) -> bool:
    """Does this text only lead to the next: is every line of it a lead?"""
    if states_answer(text):
        return False
    return all(LEAD.fullmatch(line) for line in text.split("\n"))


def sentence_of(step: str) -> str:
    """A step without what leads to it; of leads alone, the last."""
    lines = step.split("\n")
    while len(lines) > 1 and is_lead(lines[0]):
        del lines[0]
    return "\n".join(lines)
