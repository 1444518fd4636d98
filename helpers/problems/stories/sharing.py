"""Two people: the hero has `total` things, the friend has `rival`."""

from ..story import Story, Unsuitable, ending, middle


@middle("things", "pair", steps=1)
def friend_has_more(s: Story) -> None:
    s.draw(d=(6, 120))
    s.say(
        "{friend} has {d} more {things} than {name} has now.",
        "At this point {friend} has {d} {things} more than {name}.",
        "Now {name} has {d} fewer {things} than {friend}.",
    )
    s.calculate(
        "{total}+{d}",
        "{friend} has {result} {things}.",
        "So {friend} owns {result} {things}.",
        into="rival",
    )


@middle("things", "pair", steps=1)
def friend_has_fewer(s: Story) -> None:
    s.draw(d=(4, s.total - 3))
    s.say(
        "{friend} has {d} fewer {things} than {name} has now.",
        "At this point {friend} has {d} {things} fewer than {name}.",
        "Now {name} has {d} more {things} than {friend}.",
    )
    s.calculate(
        "{total}-{d}",
        "{friend} has {result} {things}.",
        "So {friend} owns {result} {things}.",
        into="rival",
    )


@middle("things", "pair", steps=1)
def friend_has_times(s: Story) -> None:
    s.draw_times(6)
    s.say(
        "{friend} has {times} as many {things} as {name} has now.",
        "Now the number of {things} that {friend} has is {times} that of {name}.",
        "At this point {friend} has {times} as many {things} as {name}.",
    )
    s.calculate(
        "{total}*{k}",
        "{friend} has {result} {things}.",
        "So {friend} owns {result} {things}.",
        into="rival",
    )


@middle("things", "pair", steps=1)
def friend_has_fraction(s: Story) -> None:
    s.draw_fraction()
    s.say(
        "{friend} has {part} as many {things} as {name} has now.",
        "Now the number of {things} that {friend} has is {part} of that of {name}.",
        "At this point {friend} has only {part} as many {things} as {name}.",
    )
    s.calculate(
        "{total}/{k}",
        "{friend} has {result} {things}.",
        "So {friend} owns {result} {things}.",
        into="rival",
    )


@middle("pair", "pair", steps=2)
def hero_gives_friend(s: Story) -> None:
    s.draw(k=(3, s.total - 3))
    s.say(
        "{then} {name} gives {k} {things} to {friend}.",
        "{then} {friend} gets {k} {things} from {name}.",
        "{then} {name} hands {k} of {her} {things} to {friend}.",
    )
    s.calculate(
        "{total}-{k}",
        "Now {name} has {result} {things}.",
        "{name} is left with {result} {things}.",
    )
    s.calculate(
        "{rival}+{k}",
        "Now {friend} has {result} {things}.",
        "{friend} then has {result} {things}.",
        into="rival",
    )


@middle("pair", "pair", steps=1)
def friend_gets_more(s: Story) -> None:
    s.draw(k=(5, 150))
    s.say(
        "{then} {friend} finds {k} more {things} at home.",
        "{then} {friend} buys {k} more {things}.",
        "{then} a neighbor gives {friend} {k} {things}.",
    )
    s.calculate(
        "{rival}+{k}",
        "Now {friend} has {result} {things}.",
        "{friend} then has {result} {things}.",
        into="rival",
    )


@middle("pair", "pair", steps=1)
def hero_sells_some(s: Story) -> None:
    s.draw(k=(3, s.total - 3))
    s.say(
        "{then} {name} sells {k} of {her} {things}.",
        "{then} {name} gives {k} of {her} {things} to a school.",
        "{then} a shop buys {k} {things} from {name}.",
    )
    s.calculate(
        "{total}-{k}",
        "Now {name} has {result} {things}.",
        "{name} is left with {result} {things}.",
    )


@middle("pair", "things", steps=1)
def friend_gives_all(s: Story) -> None:
    s.say(
        "{then} {friend} gives all {his} {things} to {name}.",
        "{then} {name} gets all the {things} that {friend} has.",
        "{then} {friend} puts all {his} {things} with those of {name}, who may keep "
        "them all.",
    )
    s.calculate(
        "{total}+{rival}",
        "Now {name} has {result} {things}.",
        "{name} then has {result} {things}.",
    )


@ending("pair", steps=1)
def together(s: Story) -> None:
    s.say(
        "How many {things} do {name} and {friend} have together now?",
        "How many {things} do the two have in all at the end?",
        "What is the number of {things} that {friend} and {name} have together now?",
    )
    s.calculate(
        "{total}+{rival}",
        "Together they have {result} {things}.",
        "{name} and {friend} have {result} {things} together.",
    )


@ending("pair", steps=1)
def pair_difference(s: Story) -> None:
    names = ("name", "friend") if s.total > s.fields["rival"] else ("friend", "name")
    s.fields.update(rich=s.fields[names[0]], poor=s.fields[names[1]])
    s.fields.update(most=max(s.total, s.fields["rival"]))
    s.fields.update(least=min(s.total, s.fields["rival"]))
    if s.fields["most"] - s.fields["least"] == s.fields.get("d"):
        raise Unsuitable("the question would repeat a number of the text")
    s.say(
        "How many more {things} does {rich} have than {poor} now?",
        "How many fewer {things} does {poor} have than {rich} at the end?",
        "How many {things} must {poor} still get to have as many as {rich} has now?",
    )
    s.calculate(
        "{most}-{least}",
        "The difference is {result} {things}.",
        "{rich} has {result} {things} more than {poor}.",
    )


@ending("pair", steps=2)
def share_evenly(s: Story) -> None:
    s.say(
        "They put all their {things} together and share them equally. How many "
        "{things} does each of the two get?",
        "If {name} and {friend} now share all their {things} equally between the two, "
        "how many does each get?",
        "How many {things} does each of the two have after they share all of them "
        "equally with each other?",
    )
    s.calculate(
        "{total}+{rival}",
        "Together they have {result} {things}.",
        "{name} and {friend} have {result} {things} together.",
        into="both",
    )
    s.calculate(
        "{both}/2",
        "Each of them gets {result} {things}.",
        "Half of that is {result} {things} for each.",
    )


"""MONEY"""
