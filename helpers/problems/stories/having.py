"""How one comes to have things."""

from ..story import Story, opening


@opening("things", steps=1)
def equal_groups(s: Story) -> None:
    s.draw(n=(3, 15), m=(6, 28))
    s.say(
        "{name} has {n} {boxes} with {m} {things} in each {box}.",
        "{name} owns {n} {boxes}. There are {m} {things} in every {box}.",
        "There are {m} {things} in each of the {n} {boxes} that {name} has.",
    )
    s.calculate(
        "{n}*{m}",
        "{name} has {result} {things}.",
        "The {boxes} hold {result} {things}.",
    )


@opening("things", steps=1)
def three_days(s: Story) -> None:
    s.draw(a=(12, 95), b=(12, 95), c=(12, 95))
    s.say(
        "{name} {makes} {a} {things} on Monday, {b} on Tuesday and {c} on Friday.",
        "On Monday {name} {makes} {a} {things}, on Tuesday {b} and on Friday {c}.",
        "{name} {makes} {things} on 3 days: {a} on Monday, {b} on Tuesday and {c} "
        "on Friday.",
    )
    s.calculate(
        "{a}+{b}+{c}",
        "In all {name} {makes} {result} {things}.",
        "On the 3 days {she} {makes} {result} {things}.",
    )


@opening("things", steps=2)
def more_on_sunday(s: Story) -> None:
    s.draw(a=(12, 80))
    s.draw_times(5)
    s.say(
        "{name} {makes} {a} {things} on Saturday and {times} as many on Sunday.",
        "On Saturday {name} {makes} {a} {things}. On Sunday {she} {makes} {times} "
        "as many as on Saturday.",
        "{name} {makes} {things} on the weekend: {a} on Saturday and {times} as "
        "many on Sunday.",
    )
    s.calculate(
        "{a}*{k}",
        "On Sunday {name} {makes} {result} {things}.",
        "{name} {makes} {result} {things} on Sunday.",
        into="b",
    )
    s.calculate(
        "{a}+{b}",
        "On both days together {she} {makes} {result} {things}.",
        "That is {result} {things} on the weekend.",
    )


@opening("things", steps=2)
def fewer_in_the_afternoon(s: Story) -> None:
    s.draw(a=(30, 150))
    s.draw(d=(7, s.fields["a"] - 10))
    s.say(
        "{name} {makes} {a} {things} in the morning and {d} fewer in the afternoon.",
        "In the morning {name} {makes} {a} {things}. In the afternoon {she} {makes} "
        "{d} fewer than in the morning.",
        "One morning {name} {makes} {a} {things}, and that afternoon {she} {makes} "
        "{d} fewer.",
    )
    s.calculate(
        "{a}-{d}",
        "In the afternoon {name} {makes} {result} {things}.",
        "{name} {makes} {result} {things} in the afternoon.",
        into="b",
    )
    s.calculate(
        "{a}+{b}",
        "In all {she} {makes} {result} {things}.",
        "That day {she} {makes} {result} {things}.",
    )


@opening("things", steps=1)
def hourly_rate(s: Story) -> None:
    s.draw(a=(8, 45), h=(3, 9))
    s.say(
        "{name} {makes} {a} {things} an hour and works for {h} hours.",
        "In one hour {name} can {make} {a} {things}. {She} {makes} {things} for {h} "
        "hours.",
        "For {h} hours {name} {makes} {things}, {a} of them every hour.",
    )
    s.calculate(
        "{h}*{a}",
        "In {h} hours {name} {makes} {result} {things}.",
        "{name} {makes} {result} {things}.",
    )


@opening("things", steps=3)
def two_sizes(s: Story) -> None:
    s.draw(n=(3, 12), a=(11, 30), m=(3, 12), b=(4, 10))
    s.say(
        "{name} has {n} big {boxes} with {a} {things} each and {m} small {boxes} "
        "with {b} {things} each.",
        "{name} fills {n} large {boxes} with {a} {things} each. {She} also fills {m} "
        "small {boxes} with {b} {things} each.",
        "{name} has {n} big {boxes} and {m} small {boxes} on a table. A big "
        "{box} holds {a} {things}, a small {box} holds {b} {things}.",
    )
    s.calculate(
        "{n}*{a}",
        "The {n} bigger {boxes} hold {result} {things}.",
        "In the {n} bigger {boxes} there are {result} {things}.",
        into="large",
    )
    s.calculate(
        "{m}*{b}",
        "The {m} small {boxes} hold {result} {things}.",
        "In the {m} small {boxes} there are {result} {things}.",
        into="small",
    )
    s.calculate(
        "{large}+{small}",
        "Together that is {result} {things}.",
        "{name} has {result} {things} in all.",
    )


@opening("things", steps=2)
def boxes_and_loose(s: Story) -> None:
    s.draw(n=(4, 14), m=(8, 25), k=(3, 60))
    s.say(
        "{name} has {n} {boxes} of {m} {things} each and {k} loose {things}.",
        "{name} keeps {n} {boxes} with {m} {things} in each, and {k} more {things} "
        "lie on the table.",
        "{name} buys {n} {boxes} of {things}, {m} in each {box}. At home {she} has "
        "{k} other {things}.",
    )
    s.calculate(
        "{n}*{m}",
        "The {boxes} hold {result} {things}.",
        "In the {boxes} there are {result} {things}.",
        into="packed",
    )
    s.calculate(
        "{packed}+{k}",
        "In all {name} has {result} {things}.",
        "With the others {she} has {result} {things}.",
    )


@opening("things", steps=2)
def some_spoiled(s: Story) -> None:
    s.draw(total=list(range(40, 601, 20)))
    s.draw_percent()
    s.fields["start"] = s.total
    s.say(
        "{name} {makes} {start} {things}, but {p} percent of them are {bad} and "
        "are thrown away.",
        "Of the {start} {things} that {name} {makes}, {p} percent are {bad}. {She} "
        "throws the {bad} {things} away.",
        "{name} has {start} {things} and throws {p} percent of them away because "
        "they are {bad}.",
    )
    s.calculate(
        "{start}*{p}/100",
        "{name} throws away {result} {things}.",
        "The {bad} ones are {result} {things}.",
        into="lost",
    )
    s.calculate(
        "{start}-{lost}",
        "{name} still has {result} {things}.",
        "After that {she} has {result} {things}.",
    )


@opening("things", steps=2)
def weekly_schedule(s: Story) -> None:
    s.draw(d=(2, 6), a=(4, 18), w=(3, 12))
    s.say(
        "{name} {makes} {a} {things} a day on {d} days of every week, and does so for "
        "{w} weeks.",
        "On {d} days each week {name} {makes} {a} {things} a day. {She} goes on for "
        "{w} weeks.",
        "For {w} weeks {name} {makes} {things} on {d} days a week, {a} on each of "
        "these days.",
    )
    s.calculate(
        "{d}*{a}",
        "In one week {name} {makes} {result} {things}.",
        "{name} {makes} {result} {things} a week.",
        into="week",
    )
    s.calculate(
        "{w}*{week}",
        "In {w} weeks {she} {makes} {result} {things}.",
        "That makes {result} {things} in {w} weeks.",
    )


@opening("things", steps=1)
def trade_for(s: Story) -> None:
    s.draw(a=(6, 30), k=(3, 12))
    s.say(
        "At a market {name} trades {a} {others} for {things} and gets {k} {things} "
        "for each of them.",
        "{name} trades {a} {others}. For every one of them {she} gets {k} {things}.",
        "For each of the {others} at a market one gets {k} {things}. {name} trades "
        "{a} {others}.",
    )
    s.calculate(
        "{a}*{k}",
        "{name} gets {result} {things}.",
        "For the {others} {name} gets {result} {things}.",
    )
