"""Loading problems: every source, every way it fails, and no network in any of them."""

import json
import logging
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from helpers.problems import data, load_problems
from helpers.problems.data import is_reachable

ROWS = [
    {
        "question": f"What is {i} + 1? \u2028 é",
        "answer": f"It is {i + 1}.\n#### {i + 1}",
    }
    for i in range(20)
]
PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GSM8K on this computer, no proxy, and a hub that nobody answers for."""
    monkeypatch.delenv("GSM8K_PATH", raising=False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", closed_door())


def closed_door() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def write_jsonl(file: Path, rows: list) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    file.write_text(text, encoding="utf-8")
    return file


def write_parquet(file: Path, rows: list) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file


def test_the_module_is_light() -> None:
    code = "import sys, helpers.problems; print('datasets' in sys.modules)"
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True).stdout.strip() == "False"


def test_practice_problems_come_from_the_generator() -> None:
    from helpers.problems import generate

    problems = load_problems("practice", "validation", limit=7, seed=3)
    assert isinstance(problems, datasets.Dataset)
    assert problems.column_names == ["question", "answer"]
    assert problems.to_list() == generate("validation", 7, seed=3)
    assert len(load_problems("practice")) == 500


@pytest.mark.parametrize("name", ["{}.jsonl", "{}.parquet", *data.FILE_NAMES[2:]])
def test_a_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = write_parquet if name.endswith("parquet") else write_jsonl
    write(tmp_path / name.format("test"), ROWS)
    write(tmp_path / name.format("train"), ROWS[:3])
    before = sorted(tmp_path.rglob("*"))
    assert load_problems("gsm8k", path=tmp_path).to_list() == ROWS
    monkeypatch.setenv("GSM8K_PATH", str(tmp_path))
    assert load_problems("gsm8k", "train").to_list() == ROWS[:3]
    assert sorted(tmp_path.rglob("*")) == before  # nothing is left beside the data


def test_path_goes_before_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSM8K_PATH", str(tmp_path / "nowhere"))
    file = write_jsonl(tmp_path / "mine.jsonl", ROWS)
    assert load_problems("gsm8k", path=str(file)).to_list() == ROWS
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path))
    assert load_problems("gsm8k", path="~/mine.jsonl").to_list() == ROWS


def test_a_file_with_a_bom_windows_lines_and_more_columns(tmp_path: Path) -> None:
    lines = [json.dumps({"id": 7, **row}) + "\r\n" for row in ROWS]
    file = tmp_path / "problems.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert load_problems("gsm8k", path=file).to_list() == ROWS


def test_limit_and_seed(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "problems.jsonl", ROWS)
    assert load_problems("gsm8k", limit=5, path=file).to_list() == ROWS[:5]
    assert load_problems("gsm8k", limit=99, path=file).to_list() == ROWS
    shuffled = load_problems("gsm8k", path=file, seed=4).to_list()
    expected = list(ROWS)
    random.Random(4).shuffle(expected)
    assert shuffled == expected != ROWS
    assert load_problems("gsm8k", limit=5, path=file, seed=4).to_list() == expected[:5]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='Type "practice" or "gsm8k"'):
        load_problems("math")
    with pytest.raises(ValueError, match="no split 'validation'.*'train', 'test'"):
        load_problems("gsm8k", "validation")
    with pytest.raises(ValueError, match="limit must be at least 1.*got 0"):
        load_problems("practice", limit=0)
    with pytest.raises(ValueError, match='path= is for "gsm8k"'):
        load_problems("practice", path=tmp_path)
    with pytest.raises(FileNotFoundError, match="Set path= or GSM8K_PATH"):
        load_problems("gsm8k", path=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="train.jsonl or train.parquet"):
        load_problems("gsm8k", "train", path=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"question": "a", "answer": "b"}\n{"question"', "line 2, is not JSON"),
        (b'{"question": "\xff", "answer": "b"}', "line 1, is not JSON in UTF-8"),
        (b'\n{"question": "a", "gold": 5}', "line 2, must hold .* question, gold"),
        (b'{"question": "a", "answer": 5}', "line 1, must hold the texts"),
        (b'["question", "answer"]', "line 1, must hold .* it holds: list"),
        (b"\n\n", "holds no problems"),
    ],
)
def test_a_bad_jsonl_file(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "problems.jsonl"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_problems("gsm8k", path=file)


def test_other_bad_files(tmp_path: Path) -> None:
    file = write_parquet(
        tmp_path / "problems.parquet", [{"problem": "a", "answer": "b"}]
    )
    with pytest.raises(ValueError, match="row 1, must hold .* problem, answer"):
        load_problems("gsm8k", path=file)
    file.write_text("not Parquet", encoding="utf-8")
    with pytest.raises(ValueError, match="is not a Parquet file"):
        load_problems("gsm8k", path=file)
    with pytest.raises(ValueError, match=r"must be a .jsonl or a .parquet file"):
        load_problems("gsm8k", path=write_jsonl(tmp_path / "problems.csv", ROWS))


def test_offline_and_not_cached() -> None:
    with pytest.raises(
        ConnectionError, match="GSM8K_PATH.*train.jsonl.*connect to the"
    ):
        load_problems("gsm8k", "train")
    assert datasets.config.HF_HUB_OFFLINE is False


def test_asked_to_stay_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(data, "is_reachable", lambda url: pytest.fail("probed"))
    with pytest.raises(ConnectionError, match="cannot be reached"):
        load_problems("gsm8k")
    assert datasets.config.HF_HUB_OFFLINE is True


def test_a_hub_that_answers_but_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_dataset(*args: str, split: str) -> None:
        if datasets.config.HF_HUB_OFFLINE:
            raise ConnectionError("not cached")
        raise RuntimeError(f"no {split} today")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(data, "is_reachable", lambda url: True)
    with pytest.raises(
        ConnectionError, match="RuntimeError: no test today.*GSM8K_PATH"
    ):
        load_problems("gsm8k")


def fill_cache(cache: Path) -> None:
    """Lay GSM8K's test split down as `datasets` does after a download."""
    folder = cache / "openai___gsm8k" / "main" / "0.0.0" / ("a" * 40)
    folder.mkdir(parents=True)
    table = pyarrow.Table.from_pylist(ROWS)
    file = str(folder / "gsm8k-test.arrow")
    with (
        pyarrow.OSFile(file, "wb") as out,
        pyarrow.ipc.new_stream(out, table.schema) as s,
    ):
        s.write_table(table)
    split = datasets.SplitInfo("test", num_examples=len(ROWS), dataset_name="gsm8k")
    datasets.DatasetInfo(
        features=datasets.Features.from_arrow_schema(table.schema),
        builder_name="parquet",
        dataset_name="gsm8k",
        config_name="main",
        version="0.0.0",
        splits=datasets.SplitDict({"test": split}),
    ).write_to_directory(str(folder))


def test_the_cache_needs_no_network(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_network(*args: object) -> None:
        pytest.fail("the network was used")

    datasets.logging.set_verbosity_warning()
    logging.getLogger("datasets").addHandler(caplog.handler)
    datasets.enable_progress_bars()
    fill_cache(datasets.config.HF_DATASETS_CACHE)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert load_problems("gsm8k").to_list() == ROWS
    files = sorted(datasets.config.HF_DATASETS_CACHE.rglob("*"))
    assert len(load_problems("gsm8k", limit=3, seed=5)) == 3
    assert sorted(datasets.config.HF_DATASETS_CACHE.rglob("*")) == files
    assert datasets.config.HF_HUB_OFFLINE is False
    logging.getLogger("datasets").removeHandler(caplog.handler)
    assert capfd.readouterr() == ("", "") and not caplog.records


def test_a_probe_finds_an_open_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_reachable(f"http://127.0.0.1:{server.getsockname()[1]}")
    assert not is_reachable(closed_door())


def test_a_probe_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for scheme in ("http://", ""):
            proxy = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            assert is_reachable("https://hub.invalid")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert not is_reachable(closed_door().replace("http:", "https:"))
        monkeypatch.delenv("HTTPS_PROXY")
        monkeypatch.setenv("ALL_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY")
        assert is_reachable("https://hub.invalid")
    monkeypatch.setenv("HTTPS_PROXY", closed_door())
    assert not is_reachable("https://hub.invalid")


def test_a_probe_does_not_wait_for_a_black_hole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def black_hole(*args: object, timeout: float) -> None:
        released.wait()
        raise OSError("name not found")

    monkeypatch.setattr(socket, "create_connection", black_hole)
    try:
        assert is_reachable("https://hub.invalid", seconds=0.01) is False
    finally:
        released.set()
