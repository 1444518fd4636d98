"""Children who come together: classes, seats, tickets, buses."""

from ..story import Story, ending, middle, opening


@opening("people", steps=1)
def classes(s: Story) -> None:
    s.draw(n=(3, 14), m=(14, 29))
    s.say(
        "{name} plans a trip for {n} classes with {m} children each.",
        "The school of {name} plans a trip. There are {n} classes, and each has {m} "
        "children.",
        "{name} invites {n} classes to a play, and there are {m} children in each.",
    )
    s.calculate(
        "{n}*{m}",
        "There are {result} children.",
        "The classes have {result} children.",
    )


@opening("people", steps=2)
def seats_in_rows(s: Story) -> None:
    s.draw(r=(8, 25), m=(9, 24))
    s.draw(f=(5, s.fields["r"] * s.fields["m"] // 2))
    s.say(
        "{name} goes to a play of a school with {r} rows of {m} seats. Children sit on "
        "all seats but {f}.",
        "In a hall where {name} sings there are {r} rows with {m} seats each. All "
        "seats but {f} are taken by children.",
        "{name} sings for children in a hall with {r} rows of {m} seats. Only {f} "
        "seats are free, and a child sits on each of the others.",
    )
    s.calculate(
        "{r}*{m}",
        "The rows have {result} seats.",
        "There are {result} seats.",
        into="seats",
    )
    s.calculate(
        "{seats}-{f}",
        "So {result} children are there.",
        "That makes {result} children.",
    )


@middle("people", "people", steps=1)
def some_ill(s: Story) -> None:
    s.draw(k=(3, s.total // 2))
    s.say(
        "Of the children there, {k} are ill and go home.",
        "Then {k} of the children must go home.",
        "But {k} of the children do not stay.",
    )
    s.calculate(
        "{total}-{k}",
        "So {result} children stay.",
        "That leaves {result} children.",
    )


@middle("people", "people", steps=2)
def more_groups(s: Story) -> None:
    s.draw(n=(2, 8), k=(4, 18))
    s.say(
        "Then {n} more groups of {k} children each come along.",
        "Another school sends {n} groups with {k} children each.",
        "Also {n} teams of {k} children each join them.",
    )
    s.calculate(
        "{n}*{k}",
        "The new groups have {result} children.",
        "That brings {result} more children.",
        into="new",
    )
    s.calculate(
        "{total}+{new}",
        "Now there are {result} children.",
        "With them there are {result} children.",
    )


@middle("people", "people", steps=2)
def percent_leaves(s: Story) -> None:
    s.draw_percent()
    s.say(
        "Then {p} percent of all the children there leave early.",
        "Later {p} percent of all the children still there go home.",
        "Of all the children there now, {p} percent do not stay.",
    )
    s.calculate(
        "{total}*{p}/100",
        "That is {result} children who go.",
        "So {result} children leave.",
        into="gone",
    )
    s.calculate(
        "{total}-{gone}",
        "So {result} children stay.",
        "That leaves {result} children.",
    )


@middle("people", "money", steps=1)
def ticket_income(s: Story) -> None:
    s.draw(p=(2, 12))
    s.say(
        "Each of the children there pays {name} {p} dollars.",
        "{name} sells a ticket for {p} dollars to each of the children there.",
        "A ticket costs {p} dollars, and {name} takes this from each child who is "
        "there.",
    )
    s.calculate(
        "{total}*{p}",
        "{name} gets {result} dollars.",
        "The children pay {result} dollars.",
    )


@middle("people", "things", steps=1)
def children_bring(s: Story) -> None:
    s.draw(k=(2, 6))
    s.say(
        "Each of the children there gives {name} {k} {things}.",
        "{name} gets {k} {things} from each of the children there.",
        "Every child who is there brings {k} {things} for {name}.",
    )
    s.calculate(
        "{total}*{k}",
        "{name} gets {result} {things}.",
        "The children bring {result} {things}.",
    )


@ending("people", steps=1)
def buses(s: Story) -> None:
    s.draw(k=s.divisors(6, 50))
    s.say(
        "How many buses do all the children there now fill if each bus takes {k}?",
        "All the children there now ride on buses with {k} seats for children. How "
        "many buses do they fill?",
        "All the children there now play in teams of {k}. How many teams are there?",
    )
    s.calculate(
        "{total}/{k}",
        "That makes {result} in all.",
        "So there are {result} of them.",
    )


@ending("people", steps=2)
def seats_free(s: Story) -> None:
    s.draw(k=(12, 50))
    low = max(2, s.total // s.fields["k"] + 1)
    s.draw(n=(low, low + 2))
    s.say(
        "All the children there now ride on {n} buses with {k} seats each. How "
        "many seats stay free?",
        "For all the children there now come {n} buses with {k} seats each. "
        "How many seats are not needed?",
        "How many seats stay free when all the children there now ride on {n} "
        "buses with {k} seats each?",
    )
    s.calculate(
        "{n}*{k}",
        "The buses have {result} seats.",
        "There are {result} seats.",
        into="seats",
    )
    s.calculate(
        "{seats}-{total}",
        "So {result} seats stay free.",
        "That leaves {result} seats.",
    )
