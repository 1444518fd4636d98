"""The command line of evaluation: run, report, compare.

    python -m helpers.evaluation --strategy beam_search --limit 50 --out runs/beam.jsonl
    python -m helpers.evaluation report runs/*.jsonl --html build/runs.html
    python -m helpers.evaluation compare runs/beam.jsonl runs/vote.jsonl

Covers: arguments in, sentences and a progress bar out. Does not cover: how a run is
made (`run.py`) and what it adds up to (`report.py`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from functools import partial
from glob import glob
from pathlib import Path
from typing import Any

from helpers.env import GSM8KEnv
from helpers.llm import LLMError, LLMGen, chosen_model, is_embedded
from helpers.problems import SPLITS, load_problems
from helpers.rewards import (
    PRM,
    ProcessRewardModel,
    Scorer,
    arithmetic_scorer,
    confidence,
)
from helpers.search import STRATEGIES
from helpers.stats import with_interval

from .executors import dask_client, processes
from .journal import whole_lines
from .page import figure_of, to_html, to_markdown, to_text
from .records import Record, read_configuration
from .report import Report, compare_runs
from .run import evaluate
from .solver import Strategy

SCORERS = ("arithmetic", "confidence", "prm")
RUN_EXAMPLE = """example: 200 problems of GSM8K with llama3.2 on two Ollama servers
  python -m helpers.evaluation --model llama3.2 --hosts desk1:11434,desk2:11434 \\
    --workers 4 --problems gsm8k --limit 200 --strategy self_consistency \\
    --out runs/vote.jsonl

Ctrl-C stops after the problems under way. Type the same again to go on. Other commands:
  python -m helpers.evaluation report --help
  python -m helpers.evaluation compare --help"""
REPORT_EXAMPLE = """example: a table here, and a page with a figure
  python -m helpers.evaluation report runs/*.jsonl --html build/runs.html"""
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
    add("--out", required=True, help="the file of records; a run there is gone on with")
    add("--strategy", required=True, choices=[*STRATEGIES], help="how to solve one")
    add("--budget", type=amount, default=1024, help="tokens a problem (%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=NUMBER",
        help="another parameter of the strategy: n, branching, lookahead, c_puct, "
        "rollout, simulations, threshold (`helpers/search/`)")  # fmt: skip
    add(
        "--scorer",
        choices=SCORERS,
        help="what guides the search, if anything does (arithmetic)",
    )
    add("--problems", choices=[*SPLITS], default="practice", help="which (%(default)s)")
    add("--split", default="test", help="which part of them (%(default)s)")
    add("--limit", type=int, help="how many problems; all if left out")
    add("--model", default=chosen_model(),
        help="abacus, or a model of Ollama; REASONING_MODEL if left out")  # fmt: skip
    add("--temperature", type=float, default=1.0, help="how bold it is (%(default)s)")
    add("--examples", action=argparse.BooleanOptionalAction,
        help="two solved ones in the prompt? (for abacus no, else yes)")  # fmt: skip
    add("--seed", type=int, default=0, help="of all that is drawn (%(default)s)")
    add("--timeout", type=float, default=120.0, help="seconds an answer (%(default)s)")
    add(
        "--record",
        metavar="FILE",
        help="keep the model's answers, and replay them; REASONING_RECORD if left out",
    )
    add("--replay-only", action="store_true",
        help="ask no model, only the record; or REASONING_REPLAY_ONLY")  # fmt: skip
    add("--workers", type=int, default=1, metavar="N",
        help="processes for abacus, threads for Ollama (%(default)s)")  # fmt: skip
    add("--hosts", help="Ollama servers with commas between; the least busy is asked")
    add("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers solve")
    return parser


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


def make_scorer(name: str, llm: LLMGen) -> Scorer:
    """The scorer of this name."""
    if name == "prm":
        return ProcessRewardModel.load(PRM, llm)
    if name == "confidence":
        return confidence
    return arithmetic_scorer


def make_strategy(args: argparse.Namespace, llm: LLMGen) -> Strategy:
    """The strategy with all its parameters. Raises ValueError for a bad one."""
    given: dict[str, Any] = {"budget": args.budget, **dict(map(parameter, args.set))}
    if args.scorer:
        given["scorer"] = make_scorer(args.scorer, llm)
    return partial(STRATEGIES[args.strategy], **given)


@contextmanager
def make_executor(args: argparse.Namespace) -> Iterator[Executor | None]:
    """Who solves the problems; closed at the end. Raises ValueError if nobody can."""
    if args.workers < 1:
        raise ValueError(f"--workers {args.workers}: type a whole number from 1")
    if args.dask:
        with dask_client(args.dask) as client:
            yield client.get_executor(pure=False)  # no task is taken for another
    elif args.workers > 1:
        pool = processes if is_embedded(args.model) else ThreadPoolExecutor
        with pool(args.workers) as executor:
            yield executor
    else:
        yield None


class Progress:
    """Says how far a run is: a bar in a terminal, else a line now and then."""

    def __init__(self, out: str, total: int) -> None:
        from tqdm import tqdm

        self.right = self.n = self.failed = 0
        if any(whole_lines(out)):  # else there is no configuration yet
            old = Report(out)
            self.right, self.n = sum(old.right.values()), len(old.right)
        self.is_bar = sys.stderr.isatty()
        self.bar = tqdm(
            total=total, initial=self.n, unit="problem", file=sys.stderr,
            disable=not self.is_bar,
        )  # fmt: skip
        self.total, self.begun, self.start = total, self.n, time.monotonic()

    def __call__(self, record: Record) -> None:
        """Count a record and say so."""
        self.failed += bool(record.failure)
        self.right, self.n = self.right + record.right, self.n + (not record.failure)
        share = with_interval(self.right, self.n) if self.n else "-"
        said = f"right {share} %" + (f", failed {self.failed}" * bool(self.failed))
        self.bar.set_postfix_str(said)
        self.bar.update(not record.failure)
        done = self.n + self.failed
        if not self.is_bar and done % max(1, self.total // 20) == 0:
            pace = (time.monotonic() - self.start) / (done - self.begun)
            left = self.bar.format_interval(pace * (self.total - done))
            said = f"{done} of {self.total}, {left} left: {said}"
            print(said, file=sys.stderr, flush=True)


def run(arguments: Sequence[str]) -> int:
    """Evaluate as the arguments say, and print the report; 1 if problems failed."""
    args = run_parser().parse_args(arguments)
    if args.hosts and is_embedded(args.model):
        raise ValueError("--hosts is for a model of Ollama: type --model as well")
    llm = LLMGen(
        args.model, args.temperature, timeout=args.timeout, host=args.hosts,
        record=args.record, replay_only=args.replay_only,
    )  # fmt: skip
    examples = not llm.is_embedded if args.examples is None else args.examples
    problems = load_problems(args.problems, args.split, args.limit)
    about = {"problems": args.problems, "split": args.split}
    progress = Progress(args.out, len(problems))
    with make_executor(args) as executor, progress.bar:
        report = evaluate(
            make_strategy(args, llm), problems, llm, out=args.out, executor=executor,
            seed=args.seed, make_env=partial(GSM8KEnv, is_few_shot=examples),
            on_record=progress, about=about,
        )  # fmt: skip
    print(to_text([report]))
    for index, said in [*report.failed.items()][:3]:
        print(f"failed: problem {index}: {said}")
    if report.failed:
        print("Type the same again to try what failed once more.")
    return min(1, len(report.failed))


def report_command(arguments: Sequence[str]) -> int:
    """Print a table of runs; write a figure, Markdown or a page."""
    parser = parser_of("report", "What runs add up to, a row each.", REPORT_EXAMPLE)
    parser.add_argument("files", nargs="+", help="of records; one run may have more")
    parser.add_argument("--figure", metavar="FILE", help="write a PNG")
    parser.add_argument("--markdown", metavar="FILE", help="write the table")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page")
    args = parser.parse_args(arguments)
    reports = [Report(*files) for files in by_run(args.files)]
    print(to_text(reports))
    if args.figure:
        write(args.figure, figure_of(reports)[0])
    if args.markdown:
        write(args.markdown, to_markdown(reports).encode())
    if args.html:
        write(args.html, to_html(reports).encode())
    return 0


def by_run(names: Sequence[str]) -> list[list[str]]:
    """The files, those of one configuration together; patterns are filled in, as some
    shells do not."""
    files: list[str] = []
    for name in names:
        files += [name] if Path(name).exists() else sorted(glob(name)) or [name]
    runs: dict[str, list[str]] = {}
    for file in files:
        runs.setdefault(repr(read_configuration(file)), []).append(file)
    return list(runs.values())


def write(file: str, content: bytes) -> None:
    """Write a file, in a folder that may not be there yet."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_bytes(content)
    print(f"Wrote {file}.")


def compare_command(arguments: Sequence[str]) -> int:
    """Print the paired comparison of two runs."""
    about = "Two runs on the same problems: the exact paired test and its interval."
    parser = parser_of("compare", about, COMPARE_EXAMPLE)
    parser.add_argument("a", help="the records of one run")
    parser.add_argument("b", help="the records of the other")
    args = parser.parse_args(arguments)
    print(compare_runs(Report(args.a), Report(args.b)))
    return 0


COMMANDS = {"report": report_command, "compare": compare_command}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; 1 for an error or failures, 130 after Ctrl-C."""
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    command = COMMANDS.get(given[0]) if given else None
    try:
        return command(given[1:]) if command else run(given)
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "Stopped.", file=sys.stderr)
        return 130
    except (BrokenExecutor, CancelledError):
        said = "A worker ended before its time. Type the same again to go on."
    except (LLMError, OSError, TypeError, ValueError) as error:
        said = str(error)
    print(said, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
