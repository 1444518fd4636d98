"""The bridge to PyTorch: abacus in other hands is itself, and TRL learns from our rows.

Run by `make test-train`; it needs the extra `train`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("trl")

from helpers.abacus import (  # noqa: E402
    HASTY,
    Engine,
    causal_attention,
    hidden_states,
    logits,
    rotary,
)
from helpers.problems import format_solution, generate, prompt_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LABELS = ROOT / "notebooks" / "runs" / "labels.jsonl"


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the command writes."""
    target = tmp_path_factory.mktemp("hf")
    command = [sys.executable, "-m", "helpers.abacus.export", "--hf", str(target)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return target


def our_log_probs(engine, ids):
    positions = rotary(engine.config, 0, len(ids))
    tokens, attend = np.array([ids]), causal_attention()
    states = hidden_states(engine.params, tokens, engine.config, positions, attend)
    return logits(engine.params, states)[0]


def test_hugging_face_computes_the_same_logits(engine, folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for problem in generate("test", 20):
        text = prompt_of(problem) + format_solution(problem["answer"])
        ids = tokenizer(text)["input_ids"]
        assert ids == engine.encode(text)
        assert tokenizer.decode(ids[1:]) == text
        with torch.no_grad():
            found = model(torch.tensor([ids])).logits[0].numpy()
        np.testing.assert_allclose(found, our_log_probs(engine, ids), atol=1e-4)


def test_trl_learns_from_our_rows(folder, tmp_path):
    from datasets import load_dataset
    from transformers import AutoModelForTokenClassification, AutoTokenizer
    from trl.experimental.prm import PRMConfig, PRMTrainer

    out = tmp_path / "trl.jsonl"
    command = [sys.executable, "-m", "helpers.learning", "export", "--trl", str(out)]
    subprocess.run([*command, "--labels", str(LABELS)], check=True, cwd=ROOT)
    data = load_dataset("json", data_files=str(out), cache_dir=tmp_path)["train"]
    assert set(data.column_names) == {"prompt", "completions", "labels"}
    torch.manual_seed(0)
    trainer = PRMTrainer(
        model=AutoModelForTokenClassification.from_pretrained(folder, num_labels=2),
        processing_class=AutoTokenizer.from_pretrained(folder),
        train_dataset=data.select(range(64)),
        args=PRMConfig(
            output_dir=str(tmp_path), max_steps=24, learning_rate=1e-3,
            per_device_train_batch_size=8, logging_steps=1, save_strategy="no",
            report_to="none", use_cpu=True, bf16=False, disable_tqdm=True, seed=0,
        ),
    )  # fmt: skip
    row = trainer.train_dataset[0]
    marked = [label for label in row["labels"] if label != -100]
    assert marked == [int(label) for label in data[0]["labels"]]  # 0 and 1, not floored
    trainer.train()
    losses = [x["loss"] for x in trainer.state.log_history if "loss" in x]
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])


def test_trl_runs_the_lines_of_notebook_07(tmp_path, monkeypatch):
    """Its GRPO trainer begins with a model of ours, exported from a file."""
    text = (ROOT / "notebooks" / "07_learning_to_reason.ipynb").read_text("utf-8")
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    (lines,) = re.findall(r"```python\n(.*?)```", "\n".join(cells), flags=re.S)
    weights = str(HASTY)
    command = [sys.executable, "-m", "helpers.abacus.export", "--hf", "build/hasty-hf"]
    path = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--weights", weights], check=True, cwd=tmp_path, env=path)
    monkeypatch.chdir(tmp_path)
    found = {"__name__": "lines"}
    exec(lines, found)  # our own text, not a model's
    log = found["trainer"].state.log_history
    assert found["trainer"].state.global_step == 2
    assert all(0 <= x["reward"] <= 1 for x in log if "reward" in x)
