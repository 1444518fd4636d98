"""Kilometers traveled."""

from ..story import Story, ending, middle, opening


@opening("km", steps=1)
def speed_time(s: Story) -> None:
    s.draw(v=(12, 95), h=(2, 9))
    s.say(
        "On a trip {name} travels {h} hours at a speed of {v} kilometers an hour.",
        "{name} is on a trip and drives {v} kilometers an hour for {h} hours.",
        "For {h} hours {name} rides on a train that goes {v} kilometers an hour.",
    )
    s.calculate(
        "{h}*{v}",
        "In {h} hours {name} travels {result} kilometers.",
        "That is a way of {result} kilometers.",
    )


@opening("km", steps=2)
def both_ways(s: Story) -> None:
    s.draw(k=(3, 28), d=(3, 15))
    s.say(
        "{name} lives {k} kilometers from {her} school and rides there and back on "
        "{d} days.",
        "The way to school is {k} kilometers long. {name} rides to school and back "
        "home on each of {d} days.",
        "On {d} days {name} rides from home to school and back. One way is {k} "
        "kilometers.",
    )
    s.calculate(
        "{k}*2",
        "There and back is {result} kilometers.",
        "In one day {name} rides {result} kilometers.",
        into="day",
    )
    s.calculate(
        "{d}*{day}",
        "In {d} days {name} rides {result} kilometers.",
        "On all these days {she} rides {result} kilometers.",
    )


@opening("km", steps=3)
def two_speeds(s: Story) -> None:
    s.draw(h=(2, 7), v=(15, 60), g=(2, 6), w=(61, 95))
    s.say(
        "{name} rides a bus for {h} hours at {v} kilometers an hour and then a train "
        "for {g} hours at {w} kilometers an hour.",
        "First {name} takes a bus that goes {v} kilometers an hour for {h} hours. Then "
        "{she} takes a train that goes {w} kilometers an hour for {g} hours.",
        "On a trip {name} spends {h} hours on a bus and {g} hours on a train. The bus "
        "goes {v} kilometers an hour, the train {w} kilometers an hour.",
    )
    s.calculate(
        "{h}*{v}",
        "The bus goes {result} kilometers.",
        "By bus {name} travels {result} kilometers.",
        into="bus",
    )
    s.calculate(
        "{g}*{w}",
        "The train goes {result} kilometers.",
        "By train {name} travels {result} kilometers.",
        into="train",
    )
    s.calculate(
        "{bus}+{train}",
        "In all {name} travels {result} kilometers.",
        "Together that is {result} kilometers.",
    )


@middle("km", "km", steps=1)
def goes_on(s: Story) -> None:
    s.draw(k=(8, 150))
    s.say(
        "{then} {she} travels another {k} kilometers.",
        "{then} {name} rides {k} more kilometers.",
        "{then} {name} goes on for {k} more kilometers.",
    )
    s.calculate(
        "{total}+{k}",
        "So far that is {result} kilometers.",
        "Up to now {name} has gone {result} kilometers.",
    )


@middle("km", "km", steps=2)
def daily_walks(s: Story) -> None:
    s.draw(d=(2, 9), k=(4, 25))
    s.say(
        "{then} {she} walks {k} kilometers a day for {d} days.",
        "{then} {name} goes on by foot for {d} days, {k} kilometers a day.",
        "{then} {name} rides a bike for {d} days and goes {k} kilometers each day.",
    )
    s.calculate(
        "{d}*{k}",
        "In {d} days that is {result} kilometers.",
        "On these days {name} goes {result} kilometers.",
        into="more",
    )
    s.calculate(
        "{total}+{more}",
        "So far that is {result} kilometers.",
        "Up to now {name} has gone {result} kilometers.",
    )


@middle("km", "money", steps=1)
def collects_per_km(s: Story) -> None:
    s.draw(p=(2, 6))
    s.say(
        "For each kilometer so far a bank gives {name} {p} dollars.",
        "{name} collects money for every kilometer so far, {p} dollars for each.",
        "A shop pays {name} {p} dollars for every kilometer so far.",
    )
    s.calculate(
        "{total}*{p}",
        "{name} gets {result} dollars.",
        "All the kilometers bring {result} dollars.",
    )


@ending("km", steps=1)
def way_left(s: Story) -> None:
    s.draw(g=(s.total + 8, s.total + 250))
    s.say(
        "{She} wants to go {g} kilometers in all. How many kilometers are left?",
        "How many kilometers are left if {name} wants to go {g} kilometers in all?",
        "How many more kilometers must {name} go to reach {g} kilometers in all?",
    )
    s.calculate(
        "{g}-{total}",
        "So {result} kilometers are left.",
        "{name} still has to go {result} kilometers.",
    )


@ending("km", steps=2)
def hours_left(s: Story) -> None:
    s.draw(h=(2, 9), v=(12, 80))
    s.draw(g=[s.total + s.fields["h"] * s.fields["v"]])
    s.say(
        "The whole way is {g} kilometers. How many hours does the rest take at {v} "
        "kilometers an hour?",
        "{She} wants to go {g} kilometers in all. How many hours does {she} need for "
        "the rest at {v} kilometers an hour?",
        "How many more hours does {name} need to reach {g} kilometers in all, if {she} "
        "goes {v} kilometers an hour from now on?",
    )
    s.calculate(
        "{g}-{total}",
        "The rest is {result} kilometers.",
        "So {result} kilometers are left.",
        into="rest",
    )
    s.calculate(
        "{rest}/{v}",
        "The rest takes {result} hours.",
        "{name} needs {result} more hours.",
    )


@ending("km", steps=1)
def km_per_day(s: Story) -> None:
    s.draw(d=s.divisors(3, 12))
    s.say(
        "If all this were spread equally over {d} days, how many kilometers would that "
        "be a day?",
        "{friend} goes just as far in {d} days, the same way every day. How many "
        "kilometers a day does {he} go?",
        "How many kilometers a day must {friend} go to get as far as {name} in {d} "
        "days?",
    )
    s.calculate(
        "{total}/{d}",
        "That is {result} kilometers a day.",
        "An equal part is {result} kilometers.",
    )
