"""Data: the problems, as a `datasets.Dataset` in GSM8K's schema.

A *problem* is a row of two texts: `question`, and `answer`, the worked solution that
closes with "#### N". Two sources: "practice", which this project generates itself, and
"gsm8k", the 8,792 problems of Cobbe et al. (2021), "Training Verifiers to Solve Math
Word Problems". GSM8K comes from the first of these that has it:

1. a local file or folder: `path=`, or the environment variable GSM8K_PATH;
2. the cache that the library `datasets` keeps, without any network;
3. the Hugging Face hub, once a short probe has reached it.
"""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.settings import path_setting

from . import practice

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = {"practice": practice.SPLITS, "gsm8k": ("train", "test")}
COLUMNS = ("question", "answer")
PRACTICE_SIZE = 500
HUB_FILE = "{}-00000-of-00001.parquet"
FILE_NAMES = ("{}.jsonl", "{}.parquet", HUB_FILE, "main/" + HUB_FILE)
WAYS_OUT = (
    "Either set GSM8K_PATH (or path=) to a .jsonl or .parquet file with the columns "
    "question and answer, or to a folder with {split}.jsonl in it; or connect to the "
    'internet once and run load_problems("gsm8k", "{split}") again: it then stays in '
    'the cache. load_problems("practice") needs neither.'
)


def load_problems(
    name: str,
    split: str = "test",
    limit: int | None = None,
    path: str | Path | None = None,
    seed: int = 0,
) -> "Dataset":
    """Load "practice" or "gsm8k" problems: columns `question` and `answer`.

    `split` is "train" or "test" (practice also has "validation"); a single local file
    is taken as it is, whatever the split. `limit` is the number of problems; None means
    500 of practice and all of gsm8k. For practice, `seed` seeds the generator; for
    gsm8k, 0 keeps the published order and any other seed shuffles before `limit` cuts.

    Raises ValueError (an argument, a bad file), FileNotFoundError (no such path)
    or ConnectionError (gsm8k neither local, nor cached, nor reachable).
    """
    if name not in SPLITS:
        raise ValueError(f'No problems named {name!r}. Type "practice" or "gsm8k".')
    if split not in SPLITS[name]:
        raise ValueError(f"{name} has no split {split!r}. Type one of {SPLITS[name]}.")
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, or None for all; got {limit}.")
    if name == "practice":
        if path:
            raise ValueError('path= is for "gsm8k"; practice problems are generated.')
        return _practice(split, limit or PRACTICE_SIZE, seed)
    path = path or path_setting("GSM8K_PATH")
    problems = read_problems(find_file(path, split)) if path else _from_hub(split)
    order = list(range(len(problems)))
    if seed != 0:
        random.Random(seed).shuffle(order)
    return problems.select(order[:limit])


def _practice(split: str, n: int, seed: int) -> "Dataset":
    from datasets import Dataset

    return Dataset.from_list(practice.generate(split, n, seed=seed))


def find_file(path: str | Path, split: str) -> Path:
    """The file at `path`, or the one in the folder `path` that holds `split`."""
    path = Path(path).expanduser()
    if path.is_file():
        return path
    for name in FILE_NAMES:
        if (file := path / name.format(split)).is_file():
            return file
    raise FileNotFoundError(
        f"GSM8K is not at {path}: it is neither a file nor a folder with {split}.jsonl "
        f"or {split}.parquet in it. Set path= or GSM8K_PATH to one."
    )


def read_problems(file: Path) -> "Dataset":
    """Read one .jsonl or .parquet file into memory; other columns are left out."""
    from datasets import Dataset

    if file.suffix not in (".jsonl", ".json", ".parquet"):
        raise ValueError(f"{file} must be a .jsonl or a .parquet file.")
    rows = []
    for place, row in _parquet(file) if file.suffix == ".parquet" else _jsonl(file):
        texts = [row.get(c) for c in COLUMNS] if isinstance(row, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            found = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise ValueError(
                f"{place} must hold the texts question and answer; it holds: {found}."
            )
        rows.append(dict(zip(COLUMNS, texts, strict=True)))
    if not rows:
        raise ValueError(f"{file} holds no problems.")
    return Dataset.from_list(rows)


def _jsonl(file: Path) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                yield f"{file}, line {number},", json.loads(line.decode("utf-8-sig"))
            except ValueError as error:
                raise ValueError(
                    f"{file}, line {number}, is not JSON in UTF-8: {error}. "
                    'Write one {"question": ..., "answer": ...} a line.'
                ) from error


def _parquet(file: Path) -> Iterator[tuple[str, object]]:
    import pyarrow.parquet  # comes with datasets

    try:
        rows = pyarrow.parquet.read_table(file).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(f"{file} is not a Parquet file: {error}") from error
    for number, row in enumerate(rows, start=1):
        yield f"{file}, row {number},", row


def _from_hub(split: str) -> "Dataset":
    """From the hub, or from the cache if GSM8K is there (no network is used then)."""
    import datasets

    datasets.disable_progress_bars()  # a notebook prints the same, cached or not
    datasets.logging.set_verbosity_error()
    offline = datasets.config.HF_HUB_OFFLINE
    with suppress(OSError, ValueError):  # what the library raises if it is not cached
        return _from_cache(split)
    failure = "it cannot be reached"
    if not offline and is_reachable(datasets.config.HF_ENDPOINT):
        try:
            return datasets.load_dataset("openai/gsm8k", "main", split=split)
        except (
            Exception
        ) as error:  # three libraries meet here, each with its own errors
            failure = f"{type(error).__name__}: {error}"
    raise ConnectionError(
        f"GSM8K is neither in the cache nor to be had from the Hugging Face hub "
        f"({failure}). {WAYS_OUT.format(split=split)}"
    )


def _from_cache(split: str) -> "Dataset":
    import datasets

    offline = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True  # read at every call, unlike the variable
    try:
        return datasets.load_dataset("openai/gsm8k", "main", split=split)
    finally:
        datasets.config.HF_HUB_OFFLINE = offline


def is_reachable(url: str, seconds: float = 1.5) -> bool:
    """Does the server of `url`, or the proxy that leads to it, accept a connection?

    The library itself takes 23 s to find out that it does not. A thread bounds the
    whole wait: a socket's time limit covers neither the look-up of the name nor the
    second address.
    """
    import socket
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    target = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = target.port or {"http": 80, "https": 443}.get(target.scheme, 1080)
    reached = threading.Event()

    def connect() -> None:
        with (
            suppress(OSError, UnicodeError),
            socket.create_connection((target.hostname, port), timeout=seconds),
        ):
            reached.set()

    probe = threading.Thread(target=connect, daemon=True)
    probe.start()
    probe.join(seconds)
    return reached.is_set()
