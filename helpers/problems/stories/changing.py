"""How the number of things one has changes."""

from ..story import Story, middle


@middle("things", "things", steps=2)
def gives_friends(s: Story) -> None:
    s.draw(n=(2, 9), k=(3, 15))
    s.say(
        "{then} {she} gives {k} {things} to each of {n} friends.",
        "{then} {n} friends get {k} {things} each from {name}.",
        "{then} {name} gives {n} friends {k} {things} each.",
    )
    s.calculate(
        "{n}*{k}",
        "The friends get {result} {things}.",
        "{name} gives the {n} friends {result} {things}.",
        into="given",
    )
    s.calculate(
        "{total}-{given}",
        "{name} has {result} {things} left.",
        "So {she} keeps {result} {things}.",
    )


@middle("things", "things", steps=1)
def gives_away(s: Story) -> None:
    s.draw(k=(5, s.total - 4))
    s.say(
        "{then} {she} gives {k} {things} to a neighbor.",
        "{then} {name} gives {k} of the {things} to a school.",
        "{then} a neighbor gets {k} {things} from {name}.",
    )
    s.calculate(
        "{total}-{k}",
        "{name} has {result} {things} left.",
        "Then {she} has {result} {things}.",
    )


@middle("things", "things", steps=1)
def gets_more(s: Story) -> None:
    s.draw(k=(8, 250))
    s.say(
        "{then} {she} gets {k} more {things}.",
        "{then} a neighbor gives {name} {k} more {things}.",
        "{then} {name} buys {k} more {things}.",
    )
    s.calculate(
        "{total}+{k}",
        "Now {name} has {result} {things}.",
        "With these {she} has {result} {things}.",
    )


@middle("things", "things", steps=2)
def receives_boxes(s: Story) -> None:
    s.draw(n=(2, 9), k=(6, 24))
    s.say(
        "{then} {she} gets {n} more {boxes} with {k} {things} each.",
        "{then} {name} buys {n} full {boxes}. Each of them holds {k} {things}.",
        "{then} a neighbor brings {name} {n} {boxes} of {k} {things} each.",
    )
    s.calculate(
        "{n}*{k}",
        "The new {boxes} hold {result} {things}.",
        "{name} gets {result} more {things}.",
        into="new",
    )
    s.calculate(
        "{total}+{new}",
        "Now {name} has {result} {things}.",
        "With these {she} has {result} {things}.",
    )


@middle("things", "things", steps=2)
def gives_fraction(s: Story) -> None:
    s.draw_fraction()
    s.say(
        "{then} {she} gives {part} of all {her} {things} to {friend}.",
        "{then} {name} takes {part} of all {her} {things} to school and leaves them "
        "there.",
        "{then} {part} of all {her} {things} go to a neighbor.",
    )
    s.calculate(
        "{total}/{k}",
        "{name} gives away {result} {things}.",
        "That takes {result} {things} away.",
        into="given",
    )
    s.calculate(
        "{total}-{given}",
        "{name} keeps {result} {things}.",
        "So {she} has {result} {things} left.",
    )


@middle("things", "things", steps=2)
def loses_percent(s: Story) -> None:
    s.draw_percent()
    s.say(
        "{then} {she} sees that {p} percent of the {things} are {bad} and throws "
        "those away.",
        "{then} {name} throws away the {bad} {things}, which are {p} percent of all.",
        "{then} {p} percent of {her} {things} are {bad}, and {she} throws them out.",
    )
    s.calculate(
        "{total}*{p}/100",
        "{name} throws away {result} {things}.",
        "That is {result} {things} to throw away.",
        into="lost",
    )
    s.calculate(
        "{total}-{lost}",
        "{name} has {result} {things} left.",
        "So {result} good {things} are left.",
    )


@middle("things", "things", steps=2)
def uses_daily(s: Story) -> None:
    s.draw(k=(2, 15), d=(3, 9))
    s.say(
        "{then} {she} {uses} {k} {things} a day for {d} days.",
        "{then} {name} {uses} {k} of the {things} on each of {d} days.",
        "{then} {name} {uses} {k} {things} every day for {d} days.",
    )
    s.calculate(
        "{d}*{k}",
        "In {d} days {name} {uses} {result} {things}.",
        "On these days {she} {uses} {result} {things}.",
        into="used",
    )
    s.calculate(
        "{total}-{used}",
        "{name} has {result} {things} left.",
        "After that {she} has {result} {things}.",
    )


@middle("things", "things", steps=2)
def packs_with_rest(s: Story) -> None:
    s.draw(k=(4, 24))
    most = (s.total - 2) // s.fields["k"]
    s.draw(n=(max(2, most // 2), most))
    s.say(
        "{then} {she} packs {k} {things} in each of {n} bags for a shop and keeps "
        "the rest.",
        "{then} {name} fills {n} bags with {k} {things} each and gives the bags to a "
        "school.",
        "{then} {n} bags with {k} of {her} {things} each go to a shop.",
    )
    s.calculate(
        "{n}*{k}",
        "The {n} bags hold {result} {things}.",
        "In the bags there are {result} {things}.",
        into="packed",
    )
    s.calculate(
        "{total}-{packed}",
        "{name} has {result} {things} left.",
        "So {she} keeps {result} {things}.",
    )


@middle("things", "things", steps=2)
def shares_with_friends(s: Story) -> None:
    s.draw(n=[k - 1 for k in s.divisors(3, 9)])
    s.say(
        "{then} {she} shares the {things} equally among {n} friends and {herself}.",
        "{then} {name} and {n} friends share all {her} {things} equally.",
        "{then} {she} divides all {her} {things} into equal parts, one for each of {n} "
        "friends and one for {herself}.",
    )
    s.calculate(
        "{n}+1",
        "The {things} are shared by {result} people.",
        "There are {result} people who share the {things}.",
        into="people",
    )
    s.calculate(
        "{total}/{people}",
        "Each of them gets {result} {things}.",
        "The part of {name} is {result} {things}.",
    )


@middle("things", "things", steps=3)
def trades_some(s: Story) -> None:
    s.draw(k=(4, min(40, s.total - 4)), m=(2, 7))
    s.say(
        "{then} {she} trades {k} of the {things} at a market and gets {m} other "
        "{things} for each one {she} gives.",
        "{then} {name} gives {k} of the {things} to {friend}, who gives {m} other "
        "{things} back for each of them.",
        "{then} {name} trades {k} old {things} and gets {m} new {things} for every "
        "old one.",
    )
    s.calculate(
        "{total}-{k}",
        "{name} keeps {result} {things}.",
        "Without the traded ones {she} has {result} {things}.",
        into="kept",
    )
    s.calculate(
        "{k}*{m}",
        "For the {k} traded ones {she} gets {result} {things}.",
        "The trade brings {result} {things}.",
        into="new",
    )
    s.calculate(
        "{kept}+{new}",
        "After the trade {name} has {result} {things}.",
        "Now {name} has {result} {things}.",
    )


@middle("things", "things", steps=1)
def grows_times(s: Story) -> None:
    s.draw_times(5)
    s.say(
        "{then} {her} number of {things} grows to {times} what it was.",
        "{then} {name} gets so many {things} that {she} has {times} as many as just "
        "before.",
        "{then} a neighbor gives {name} {things} until {she} has {times} as many as "
        "just before.",
    )
    s.calculate(
        "{total}*{k}",
        "In the end {name} has {result} {things}.",
        "Then {she} has {result} {things}.",
    )
