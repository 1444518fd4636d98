"""What happens to money."""

from ..story import Story, ending, middle
from ..words import GOALS


@middle("money", "money", steps=1)
def spends(s: Story) -> None:
    s.draw(k=(5, s.total - 5))
    s.say(
        "{then} {she} spends {k} dollars on food.",
        "{then} {name} pays {k} dollars for shoes.",
        "{then} a train ride costs {name} {k} dollars.",
    )
    s.calculate(
        "{total}-{k}",
        "{name} has {result} dollars left.",
        "So {she} still has {result} dollars.",
    )


@middle("money", "money", steps=2)
def buys_several(s: Story) -> None:
    s.draw(n=(2, 14), p=(3, 24))
    s.say(
        "{then} {she} buys {n} books for {p} dollars each.",
        "{then} {name} pays for {n} tickets that cost {p} dollars each.",
        "{then} {name} buys {n} shirts at a price of {p} dollars each.",
    )
    s.calculate(
        "{n}*{p}",
        "{name} pays {result} dollars for them.",
        "This costs {result} dollars.",
        into="cost",
    )
    s.calculate(
        "{total}-{cost}",
        "{name} has {result} dollars left.",
        "So {she} still has {result} dollars.",
    )


@middle("money", "money", steps=1)
def is_given_money(s: Story) -> None:
    s.draw(k=(10, 200))
    s.say(
        "{then} {she} gets another {k} dollars as a present.",
        "{then} {name} earns {k} more dollars.",
        "{then} a neighbor pays {name} {k} dollars for some help.",
    )
    s.calculate(
        "{total}+{k}",
        "Now {name} has {result} dollars.",
        "With this {she} has {result} dollars.",
    )


@middle("money", "money", steps=2)
def saves_weeks(s: Story) -> None:
    s.draw(d=(5, 30), w=(3, 12))
    s.say(
        "{then} {she} saves another {d} dollars a week for {w} weeks.",
        "{then} {name} adds {d} dollars a week to {her} money for {w} weeks.",
        "{then} {name} earns {d} more dollars in each of {w} weeks and spends nothing.",
    )
    s.calculate(
        "{w}*{d}",
        "In these weeks {name} gets {result} dollars.",
        "In {w} weeks that makes {result} dollars.",
        into="saved",
    )
    s.calculate(
        "{total}+{saved}",
        "Now {name} has {result} dollars.",
        "With this {she} has {result} dollars.",
    )


@middle("money", "money", steps=2)
def spends_fraction(s: Story) -> None:
    s.draw_fraction()
    s.say(
        "{then} {she} spends {part} of all {her} money.",
        "{then} {name} pays {part} of all {her} money for a trip.",
        "{then} {part} of all {her} money goes to a school.",
    )
    s.calculate(
        "{total}/{k}",
        "That costs {name} {result} dollars.",
        "This takes {result} dollars.",
        into="cost",
    )
    s.calculate(
        "{total}-{cost}",
        "{name} has {result} dollars left.",
        "So {she} still has {result} dollars.",
    )


@middle("money", "money", steps=2)
def spends_percent(s: Story) -> None:
    s.draw_percent()
    s.say(
        "{then} {she} gives {p} percent of {her} money to a school.",
        "{then} {name} spends {p} percent of all {her} money.",
        "{then} {p} percent of {her} money goes to a hospital.",
    )
    s.calculate(
        "{total}*{p}/100",
        "That costs {name} {result} dollars.",
        "This takes {result} dollars.",
        into="cost",
    )
    s.calculate(
        "{total}-{cost}",
        "{name} has {result} dollars left.",
        "So {she} still has {result} dollars.",
    )


@middle("money", "things", steps=1)
def buys_things(s: Story) -> None:
    s.draw(p=s.divisors(2, 15))
    s.say(
        "{then} {she} buys {things} for all {her} money, at {p} dollars each.",
        "{then} {name} spends all {her} money on {things} that cost {p} dollars each.",
        "{then} {name} goes to a shop where {things} cost {p} dollars each, and "
        "spends all {her} money on {things}.",
    )
    s.calculate(
        "{total}/{p}",
        "{name} buys {result} {things}.",
        "The money pays for {result} {things}.",
    )


@ending("money", steps=1)
def money_missing(s: Story) -> None:
    s.draw(g=(s.total + 5, s.total + 250))
    s.fields["goal"] = s.random.choice(GOALS)
    s.say(
        "A {goal} costs {g} dollars. How many more dollars does {name} need to buy it?",
        "How many dollars are missing if {name} now wants a {goal} for {g} dollars?",
        "{She} wants a {goal} for {g} dollars. How many dollars must {she} still save?",
    )
    s.calculate(
        "{g}-{total}",
        "{name} needs {result} more dollars.",
        "So {result} dollars are missing.",
    )


@ending("money", steps=2)
def weeks_to_save(s: Story) -> None:
    s.draw(w=(3, 15), d=(5, 25))
    s.draw(g=[s.total + s.fields["w"] * s.fields["d"]])
    s.fields["goal"] = s.random.choice(GOALS)
    s.say(
        "A {goal} costs {g} dollars. How many weeks must {name} save {d} dollars a "
        "week to buy it?",
        "From now on {name} saves {d} dollars a week. After how many weeks can {she} "
        "buy a {goal} for {g} dollars?",
        "{She} wants a {goal} for {g} dollars and saves {d} dollars a week from now "
        "on. How many weeks does that take?",
    )
    s.calculate(
        "{g}-{total}",
        "{name} needs {result} more dollars.",
        "So {result} dollars are missing.",
        into="missing",
    )
    s.calculate(
        "{missing}/{d}",
        "This takes {result} weeks.",
        "{name} saves for {result} weeks.",
    )


@ending("money", steps=1)
def money_left(s: Story) -> None:
    s.draw(k=(5, s.total - 2))
    s.fields["goal"] = s.random.choice(GOALS)
    s.say(
        "{She} buys a {goal} for {k} dollars. How many dollars does {she} have left?",
        "How many dollars are left if {name} now buys a {goal} for {k} dollars?",
        "A {goal} costs {k} dollars. How many dollars does {name} keep when {she} "
        "buys it?",
    )
    s.calculate(
        "{total}-{k}",
        "{name} has {result} dollars left.",
        "So {she} keeps {result} dollars.",
    )


@ending("money", steps=1)
def how_many_can_buy(s: Story) -> None:
    s.draw(p=s.divisors(2, 20))
    s.say(
        "How many books for {p} dollars each can {name} buy with all this money?",
        "A ticket costs {p} dollars. How many tickets can {name} buy with {her} money?",
        "If {she} spends {p} dollars a day, for how many days is the money enough?",
    )
    s.calculate(
        "{total}/{p}",
        "The money is enough for {result} of them.",
        "That makes {result} in all.",
    )


@ending("money", steps=2)
def splits_money(s: Story) -> None:
    s.draw(n=[k - 1 for k in s.divisors(3, 9)])
    s.say(
        "{She} shares the money equally with {n} friends. How many dollars does each "
        "person get?",
        "How many dollars does each person get if {name} and {n} friends share {her} "
        "money equally?",
        "{name} and {n} friends divide {her} money into equal parts, one for each of "
        "them. How many dollars are in one part?",
    )
    s.calculate(
        "{n}+1",
        "The money is shared by {result} people.",
        "There are {result} people who share.",
        into="people",
    )
    s.calculate(
        "{total}/{people}",
        "Each of them gets {result} dollars.",
        "One part is {result} dollars.",
    )
