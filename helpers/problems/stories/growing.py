"""Ages, areas and fences."""

from ..story import Story, ending, middle, opening
from ..words import ELDERS, TIMES


@opening("age", steps=1)
def older_friend(s: Story) -> None:
    s.draw(a=(6, 15), d=(2, 19))
    s.fields["person"] = s.fields["friend"]
    s.say(
        "{name} is {a} years old, and {friend} is {d} years older.",
        "{friend} is {d} years older than {name}, who is {a} years old.",
        "{name} is {a} years old. {She} is {d} years younger than {friend}.",
    )
    s.calculate(
        "{a}+{d}",
        "{friend} is {result} years old.",
        "So the age of {friend} is {result} years.",
    )


@opening("age", steps=1)
def times_older_friend(s: Story) -> None:
    s.draw(a=(5, 14))
    s.draw_times(3)
    s.fields["person"] = s.fields["friend"]
    s.say(
        "{name} is {a} years old, and {friend} is {times} as old.",
        "{friend} is {times} as old as {name}, who is {a} years old.",
        "{name} is {a} years old. The age of {friend} is {times} the age of {name}.",
    )
    s.calculate(
        "{a}*{k}",
        "{friend} is {result} years old.",
        "So the age of {friend} is {result} years.",
    )


@middle("age", "age", steps=1)
def elder_times(s: Story) -> None:
    s.draw(k=[k for k in (2, 3, 4, 5) if 20 <= s.total * k <= 90])
    s.fields.update(times=TIMES[s.fields["k"]], elder=s.random.choice(ELDERS))
    s.say(
        "The {elder} of {name} is {times} as old as {person}.",
        "{name} has an old {elder}, who is {times} as old as {person}.",
        "The {elder} of {name} has {times} the age of {person}.",
    )
    s.fields["person"] = f"the {s.fields['elder']}"
    s.calculate(
        "{total}*{k}",
        "The {elder} is {result} years old.",
        "So the age of the {elder} is {result} years.",
    )


@ending("age", steps=1)
def age_later(s: Story) -> None:
    s.draw(y=(3, 25))
    s.say(
        "How old will {person} be in {y} years?",
        "What will be the age of {person} in {y} years?",
        "In {y} years, how old will {person} be?",
    )
    s.calculate(
        "{total}+{y}",
        "In {y} years {person} will be {result} years old.",
        "{person} will then be {result} years old.",
    )


@ending("age", steps=3)
def ages_together_later(s: Story) -> None:
    s.draw(y=(3, 20))
    s.say(
        "How old will {name} and {person} be together in {y} years?",
        "What will be the sum of the ages of {name} and {person} in {y} years?",
        "In {y} years, what is the sum of the ages of {person} and {name}?",
    )
    s.calculate(
        "{total}+{y}",
        "In {y} years {person} will be {result} years old.",
        "{person} will then be {result} years old.",
        into="then_person",
    )
    s.calculate(
        "{a}+{y}",
        "In {y} years {name} will be {result} years old.",
        "{name} will then be {result} years old.",
        into="then_hero",
    )
    s.calculate(
        "{then_person}+{then_hero}",
        "Together they will be {result} years old.",
        "The sum of the ages is {result} years.",
    )


@opening("area", steps=1)
def garden_area(s: Story) -> None:
    s.draw(a=(8, 32), b=(6, 25))
    s.say(
        "The garden of {name} is {a} meters long, {b} meters wide and still empty.",
        "{name} has an empty garden with a length of {a} meters and a width of {b} "
        "meters.",
        "{name} buys an empty garden that is {b} meters wide and {a} meters long.",
    )
    s.calculate(
        "{a}*{b}",
        "The garden has {result} square meters.",
        "The area is {result} square meters.",
    )


@middle("area", "area", steps=2)
def path_taken(s: Story) -> None:
    s.draw(n=(2, 5), k=(4, 25))
    s.say(
        "In it are {n} ponds, which take {k} square meters each.",
        "Trees stand on {n} parts of it, and each part has {k} square meters.",
        "On {n} parts of it, {k} square meters each, there is sand.",
    )
    s.calculate(
        "{n}*{k}",
        "These parts take {result} square meters.",
        "That uses {result} square meters.",
        into="taken",
    )
    s.calculate(
        "{total}-{taken}",
        "The rest is {result} square meters.",
        "So {result} square meters are free.",
    )


@middle("area", "money", steps=1)
def paid_by_area(s: Story) -> None:
    s.draw(p=(2, 6))
    s.say(
        "A neighbor rents all the free area and pays {name} {p} dollars for every "
        "square meter.",
        "For each square meter of free area a farmer pays {name} {p} dollars.",
        "{name} lends the free area to a school and gets {p} dollars for every square "
        "meter.",
    )
    s.calculate(
        "{total}*{p}",
        "{name} gets {result} dollars for this.",
        "The area brings {result} dollars.",
    )


@middle("area", "things", steps=1)
def found_by_area(s: Story) -> None:
    s.draw(k=(2, 6))
    s.say(
        "On every square meter of the free area {name} finds {k} {things}.",
        "From every square meter of the free area {name} takes {k} {things}.",
        "For each square meter of the free area {friend} gives {name} {k} {things}.",
    )
    s.calculate(
        "{total}*{k}",
        "{name} gets {result} {things}.",
        "That makes {result} {things}.",
    )


@ending("area", steps=1)
def seed_bags(s: Story) -> None:
    s.draw(k=s.divisors(4, 40))
    s.say(
        "A bag of seed is enough for {k} square meters. How many bags are needed for "
        "the free area?",
        "How many bags of seed does {name} need for the free area if a bag is enough "
        "for {k} square meters?",
        "{She} needs a day for {k} square meters of free area. How many days does all "
        "the free area take?",
    )
    s.calculate(
        "{total}/{k}",
        "That makes {result} in all.",
        "For the area {result} are needed.",
    )


@ending("area", steps=1)
def area_left(s: Story) -> None:
    s.draw(k=(10, s.total - 5))
    s.say(
        "{name} puts seed on {k} square meters of the free area. How many square "
        "meters of it are left?",
        "How many square meters of the free area are left if {name} uses {k} of them "
        "for flowers?",
        "Then {k} square meters of the free area are used for flowers. How many square "
        "meters of it are still free?",
    )
    s.calculate(
        "{total}-{k}",
        "That leaves {result} square meters.",
        "So {result} square meters are left.",
    )


@opening("fence", steps=2)
def around_garden(s: Story) -> None:
    s.draw(a=(12, 95), b=(8, 70))
    s.say(
        "{name} builds a fence around a garden that is {a} meters long and {b} meters "
        "wide.",
        "A garden is {a} meters long and {b} meters wide, and {name} wants a fence all "
        "around it.",
        "{name} wants to put a fence along all 4 sides of a garden with a length of "
        "{a} meters and a width of {b} meters.",
    )
    s.calculate(
        "{a}+{b}",
        "One long and one short side are {result} meters.",
        "Two of the sides make {result} meters.",
        into="sides",
    )
    s.calculate(
        "{sides}*2",
        "All around the garden it is {result} meters.",
        "The 4 sides make {result} meters.",
    )


@middle("fence", "fence", steps=1)
def gate(s: Story) -> None:
    s.draw(k=(2, 9))
    s.say(
        "A gate that is {k} meters wide needs no fence.",
        "At a gate of {k} meters there is no fence.",
        "{She} leaves {k} meters open for a gate.",
    )
    s.calculate(
        "{total}-{k}",
        "The fence is {result} meters long.",
        "So {result} meters of fence are needed.",
    )


@middle("fence", "fence", steps=1)
def second_fence(s: Story) -> None:
    s.draw(k=(12, 90))
    s.say(
        "{She} also needs {k} meters of fence for some chickens.",
        "Another {k} meters of fence are needed around a pond.",
        "{name} builds {k} more meters of fence near the house.",
    )
    s.calculate(
        "{total}+{k}",
        "With this {name} needs {result} meters of fence.",
        "That makes {result} meters of fence.",
    )


@ending("fence", steps=1)
def fence_cost(s: Story) -> None:
    s.draw(p=(3, 9))
    s.say(
        "A meter of fence costs {p} dollars. How many dollars does all the fence cost?",
        "How many dollars does {name} pay for all the fence if a meter costs {p} "
        "dollars?",
        "If one meter costs {p} dollars, what does all the fence cost in dollars?",
    )
    s.calculate(
        "{total}*{p}",
        "The fence costs {result} dollars.",
        "{name} pays {result} dollars.",
    )


@ending("fence", steps=2)
def fence_days(s: Story) -> None:
    s.draw(k=(3, s.total - 8))
    rest = s.total - s.fields["k"]
    s.draw(d=[d for d in range(3, 16) if rest % d == 0 and rest > d])
    s.say(
        "{She} has already built {k} meters and builds {d} meters a day from now on. "
        "How many more days does {she} need?",
        "How many days does {name} still need if {k} meters are done and {she} builds "
        "{d} meters a day?",
        "Of all the fence {k} meters are done. How many more days does {name} need at "
        "{d} meters a day?",
    )
    s.calculate(
        "{total}-{k}",
        "So {result} meters are left.",
        "{name} must still build {result} meters.",
        into="rest",
    )
    s.calculate(
        "{rest}/{d}",
        "This takes {result} days.",
        "{name} needs {result} more days.",
    )
