"""The command line of evaluation: run, report, compare, prompts.

    python -m helpers.evaluation --strategy beam_search --limit 50 --out runs/beam.jsonl
    python -m helpers.evaluation report runs/*.jsonl --html build/runs.html
    python -m helpers.evaluation compare runs/beam.jsonl runs/vote.jsonl
    python -m helpers.evaluation prompts --model llama3.2 --limit 100

Covers: arguments in, sentences and a progress bar out. Does not cover: how a run is
made (`run.py`) and what it adds up to (`report.py`).
"""

from __future__ import annotations

import argparse
import re
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
from helpers.llm import LLMError, LLMGen, is_embedded
from helpers.problems import load_problems
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
from .options import (
    COMPARE_EXAMPLE,
    REPORT_EXAMPLE,
    parameter,
    parser_of,
    prompts_parser,
    run_parser,
)
from .page import figure_of, in_columns, to_html, to_markdown, to_text
from .prompts import COLUMNS, best_form, form_rows, forms_for, measure_forms
from .records import Record, read_configuration
from .report import Report, compare_runs
from .run import evaluate
from .solver import Strategy


def make_scorer(name: str, llm: LLMGen) -> Scorer:
    """The scorer of this name."""
    if name == "prm":
        return ProcessRewardModel.load(PRM, llm)
    if name == "confidence":
        return confidence
    return arithmetic_scorer


def make_model(args: argparse.Namespace, temperature: float = 1.0) -> LLMGen:
    """The model. Raises ValueError for hosts without a model of theirs."""
    if args.hosts and is_embedded(args.model):
        raise ValueError("--hosts is for a model of Ollama: type --model as well")
    return LLMGen(
        args.model, temperature, timeout=args.timeout, host=args.hosts,
        record=args.record, replay_only=args.replay_only, chat=args.chat,
    )  # fmt: skip


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
    if getattr(args, "dask", None):
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
    if args.examples is not None and not args.form:
        args.form = "examples" if args.examples else "question"
    llm = make_model(args, args.temperature)
    problems = load_problems(args.problems, args.split, args.limit)
    about = {"problems": args.problems, "split": args.split}
    progress = Progress(args.out, len(problems))
    with make_executor(args) as executor, progress.bar:
        report = evaluate(
            make_strategy(args, llm), problems, llm, out=args.out, executor=executor,
            seed=args.seed, make_env=partial(GSM8KEnv, form=args.form),
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


def prompts_command(arguments: Sequence[str]) -> int:
    """Print a table of prompt forms, and the best of them."""
    args = prompts_parser().parse_args(arguments)
    llm = make_model(args)
    problems = load_problems(args.problems, args.split, args.limit)
    about = {"problems": args.problems, "split": args.split}
    folder = Path(args.out) / re.sub(r"[^\w.-]", "_", llm.model)
    forms = args.forms or forms_for(llm)
    reports = {}
    for form in forms:
        print(f"form {form}", file=sys.stderr)
        progress = Progress(str(folder / f"{form}.jsonl"), len(problems))
        with make_executor(args) as executor, progress.bar:
            reports |= measure_forms(
                llm, problems, folder, forms=[form], executor=executor,
                on_record=progress, about=about,
            )  # fmt: skip
    print(in_columns([COLUMNS, *form_rows(reports)]))
    print(f"most right answers: {best_form(reports)}")
    return min(1, sum(len(report.failed) for report in reports.values()))


COMMANDS = {
    "report": report_command,
    "compare": compare_command,
    "prompts": prompts_command,
}


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
