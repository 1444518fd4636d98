"""How one comes to have money."""

from ..story import Story, opening
from ..words import BARGAINS


@opening("money", steps=1)
def hourly_wage(s: Story) -> None:
    s.draw(w=(8, 28), h=(4, 38))
    s.say(
        "{name} earns {w} dollars an hour and works {h} hours.",
        "For every hour of work {name} gets {w} dollars. {She} works {h} hours.",
        "{name} works {h} hours in a shop, where an hour pays {w} dollars.",
    )
    s.calculate(
        "{h}*{w}",
        "{name} earns {result} dollars.",
        "The work pays {result} dollars.",
    )


@opening("money", steps=3)
def overtime(s: Story) -> None:
    s.draw(h=(10, 35), w=(9, 20), x=(3, 10))
    s.draw(v=(s.fields["w"] + 2, s.fields["w"] + 9))
    s.say(
        "{name} works {h} normal hours for {w} dollars an hour and {x} extra hours "
        "for {v} dollars an hour.",
        "A normal hour of work pays {name} {w} dollars, an extra hour {v} dollars. "
        "{She} works {h} normal and {x} extra hours.",
        "In one week {name} works {h} normal hours at {w} dollars an hour. {She} "
        "also works {x} extra hours at {v} dollars an hour.",
    )
    s.calculate(
        "{h}*{w}",
        "The normal hours pay {result} dollars.",
        "For the normal hours {name} gets {result} dollars.",
        into="normal",
    )
    s.calculate(
        "{x}*{v}",
        "The extra hours pay {result} dollars.",
        "For the extra hours {she} gets {result} dollars.",
        into="extra",
    )
    s.calculate(
        "{normal}+{extra}",
        "In all {name} earns {result} dollars.",
        "Together that is {result} dollars.",
    )


@opening("money", steps=2)
def weekly_savings(s: Story) -> None:
    s.draw(a=(15, 120), d=(4, 25), w=(4, 15))
    s.say(
        "{name} has {a} dollars and saves {d} dollars a week for {w} weeks.",
        "At first {name} has {a} dollars. Then {she} saves {d} dollars in each of "
        "{w} weeks.",
        "For {w} weeks {name} puts {d} dollars a week in a box that already holds "
        "{a} dollars of {her} money.",
    )
    s.calculate(
        "{w}*{d}",
        "In {w} weeks {name} saves {result} dollars.",
        "{name} saves {result} dollars.",
        into="saved",
    )
    s.calculate(
        "{a}+{saved}",
        "Then {she} has {result} dollars.",
        "With the first money {name} has {result} dollars.",
    )


@opening("money", steps=3)
def two_jobs(s: Story) -> None:
    s.draw(n=(3, 14), p=(6, 18), m=(3, 12), q=(5, 25))
    s.say(
        "{name} washes {n} cars for {p} dollars each and cleans {m} gardens for {q} "
        "dollars each.",
        "For every car that {name} washes {she} gets {p} dollars, and for every "
        "garden {she} cleans {q} dollars. {She} does {n} cars and {m} gardens.",
        "{name} gets {p} dollars for washing a car and {q} dollars for cleaning a "
        "garden. {She} washes {n} cars and cleans {m} gardens.",
    )
    s.calculate(
        "{n}*{p}",
        "The cars bring {result} dollars.",
        "For the cars {name} gets {result} dollars.",
        into="cars",
    )
    s.calculate(
        "{m}*{q}",
        "The gardens bring {result} dollars.",
        "For the gardens {she} gets {result} dollars.",
        into="gardens",
    )
    s.calculate(
        "{cars}+{gardens}",
        "In all {name} earns {result} dollars.",
        "Together that is {result} dollars.",
    )


@opening("money", steps=3)
def discount(s: Story) -> None:
    s.draw(total=list(range(40, 241, 20)))
    s.draw_percent()
    s.draw(b=(s.total, s.total + 200))
    s.fields.update(price=s.total, goal=s.random.choice(BARGAINS))
    s.say(
        "{name} has {b} dollars. {She} buys a {goal} that costs {price} dollars, but "
        "today its price is lowered by {p} percent.",
        "A {goal} costs {price} dollars, less a discount of {p} percent. {name} has "
        "{b} dollars and buys the {goal}.",
        "With {b} dollars {name} goes to a shop and buys a {goal}. The old price was "
        "{price} dollars, and {she} gets a discount of {p} percent.",
    )
    s.calculate(
        "{price}*{p}/100",
        "The discount is {result} dollars.",
        "The price falls by {result} dollars.",
        into="cut",
    )
    s.calculate(
        "{price}-{cut}",
        "{name} pays {result} dollars for the {goal}.",
        "The {goal} now costs {result} dollars.",
        into="paid",
    )
    s.calculate(
        "{b}-{paid}",
        "{name} has {result} dollars left.",
        "So {she} keeps {result} dollars.",
    )


@opening("money", steps=3)
def bank_notes(s: Story) -> None:
    s.draw(n=(2, 12), a=[10, 20, 50], m=(3, 15), b=[2, 5])
    s.say(
        "{name} has {n} bills of {a} dollars and {m} bills of {b} dollars.",
        "In {her} box {name} finds {n} bills of {a} dollars each and {m} bills of {b} "
        "dollars each.",
        "{name} counts {her} money: {n} bills of {a} dollars and {m} bills of {b} "
        "dollars.",
    )
    s.calculate(
        "{n}*{a}",
        "The larger bills are worth {result} dollars.",
        "The bills of {a} dollars make {result} dollars.",
        into="large",
    )
    s.calculate(
        "{m}*{b}",
        "The smaller bills are worth {result} dollars.",
        "The bills of {b} dollars make {result} dollars.",
        into="small",
    )
    s.calculate(
        "{large}+{small}",
        "{name} has {result} dollars.",
        "Together that is {result} dollars.",
    )
