"""The words of the stories: people, things, times, fractions.

A *topic* groups things that are handled alike: fruit is picked and eaten, stamps
are collected and lost. The vocabulary is kept small on purpose (fewer than 900
words), because the model that learns from it has only 1,024 tokens.
"""

from typing import NamedTuple

listed = str.split

GIRLS = listed(
    "Maya Nora Lena Zoe Anna Ruth Ines Clara Amira Hana Elif Sofia Tara Yuki Mila "
    "Olga Priya Rosa Dina Eva"
)
BOYS = listed(
    "Leo Omar Felix Ivan Noah Samir Hugo Kenji Tom Luca Emil Ravi Jonas Mateo Adam "
    "Victor Paul Niko Oscar Ben"
)


class Topic(NamedTuple):
    """Verbs, a word for spoiled things, containers, and the things (singular)."""

    make: str
    makes: str
    use: str
    uses: str
    bad: str
    boxes: list[str]
    things: list[str]


TOPICS = (
    Topic(
        "pick", "picks", "eat", "eats", "rotten",
        listed("basket sack crate bucket"),
        listed(
            "apple pear plum lemon orange tomato carrot cherry peach potato onion "
            "pepper melon fig strawberry mushroom"
        ),
    ),
    Topic(
        "bake", "bakes", "eat", "eats", "burnt",
        listed("tray box tin plate"),
        listed("cookie muffin roll cake pie waffle bun biscuit tart pretzel brownie"),
    ),
    Topic(
        "make", "makes", "give away", "gives away", "broken",
        listed("box case chest"),
        listed(
            "candle card bracelet kite lantern mask puppet necklace whistle doll "
            "flag clock bowl toy"
        ),
    ),
    Topic(
        "collect", "collects", "lose", "loses", "damaged",
        listed("box chest drawer"),
        listed(
            "stamp coin marble shell button sticker postcard badge magnet bead "
            "feather stone pencil crayon comic photo poster"
        ),
    ),
)  # fmt: skip

INGREDIENTS = listed("egg banana potato carrot onion tomato lemon apple")
PARTY = listed("balloon cupcake sandwich cookie apple sticker whistle pencil")
GOALS = listed("bike tent guitar camera robot telescope skateboard tablet drum")
BARGAINS = listed("coat jacket watch mirror")
SPARES = listed("hat sock key spoon cup towel fork pillow")  # in distractors only
ELDERS = listed("uncle aunt teacher neighbor coach boss")
THEN = (
    "then", "later", "after that,", "the next day,", "a week later,",
    "soon after,", "some days later,", "next,",
)  # fmt: skip

# A sentence whose number must be ignored, and the kinds of story it would confuse.
DISTRACTORS = (
    ("{name} is {number} years old.", ("age", "fence", "area")),
    ("{name} lives in a house with {number} windows.", ()),
    ("The home of {name} is {number} kilometers from the sea.", ("km",)),
    ("{name} also owns {number} {spares}.", ()),
    ("{friend} has {number} {spares}.", ()),
    ("In the street of {name} there are {number} trees.", ("area",)),
    ("Last year {name} was ill for {number} days.", ()),
    ("{name} has a picture with {number} birds on it.", ()),
    ("The school of {name} is {number} years old.", ("age",)),
    ("In the kitchen of {name} there are {number} {spares}.", ()),
)

FRACTIONS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth"}
TIMES = {2: "twice", 3: "3 times", 4: "4 times", 5: "5 times", 6: "6 times"}
PERCENTS = (10, 20, 25, 30, 40, 50, 60, 75)


def plural(noun: str) -> str:
    """The plural of a noun of this vocabulary."""
    if noun.endswith(("s", "x", "ch", "sh", "to")) and noun != "photo":
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeo":
        return noun[:-1] + "ies"
    return noun + "s"
