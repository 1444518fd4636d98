"""Minutes spent and pages read."""

from ..story import Story, ending, middle, opening


@opening("minutes", steps=1)
def practice(s: Story) -> None:
    s.draw(m=(15, 75), d=(3, 14))
    s.say(
        "{name} practices the drum for {m} minutes a day for {d} days.",
        "On each of {d} days {name} swims for {m} minutes.",
        "For {d} days {name} spends {m} minutes a day on {her} homework.",
    )
    s.calculate(
        "{d}*{m}",
        "That takes {name} {result} minutes.",
        "In {d} days {she} spends {result} minutes.",
    )


@opening("minutes", steps=2)
def two_tasks(s: Story) -> None:
    s.draw(n=(5, 25), m=(3, 14), r=(10, 90))
    s.say(
        "{name} solves {n} tasks and needs {m} minutes for each. Then {she} reads for "
        "{r} minutes.",
        "For homework {name} has {n} tasks that take {m} minutes each, and {she} also "
        "reads for {r} minutes.",
        "First {name} reads for {r} minutes. Then {she} works on {n} tasks, {m} "
        "minutes on each.",
    )
    s.calculate(
        "{n}*{m}",
        "The tasks take {result} minutes.",
        "For the tasks {name} needs {result} minutes.",
        into="tasks",
    )
    s.calculate(
        "{tasks}+{r}",
        "With the reading that is {result} minutes.",
        "In all {name} spends {result} minutes.",
    )


@middle("minutes", "minutes", steps=1)
def works_longer(s: Story) -> None:
    s.draw(k=(10, 120))
    s.say(
        "{then} {she} cooks for {k} minutes.",
        "{then} {name} spends {k} minutes in the garden.",
        "{then} {name} walks for {k} minutes.",
    )
    s.calculate(
        "{total}+{k}",
        "So far that is {result} minutes.",
        "Up to now {name} has spent {result} minutes.",
    )


@middle("minutes", "minutes", steps=2)
def several_turns(s: Story) -> None:
    s.draw(n=(2, 9), k=(8, 40))
    s.say(
        "{then} {she} plays {n} games of {k} minutes each.",
        "{then} {name} watches {n} films that last {k} minutes each.",
        "{then} {name} swims {n} times for {k} minutes each time.",
    )
    s.calculate(
        "{n}*{k}",
        "This takes {result} minutes.",
        "For this {name} needs {result} minutes.",
        into="more",
    )
    s.calculate(
        "{total}+{more}",
        "So far that is {result} minutes.",
        "Up to now {name} has spent {result} minutes.",
    )


@middle("minutes", "money", steps=1)
def paid_by_minutes(s: Story) -> None:
    s.draw(k=s.divisors(5, 30))
    s.draw(p=(2, 9))
    s.say(
        "For all this time {she} gets {p} dollars for every {k} minutes.",
        "A neighbor pays {name} {p} dollars for every {k} minutes of all this time.",
        "For every {k} minutes of this time {name} is given {p} dollars.",
    )
    s.calculate(
        "{total}/{k}*{p}",
        "{name} gets {result} dollars for this.",
        "This time brings {result} dollars.",
    )


@ending("minutes", steps=2)
def minutes_of_hours_left(s: Story) -> None:
    s.draw(h=(s.total // 60 + 1, s.total // 60 + 6))
    s.say(
        "{name} has {h} hours for all of this. How many minutes are left?",
        "How many minutes are left of the {h} hours that {name} has for all of this?",
        "In all {she} has {h} hours. How many minutes does {she} have left?",
    )
    s.calculate(
        "{h}*60",
        "The {h} hours have {result} minutes.",
        "In {h} hours there are {result} minutes.",
        into="time",
    )
    s.calculate(
        "{time}-{total}",
        "So {result} minutes are left.",
        "{name} has {result} minutes left.",
    )


@ending("minutes", steps=1)
def minutes_missing(s: Story) -> None:
    s.draw(g=(s.total + 10, s.total + 200))
    s.say(
        "How many more minutes are needed to make {g} minutes in all?",
        "{She} wants to be busy for {g} minutes in all. How many minutes are missing?",
        "{name} has {g} minutes for all of this. How many minutes are left?",
    )
    s.calculate(
        "{g}-{total}",
        "That leaves {result} minutes.",
        "The difference is {result} minutes.",
    )


@ending("minutes", steps=1)
def minutes_per_day(s: Story) -> None:
    s.draw(d=s.divisors(3, 15))
    s.say(
        "If this time is spread equally over {d} days, how many minutes is that a day?",
        "How many minutes a day would that be if the time were the same on {d} days?",
        "{She} divides all this time into {d} equal parts. How many minutes has a "
        "part?",
    )
    s.calculate(
        "{total}/{d}",
        "An equal part is {result} minutes.",
        "Divided equally, that is {result} minutes.",
    )


@opening("pages", steps=1)
def reads_daily(s: Story) -> None:
    s.draw(p=(8, 45), d=(3, 14))
    s.say(
        "{name} reads {p} pages of a book a day for {d} days.",
        "On each of {d} days {name} reads {p} pages of a book.",
        "{name} begins a book and reads {p} pages every day for {d} days.",
    )
    s.calculate(
        "{d}*{p}",
        "In {d} days {name} reads {result} pages.",
        "{name} reads {result} pages.",
    )


@opening("pages", steps=3)
def school_days_and_weekend(s: Story) -> None:
    s.draw(n=(3, 5), a=(8, 30), b=(20, 70))
    s.say(
        "{name} reads {a} pages of a book on each of {n} school days and {b} pages on "
        "each of 2 free days.",
        "On {n} school days {name} reads {a} pages of a book a day, and on 2 free days "
        "{she} reads {b} pages a day.",
        "{name} reads a book: {a} pages a day on {n} school days, then {b} pages a "
        "day on 2 free days.",
    )
    s.calculate(
        "{n}*{a}",
        "On the school days {name} reads {result} pages.",
        "The school days make {result} pages.",
        into="school",
    )
    s.calculate(
        "2*{b}",
        "On the free days {name} reads {result} pages.",
        "The free days make {result} pages.",
        into="free",
    )
    s.calculate(
        "{school}+{free}",
        "In all {she} reads {result} pages.",
        "Together that is {result} pages.",
    )


@middle("pages", "pages", steps=1)
def reads_more(s: Story) -> None:
    s.draw(k=(12, 120))
    s.say(
        "{then} {she} reads {k} more pages of the book.",
        "{then} {name} reads another {k} pages of the book.",
        "{then} there is a long train ride, and {name} reads {k} more pages.",
    )
    s.calculate(
        "{total}+{k}",
        "So far {name} has read {result} pages.",
        "That makes {result} pages so far.",
    )


@middle("pages", "pages", steps=2)
def reads_times_more(s: Story) -> None:
    s.draw_times(4)
    s.say(
        "{then} {she} reads {times} as many pages as in all the days before.",
        "In the next weeks {name} reads {times} as many pages as on all these days.",
        "In the vacation {name} reads {times} as many pages as in all the days before.",
    )
    s.calculate(
        "{total}*{k}",
        "Then {name} reads {result} pages.",
        "The next pages are {result} pages.",
        into="more",
    )
    s.calculate(
        "{total}+{more}",
        "So far {name} has read {result} pages.",
        "That makes {result} pages so far.",
    )


@middle("pages", "minutes", steps=1)
def minutes_per_page(s: Story) -> None:
    s.draw(m=(2, 6))
    s.say(
        "For every page {she} needs {m} minutes.",
        "It takes {name} {m} minutes to read one page.",
        "{name} reads slowly and needs {m} minutes for each of these pages.",
    )
    s.calculate(
        "{total}*{m}",
        "The reading takes {result} minutes.",
        "{name} reads for {result} minutes.",
    )


@ending("pages", steps=1)
def pages_left(s: Story) -> None:
    s.draw(g=(s.total + 9, s.total + 250))
    s.say(
        "The book has {g} pages. How many pages are left to read?",
        "How many pages of the book are left if it has {g} pages in all?",
        "In all the book has {g} pages. How many of them has {name} not read yet?",
    )
    s.calculate(
        "{g}-{total}",
        "So {result} pages are left.",
        "{name} has {result} pages left to read.",
    )


@ending("pages", steps=2)
def days_to_finish(s: Story) -> None:
    s.draw(d=(3, 12), p=(6, 30))
    s.draw(g=[s.total + s.fields["d"] * s.fields["p"]])
    s.say(
        "The book has {g} pages. How many more days does {name} need if {she} reads "
        "{p} pages a day from now on?",
        "From now on {she} reads {p} pages a day. After how many more days does {she} "
        "finish the book of {g} pages?",
        "How many more days will it take to finish the book, which has {g} pages, at "
        "{p} pages a day?",
    )
    s.calculate(
        "{g}-{total}",
        "So {result} pages are left.",
        "{name} has {result} pages left to read.",
        into="rest",
    )
    s.calculate(
        "{rest}/{p}",
        "This takes {result} days.",
        "{name} needs {result} more days.",
    )
