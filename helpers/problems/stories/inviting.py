"""Things needed for a meal or a party."""

from ..story import Story, ending, middle, opening
from ..words import INGREDIENTS, PARTY


@opening("needed", steps=2)
def recipe(s: Story) -> None:
    s.draw(c=(2, 6), q=(2, 9), f=(2, 12))
    s.set_thing(s.random.choice(INGREDIENTS))
    s.draw(g=[s.fields["c"] * s.fields["f"]])
    s.say(
        "A meal for {c} people needs {q} {things}. {name} cooks this meal for {g} "
        "people.",
        "{name} cooks for {g} people. For every {c} people {she} needs {q} {things}.",
        "To cook for {c} people one needs {q} {things}, and {name} wants to cook for "
        "{g} people.",
    )
    s.calculate(
        "{g}/{c}",
        "The meal must be made {result} times.",
        "{name} cooks for {result} times as many people.",
        into="f",
    )
    s.calculate(
        "{f}*{q}",
        "This needs {result} {things}.",
        "{name} needs {result} {things}.",
    )


@opening("needed", steps=2)
def party_bags(s: Story) -> None:
    s.draw(n=(8, 30), x=(2, 12), k=(3, 12))
    s.set_thing(s.random.choice(PARTY))
    s.say(
        "{name} plans a party for {n} friends and {x} neighbors. Each of them will get "
        "{k} {things}.",
        "To a party of {name} come {n} children from school and {x} neighbors. {name} "
        "needs {k} {things} for each of them.",
        "{name} invites {n} friends and {x} neighbors and needs {k} {things} for each "
        "of these guests.",
    )
    s.calculate(
        "{n}+{x}",
        "There are {result} guests.",
        "{name} invites {result} people.",
        into="guests",
    )
    s.calculate(
        "{guests}*{k}",
        "They need {result} {things}.",
        "For them {name} needs {result} {things}.",
    )


@middle("needed", "needed", steps=1)
def has_some_at_home(s: Story) -> None:
    s.draw(k=(3, s.total - 3))
    s.say(
        "{She} already has {k} {things} at home.",
        "At home {name} finds {k} of the {things}.",
        "A neighbor brings {k} of the {things}.",
    )
    s.calculate(
        "{total}-{k}",
        "So {name} must still buy {result} {things}.",
        "That leaves {result} {things} to buy.",
    )


@middle("needed", "needed", steps=1)
def some_spare(s: Story) -> None:
    s.draw(k=(4, 40))
    s.say(
        "To be safe, {she} plans {k} extra {things}.",
        "{name} also wants {k} more {things} for the next day.",
        "{friend} asks {name} for {k} {things} too, so {she} needs that many more.",
    )
    s.calculate(
        "{total}+{k}",
        "With these {name} needs {result} {things}.",
        "Now {she} needs {result} {things}.",
    )


@middle("needed", "needed", steps=2)
def helpers_bring(s: Story) -> None:
    s.draw(n=(2, 7), k=(2, 12))
    s.say(
        "To help, {n} friends bring {k} of the {things} each.",
        "{name} gets {k} of these {things} from each of {n} friends.",
        "There are {n} friends who help, and each brings {k} of the {things}.",
    )
    s.calculate(
        "{n}*{k}",
        "The {n} friends bring {result} {things}.",
        "{name} gets {result} {things} from them.",
        into="brought",
    )
    s.calculate(
        "{total}-{brought}",
        "So {name} must still buy {result} {things}.",
        "That leaves {result} {things} to buy.",
    )


@ending("needed", steps=1)
def price_of_needed(s: Story) -> None:
    s.draw(p=(2, 9))
    s.say(
        "How many dollars does {name} pay for the {things} {she} must buy if each "
        "costs {p} dollars?",
        "Each costs {p} dollars. How many dollars do the {things} {she} must buy cost?",
        "{She} buys the {things} {she} still needs for {p} dollars each. How many "
        "dollars is that?",
    )
    s.calculate(
        "{total}*{p}",
        "They cost {result} dollars.",
        "{name} pays {result} dollars.",
    )


@ending("needed", steps=1)
def packs_of_needed(s: Story) -> None:
    s.draw(k=s.divisors(2, 20))
    s.say(
        "A shop sells them in packs of {k}. How many packs must {name} buy?",
        "How many packs must {name} buy if there are {k} {things} in a pack?",
        "{She} buys the {things} {she} still needs in packs of {k}. How many packs is "
        "that?",
    )
    s.calculate(
        "{total}/{k}",
        "{name} buys {result} packs.",
        "That makes {result} packs.",
    )


@ending("needed", steps=2)
def change_back(s: Story) -> None:
    s.draw(p=(2, 6))
    cost = s.total * s.fields["p"]
    s.draw(b=[b for b in (50, 100, 200, 300, 500) if cost + 2 <= b])
    s.say(
        "{She} buys the {things} {she} still needs for {p} dollars each and pays with "
        "{b} dollars. How many dollars does {she} get back?",
        "Each costs {p} dollars. How many dollars of {her} {b} dollars does {name} "
        "have left after buying the {things} {she} still needs?",
        "How many dollars are left of {b} dollars when {name} buys the {things} that "
        "are missing for {p} dollars each?",
    )
    s.calculate(
        "{total}*{p}",
        "They cost {result} dollars.",
        "{name} pays {result} dollars for them.",
        into="cost",
    )
    s.calculate(
        "{b}-{cost}",
        "So {result} dollars are left.",
        "{name} has {result} dollars left.",
    )
