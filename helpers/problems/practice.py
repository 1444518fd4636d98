"""Grade-school word problems with worked answers, made from a seed.

Vocabulary. A *problem* is a question and its answer in the form of GSM8K: one
sentence a line, each with one annotated calculation (`5*2 = <<5*2=10>>10`), and
a closing line `#### 10`. It tells a *story*: a chain of *schemas*, an opening,
some middles and an ending (see `story` and the package `stories`). A *distractor*
is a sentence whose number plays no part. The *skeleton* of a problem is the names
of its schemas and the numbers they drew, in order: all that matters, without
names, things, wording and distractor. The split is a function of the skeleton, so
the same story with the same numbers never stands in two splits.

Covered: 2 to 8 steps of whole-number arithmetic about things, money, time,
reading, trips, groups, meals, ages, areas and fences. Not covered: numbers below
2, decimals, negative numbers, unknowns to solve for, arguments by cases.
"""

import hashlib
from functools import cache
from random import Random

from . import stories  # noqa: F401  (registers the schemas)
from .story import END, SCHEMAS, START, Schema, Story, Unsuitable
from .words import DISTRACTORS, SPARES, THEN, plural

Skeleton = tuple[tuple[str, ...], tuple[int, ...]]

SPLITS = ("train", "validation", "test")
# How often a problem has so many steps. The model learns on all lengths; what it is
# asked later is mostly long, because it is too good at the short ones.
TRAIN_WEIGHTS = {2: 10, 3: 20, 4: 24, 5: 20, 6: 14, 7: 7, 8: 5}
ASKED_WEIGHTS = {2: 3, 3: 3, 4: 5, 5: 9, 6: 20, 7: 30, 8: 30}
STEP_WEIGHTS = {
    "train": TRAIN_WEIGHTS,
    "validation": ASKED_WEIGHTS,
    "test": ASKED_WEIGHTS,
}
QUESTION_WORDS = range(25, 91)


def generate(
    split: str, n: int, seed: int = 0, steps: tuple[int, int] | None = None
) -> list[dict[str, str]]:
    """Return n problems of a split; each is {"question": ..., "answer": ...}.

    `steps=(low, high)` bounds the number of calculations, 2 to 8. Equal arguments
    give equal problems on every machine, and the first m of n problems are those
    of a call with n=m.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
    low, high = steps or (2, 8)
    lengths = {k: w for k, w in STEP_WEIGHTS[split].items() if low <= k <= high}
    if not lengths:
        raise ValueError(f"no problem has {low} to {high} steps; use 2 to 8")
    return [_problem(split, lengths, Random(f"{split}-{seed}-{i}")) for i in range(n)]


def split_of(skeleton: Skeleton) -> str:
    """The split of a skeleton, by a hash: 5% test, 5% validation, 90% train."""
    digest = hashlib.sha256(repr(skeleton).encode("utf-8")).digest()
    share = int.from_bytes(digest[:4], "big") % 20
    return {0: "test", 1: "validation"}.get(share, "train")


def compose(schemas: list[Schema], random: Random) -> Story:
    """Tell the schemas one after the other; raises Unsuitable where one cannot."""
    story = Story(random)
    connectives = random.sample(THEN, len(THEN))
    for schema in schemas:
        story.fields["then"] = connectives.pop()
        schema.tell(story)
    return story


def _problem(split: str, lengths: dict[int, int], random: Random) -> dict[str, str]:
    """Draw stories of one length until one is suitable and in the split.

    `lengths` are the allowed numbers of steps with their weights.
    """
    (length,) = random.choices([*lengths], [*lengths.values()])
    while True:
        schemas = plan(length, random)
        if sum(schema.steps for schema in schemas) not in lengths:
            continue
        try:
            story = compose(schemas, random)
        except Unsuitable:
            continue
        skeleton = tuple(schema.name for schema in schemas), tuple(story.numbers)
        if split_of(skeleton) != split:
            continue
        if random.random() < 0.25:
            distract(story, schemas[0].after)
        question = " ".join(story.sentences)
        if question.count(" ") + 1 in QUESTION_WORDS:
            answer = "\n".join([*story.steps, f"#### {story.answer}"])
            return {"question": question, "answer": answer}


def distract(story: Story, kind: str) -> None:
    """Insert a sentence with a number to ignore, before the closing question."""
    options = [text for text, unfit in DISTRACTORS if kind not in unfit]
    place = story.random.randint(1, len(story.sentences) - 1)
    story.draw(number=(3, 60))
    story.fields["spares"] = plural(story.random.choice(SPARES))
    story.say(*options)
    story.sentences.insert(place, story.sentences.pop())


def plan(steps: int, random: Random) -> list[Schema]:
    """Choose schemas that fit together and have this many steps in all.

    Where every continuation would repeat a schema, a chain of the steps that
    remain is begun instead; it is shorter, so callers check the length.
    """
    chain: list[Schema] = []
    kind = START
    while kind != END:
        options = [s for s in successors(kind, steps) if s not in chain]
        if not options:
            return plan(steps, random)
        chain.append(random.choice(options))
        kind, steps = chain[-1].after, steps - chain[-1].steps
    return chain


@cache
def successors(kind: str, steps: int) -> list[Schema]:
    """The schemas that can follow and still end after exactly this many steps."""
    return [
        schema
        for schema in SCHEMAS.values()
        if schema.before == kind
        and schema.steps <= steps
        and (
            schema.steps == steps
            if schema.after == END
            else successors(schema.after, steps - schema.steps)
        )
    ]
