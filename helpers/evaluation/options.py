"""What can be typed after `python -m helpers.evaluation`: commands, options, values.

Covers: arguments in. Does not cover: what is done with them (`__main__.py`).
"""

from __future__ import annotations

import argparse

from helpers.llm import FORMS, NAMED_CHATS, chosen_model
from helpers.problems import SPLITS
from helpers.search import STRATEGIES

SCORERS = ("arithmetic", "confidence", "prm")
RUN_EXAMPLE = """example: 200 problems of GSM8K with llama3.2 on two Ollama servers
  python -m helpers.evaluation --model llama3.2 --hosts desk1:11434,desk2:11434 \\
    --workers 4 --problems gsm8k --limit 200 --strategy self_consistency \\
    --out runs/vote.jsonl

Ctrl-C stops after the problems under way. Type the same again to go on. Other commands:
  python -m helpers.evaluation report --help
  python -m helpers.evaluation compare --help
  python -m helpers.evaluation prompts --help"""
REPORT_EXAMPLE = """example: a table here, and a page with a figure
  python -m helpers.evaluation report runs/*.jsonl --html build/runs.html"""
PROMPTS_EXAMPLE = """example: 100 train questions of GSM8K, every form in turn
  python -m helpers.evaluation prompts --model models/qwen2.5-0.5b.gguf --limit 100

A measurement that was stopped is resumed: type the same again."""
COMPARE_EXAMPLE = """example: is a beam better than a vote, on the same problems?
  python -m helpers.evaluation compare runs/beam.jsonl runs/vote.jsonl"""


def parser_of(name: str, about: str, example: str) -> argparse.ArgumentParser:
    """A parser that ends its help with an example."""
    return argparse.ArgumentParser(
        prog=f"python -m helpers.evaluation {name}".strip(), description=about,
        epilog=example, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def run_parser() -> argparse.ArgumentParser:
    """The arguments of a run."""
    about = "Solve problems with one strategy; every result is kept in a file."
    parser = parser_of("", about, RUN_EXAMPLE)
    add = parser.add_argument
    add("--out", required=True, help="the file of records; a run there is resumed")
    add("--strategy", required=True, choices=[*STRATEGIES], help="how to solve one")
    add("--budget", type=amount, default=1024, help="tokens per problem (%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=NUMBER",
        help="another parameter of the strategy: n, branching, lookahead, c_puct, "
        "rollout, simulations, threshold (`helpers/search/`)")  # fmt: skip
    add("--scorer", choices=SCORERS,
        help="what guides the search, if anything does (arithmetic)")  # fmt: skip
    add("--temperature", type=float, default=1.0, help="how bold it is (%(default)s)")
    add("--form", choices=[*FORMS], help="how a problem is put to the model (`prompts` "
        "measures which is best)")  # fmt: skip
    add("--examples", action=argparse.BooleanOptionalAction,
        help="short for --form examples, and --form question")  # fmt: skip
    add("--seed", type=int, default=0, help="of all that is drawn (%(default)s)")
    add("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers solve")
    add_problems(parser, "practice", "test")
    add_model(parser)
    return parser


def prompts_parser() -> argparse.ArgumentParser:
    """The arguments of a comparison of prompt forms."""
    about = "Put the same problems to a model in each form, and name the best one."
    parser = parser_of("prompts", about, PROMPTS_EXAMPLE)
    add = parser.add_argument
    add("--out", default="runs/prompts", metavar="FOLDER",
        help="for the records, a folder for each model (%(default)s)")  # fmt: skip
    add("--forms", nargs="+", choices=[*FORMS], help="which; all if left out")
    add_problems(parser, "gsm8k", "train")
    add_model(parser)
    return parser


def add_problems(parser: argparse.ArgumentParser, usual: str, split: str) -> None:
    """Which problems."""
    add = parser.add_argument
    add("--problems", choices=[*SPLITS], default=usual, help="which (%(default)s)")
    add("--split", default=split, help="which part of them (%(default)s)")
    add("--limit", type=int, help="how many problems; all if left out")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Which model, and who asks it."""
    add = parser.add_argument
    add("--model", default=chosen_model(), help="abacus, a model of Ollama, or a GGUF "
        "file; REASONING_MODEL if left out")  # fmt: skip
    add("--timeout", type=float, default=120.0, help="seconds an answer (%(default)s)")
    add("--record", metavar="FILE", help="keep the model's answers, and replay them; "
        "REASONING_RECORD if left out")  # fmt: skip
    add("--replay-only", action="store_true",
        help="ask no model, only the record; or REASONING_REPLAY_ONLY")  # fmt: skip
    add("--workers", type=int, default=1, metavar="N",
        help="processes for abacus, else threads (%(default)s)")  # fmt: skip
    add("--hosts", help="Ollama servers with commas between; the least busy is asked. "
        "Or one address that ends in /v1")  # fmt: skip
    add("--chat", choices=[*NAMED_CHATS], help="the model's markup, if nobody tells it")


def amount(text: str) -> int | float:
    """A whole number, or another."""
    return int(text) if text.lstrip("-").isdigit() else float(text)


def parameter(text: str) -> tuple[str, int | float | bool]:
    """What stands after `--set`: a name, and a number, true or false."""
    name, _, value = text.partition("=")
    try:
        if name in ("budget", "seed", "scorer", "env", "llm"):
            raise ValueError
        if value.lower() in ("true", "false"):
            return name, value.lower() == "true"
        return name, amount(value)
    except ValueError as error:
        raise ValueError(
            f"--set {text}: type NAME=NUMBER, such as --set n=8; for budget, seed and "
            "scorer there are options of their own"
        ) from error
