"""abacus as a GGUF file: what llama.cpp makes of it is what the NumPy engine has."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")

from helpers.abacus import (  # noqa: E402
    HASTY,
    Engine,
    init_params,
    write_gguf,
)
from helpers.abacus.export import main  # noqa: E402
from helpers.abacus.tokenizer import load_merges, save_merges  # noqa: E402
from helpers.abacus.transformer import shapes  # noqa: E402
from helpers.problems import generate  # noqa: E402

ENGINE = Engine()


@pytest.fixture(scope="module", params=[16, 32])
def bits(request):
    return request.param


@pytest.fixture(scope="module")
def reader(bits, tmp_path_factory):
    """The file as the package `gguf` reads it."""
    path = tmp_path_factory.mktemp("gguf") / "deep" / "model.gguf"
    write_gguf(ENGINE, path, bits)
    return gguf.GGUFReader(path)


def field(reader, name):
    return reader.fields[name].contents()


def test_every_parameter_is_there_and_none_lost_anything(reader, bits):
    """The weights that ship are numbers of 16 bits, so both files hold them exactly."""
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert len(found) == len(ENGINE.params)
    assert sum(a.size for a in found.values()) == ENGINE.size
    assert (found["token_embd.weight"] == ENGINE.params["embedding"]).all()
    assert (found["blk.3.ffn_down.weight"] == ENGINE.params["3.down"].T).all()
    kind, told = {16: (np.float16, 1), 32: (np.float32, 0)}[bits]
    assert field(reader, "general.file_type") == told
    for name, array in found.items():
        assert array.dtype == (np.float32 if "norm" in name else kind)


def test_matrices_are_outputs_by_inputs(reader):
    wanted = shapes(init_params(ENGINE.config, 0))
    found = {tensor.name: tensor.data.shape for tensor in reader.tensors}
    assert found["blk.0.ffn_up.weight"] == wanted["0.up"][::-1]
    assert found["blk.4.attn_q.weight"] == wanted["4.query"][::-1]


def test_the_shape_is_that_which_show_tells(reader):
    from helpers.abacus import AbacusClient

    told = AbacusClient().show("abacus")["model_info"]
    told.pop("general.parameter_count")  # programs count the tensors
    assert {name: field(reader, name) for name in told} == told


def test_the_tokens_in_the_notation_of_gpt2(reader, tmp_path):
    tokens, kinds = (
        field(reader, f"tokenizer.ggml.{n}") for n in ("tokens", "token_type")
    )
    assert tokens[0] == "<|endoftext|>" and kinds[0] == gguf.TokenType.CONTROL
    assert len(tokens) == len(set(tokens)) == ENGINE.config.vocab
    assert tokens[1 + ord("\n")] == "\u010a" and "\u0120the" in tokens
    file = tmp_path / "merges.txt"
    file.write_text("\n".join(field(reader, "tokenizer.ggml.merges")), encoding="utf-8")
    assert load_merges(file) == ENGINE.tokenizer.merges
    save_merges(ENGINE.tokenizer.merges, file)
    assert load_merges(file) == ENGINE.tokenizer.merges


def test_the_command_writes_a_model_and_its_modelfile(tmp_path, monkeypatch, capsys):
    file = tmp_path / "build" / "abacus.gguf"
    monkeypatch.setattr(sys, "argv", ["export", "--gguf", str(file)])
    main()
    said = capsys.readouterr().out
    assert f"ollama create abacus -f {file.parent / 'Modelfile'}" in said
    assert (file.parent / "Modelfile").read_text(encoding="utf-8").splitlines() == [
        "FROM ./abacus.gguf",
        'TEMPLATE "{{ .Prompt }}"',
        "PARAMETER repeat_penalty 1",
        "PARAMETER num_thread 1",
    ]


def test_another_model_has_other_parameters(tmp_path, monkeypatch, capsys):
    file, weights = str(tmp_path / "hasty.gguf"), str(HASTY)
    arguments = ["--gguf", file, "--weights", weights, "--bits", "32"]
    monkeypatch.setattr(sys, "argv", ["export", *arguments])
    main()
    assert "ollama create hasty -f" in capsys.readouterr().out
    found = {t.name: t.data for t in gguf.GGUFReader(file).tensors}
    with np.load(weights) as wanted:
        assert (found["output_norm.weight"] == wanted["final_norm"]).all()
        assert (found["token_embd.weight"] == wanted["embedding"]).all()
    assert found["token_embd.weight"].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of the arguments --gguf --hf is required"),
        (["--gguf", "a.gguf", "--hf", "b"], "not allowed with"),
        (["--gguf", "a.gguf", "--bits", "4"], "invalid choice"),
        (["--gguf", "a.gguf", "--weights", "none.npz"], "there is no file none.npz"),
        (["--gguf", "a.gguf", "--weights", "text"], "text is no model of abacus"),
        (["--gguf", "Modelfile"], "ends in .gguf"),
        (["--gguf", ""], "ends in .gguf"),
        (["--gguf", "text/a.gguf"], "text"),
        (["--gguf", "a.gguf"], "Modelfile is another model's; name another folder"),
    ],
)
def test_what_the_command_refuses(arguments, said, tmp_path, monkeypatch, capsys):
    """And it leaves all files as they are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["export", *arguments])
    files = {"text": "no weights", "Modelfile": "FROM mine"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2 and said in capsys.readouterr().err
    assert {f.name: f.read_text(encoding="utf-8") for f in tmp_path.iterdir()} == files


def test_a_second_export_replaces_the_first(tmp_path):
    for _ in range(2):
        file = write_gguf(ENGINE, tmp_path / "a b.gguf", 16)
    assert file.read_text(encoding="utf-8").startswith("FROM ./a b.gguf\n")


def test_without_the_package_it_says_what_to_type(tmp_path):
    code = (
        "import sys; sys.modules['gguf'] = None; sys.argv[1:] = ['--gguf', 'a.gguf']\n"
        "from helpers.abacus.export import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 2 and 'pip install -e ".[test]"' in run.stderr


def some_texts(n):
    """Texts of many kinds: sentences, numbers, white space, every script, emoji."""
    rng = random.Random(7)
    ranges = [(32, 126), (48, 57), (9, 13), (160, 591), (880, 1279), (1424, 1791)]
    ranges += [(2304, 3711), (8192, 8399), (12288, 12543), (19968, 40959)]
    ranges += [(44032, 55203), (127744, 129750)]
    words = [
        "I'll",
        " don't",
        "$3.50",
        "3*4 = 12",
        "\n\n",
        "  ",
        "\t",
        "1,000",
        "½",
        "#",
    ]
    texts = [p["question"] + p["answer"] for p in generate("test", n // 4)]
    while len(texts) < n:
        parts = []
        for _ in range(rng.randint(1, 12)):
            low, high = rng.choice(ranges)
            drawn = "".join(
                chr(rng.randint(low, high)) for _ in range(rng.randint(1, 5))
            )
            parts.append(rng.choice([drawn, rng.choice(words), " " + drawn]))
        texts.append("".join(parts))
    return texts


def test_llama_cpp_cuts_a_thousand_texts_into_the_same_tokens(reader):
    xllamacpp = pytest.importorskip("xllamacpp")
    import httpx

    params = xllamacpp.CommonParams()
    params.model.path, params.verbosity, params.n_ctx = (
        str(reader.data.filename),
        -1,
        64,
    )
    server = xllamacpp.Server(params)
    wrong = []
    with httpx.Client(base_url=server.listening_address) as line:
        for text in some_texts(1000):
            body = {"content": text, "add_special": False, "parse_special": False}
            ids = line.post("/tokenize", json=body).json()["tokens"]
            if ids != ENGINE.tokenizer.encode(text):
                wrong.append(text)
        body = {"content": "x", "add_special": True}
        assert line.post("/tokenize", json=body).json()["tokens"] == ENGINE.encode("x")
    assert wrong == []
