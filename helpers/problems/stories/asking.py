"""What is asked about the things one has, and what they turn into."""

from ..story import Story, ending, middle


@middle("things", "money", steps=1)
def sells_all(s: Story) -> None:
    s.draw(p=(2, 14))
    s.say(
        "{then} {she} sells all {her} {things} for {p} dollars each.",
        "{then} {name} sells all {her} {things}. The price of each one is {p} dollars.",
        "{then} {name} takes all {her} {things} to a market, where each one sells for "
        "{p} dollars.",
    )
    s.calculate(
        "{total}*{p}",
        "{name} gets {result} dollars for the {things}.",
        "The {things} bring {result} dollars.",
    )


@middle("things", "money", steps=2)
def keeps_some_sells_rest(s: Story) -> None:
    s.draw(k=(3, s.total // 2), p=(2, 14))
    s.say(
        "{then} {she} keeps {k} {things} and sells the rest for {p} dollars each.",
        "{then} {name} sells all but {k} of {her} {things} at a price of {p} dollars "
        "each.",
        "{then} {name} wants to keep {k} of the {things}. {She} sells the others for "
        "{p} dollars each.",
    )
    s.calculate(
        "{total}-{k}",
        "{name} sells {result} {things}.",
        "That leaves {result} {things} to sell.",
        into="sold",
    )
    s.calculate(
        "{sold}*{p}",
        "They bring {result} dollars.",
        "{name} gets {result} dollars for them.",
    )


@middle("things", "money", steps=2)
def sells_bags(s: Story) -> None:
    s.draw(k=s.divisors(3, 25), p=(3, 25))
    s.say(
        "{then} {she} packs all {her} {things} in bags of {k} and sells every bag for "
        "{p} dollars.",
        "{then} {name} puts {k} {things} in each bag until none are left. {She} sells "
        "the bags for {p} dollars each.",
        "{then} all {her} {things} are sold in bags of {k}, and a bag costs {p} "
        "dollars.",
    )
    s.calculate(
        "{total}/{k}",
        "{name} fills {result} bags.",
        "That makes {result} bags.",
        into="bags",
    )
    s.calculate(
        "{bags}*{p}",
        "The bags bring {result} dollars.",
        "For the bags {she} gets {result} dollars.",
    )


@middle("things", "minutes", steps=1)
def cleans_each(s: Story) -> None:
    s.draw(k=(2, 12))
    s.say(
        "{then} {she} cleans all {her} {things}. It takes {k} minutes to clean each.",
        "{then} {name} spends {k} minutes on each of {her} {things} to clean them all.",
        "{then} {name} draws a picture of each of {her} {things}, and every picture "
        "takes {k} minutes.",
    )
    s.calculate(
        "{total}*{k}",
        "This takes {name} {result} minutes.",
        "For all the {things} {she} needs {result} minutes.",
    )


@ending("things", steps=1)
def boxes_needed(s: Story) -> None:
    s.draw(k=s.divisors(3, 25))
    s.say(
        "{She} puts all {her} {things} in bags of {k}. How many bags does {she} need?",
        "How many bags does {name} need for all {her} {things} if each bag holds {k}?",
        "A bag holds {k} {things}. How many bags can {name} fill with all {her} "
        "{things}?",
    )
    s.calculate(
        "{total}/{k}",
        "{name} needs {result} bags.",
        "All the {things} fill {result} bags.",
    )


@ending("things", steps=2)
def left_over(s: Story) -> None:
    s.draw(k=(4, 25))
    s.draw(n=[max(2, (s.total - 2) // s.fields["k"])])
    s.say(
        "{She} fills {n} bags with {k} {things} each. How many {things} are left over?",
        "How many {things} are left over when {name} fills {n} bags with {k} each?",
        "{name} puts {k} {things} in each of {n} bags. How many {things} do not go "
        "into a bag?",
    )
    s.calculate(
        "{n}*{k}",
        "The full bags hold {result} {things}.",
        "In the bags there are {result} {things}.",
        into="packed",
    )
    s.calculate(
        "{total}-{packed}",
        "That leaves {result} {things}.",
        "So {result} {things} are left over.",
    )


@ending("things", steps=1)
def goal_missing(s: Story) -> None:
    s.draw(g=(s.total + 5, s.total + 200))
    s.say(
        "How many more {things} does {name} need to have {g} {things}?",
        "{She} wants to have {g} {things}. How many are still missing?",
        "How many {things} are missing if {name} wants to have {g}?",
    )
    s.calculate(
        "{g}-{total}",
        "{name} needs {result} more {things}.",
        "So {result} {things} are missing.",
    )


@ending("things", steps=1)
def per_day(s: Story) -> None:
    s.draw(d=s.divisors(3, 15))
    s.say(
        "{She} wants to give all {her} {things} away in {d} days, the same number "
        "every day. How many is that a day?",
        "How many {things} does each class get if {name} shares all {her} {things} "
        "equally among {d} classes?",
        "If {name} puts all {her} {things} in {d} equal rows, how many {things} are "
        "in each row?",
    )
    s.calculate(
        "{total}/{d}",
        "An equal part is {result} {things}.",
        "Divided equally, that is {result} {things}.",
    )


@ending("things", steps=2)
def percent_colored(s: Story) -> None:
    s.draw_percent()
    s.say(
        "Of {her} {things}, {p} percent are small. How many are not small?",
        "If {p} percent of {her} {things} are small and the others are big, how many "
        "{things} are big?",
        "How many of {her} {things} are big if {p} percent are small and the rest are "
        "big?",
    )
    s.calculate(
        "{total}*{p}/100",
        "The small ones are {result} {things}.",
        "There are {result} small {things}.",
        into="small",
    )
    s.calculate(
        "{total}-{small}",
        "The other ones are {result} {things}.",
        "So there are {result} big {things}.",
    )


@ending("things", steps=2)
def profit(s: Story) -> None:
    s.draw(p=(2, 12))
    s.draw(c=(5, max(6, s.total * s.fields["p"] - 5)))
    s.say(
        "{She} sells all {her} {things} for {p} dollars each and pays {c} dollars for "
        "a table at the market. How many dollars does {she} gain?",
        "{name} pays {c} dollars for a place at the market and sells all {her} "
        "{things} for {p} dollars each. What is the profit in dollars?",
        "A table at the market costs {c} dollars. How many dollars does {name} gain "
        "if {she} sells all {her} {things} there for {p} dollars each?",
    )
    s.calculate(
        "{total}*{p}",
        "The {things} bring {result} dollars.",
        "{name} sells the {things} for {result} dollars.",
        into="income",
    )
    s.calculate(
        "{income}-{c}",
        "After the cost {she} gains {result} dollars.",
        "The profit is {result} dollars.",
    )


@ending("things", steps=1)
def total_weight(s: Story) -> None:
    s.draw(w=(5, 45))
    s.say(
        "Each of the {things} weighs {w} grams. How many grams do all {her} {things} "
        "weigh?",
        "How many grams do all {her} {things} weigh together if each weighs {w} grams?",
        "If each one weighs {w} grams, what is the weight of all {her} {things} in "
        "grams?",
    )
    s.calculate(
        "{total}*{w}",
        "Together they weigh {result} grams.",
        "The {things} weigh {result} grams.",
    )
