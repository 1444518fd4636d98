"""What the stand-in for an Ollama server does beyond the recorded exchanges."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import ollama
import pytest

gguf = pytest.importorskip("gguf")
pytest.importorskip("xllamacpp", reason="needs the extra `test`, on x86-64 or a Mac")

from modelfile import Model  # noqa: E402
from ollama_rules import full_name, is_name  # noqa: E402
from ollama_server import CUT, REPEATED, OllamaServer  # noqa: E402

from helpers.abacus import Engine, write_gguf  # noqa: E402

VERSIONS = "0.24.0", "0.33.0"
PROMPT = "Question: Tom has 3 apples and buys 4. How many?\nAnswer:\n"
LONG = "Tom has 12 apples. " * 300
FIRST = "Tom has 3*4 = 12 apples."


@pytest.fixture(scope="module")
def modelfile(tmp_path_factory):
    return write_gguf(Engine(), tmp_path_factory.mktemp("gguf") / "abacus.gguf")


@pytest.fixture(params=VERSIONS)
def server(request, modelfile):
    with OllamaServer(version=request.param) as opened:
        opened.create("abacus", modelfile)
        yield opened


def send(server, path="/api/generate", **body):
    return httpx.post(server.host + path, json=body, timeout=None)


def write(server, prompt=PROMPT, stop=(), n=60, num_ctx=1024, **body):
    """A greedy text."""
    options = {"temperature": 0, "stop": [*stop], "num_predict": n, "num_ctx": num_ctx}
    fixed = {"model": "abacus", "prompt": prompt, "raw": True, "stream": False}
    return send(server, **fixed | {"options": options} | body).json()


# Tokens and stop strings


def test_a_server_may_ignore_stop_strings(server):
    assert write(server, stop=["\n"])["response"] == FIRST
    server.ignores_stop = True
    assert write(server, stop=["\n"])["response"].startswith(FIRST + "\nTom")


def test_what_is_held_back_is_lost_by_new_runners(server):
    """A stop string of two newlines may begin at each; at the end, none came."""
    said, alone = (write(server, stop=s, logprobs=True) for s in (["\n\n"], []))
    told = [token["token"] for token in said["logprobs"]]
    assert said["response"] == alone["response"] == "".join(told)
    assert said["response"].count("\n") == 3 and said["response"].endswith("\n")
    assert said["eval_count"] == alone["eval_count"] == len(alone["logprobs"]) + 1
    if server.is_old:
        assert told == [token["token"] for token in alone["logprobs"]]
    else:
        assert len(told) == said["eval_count"] - 3
        assert sum(token[0] == "\n" for token in told) == 3
        assert said["logprobs"][-1]["logprob"] != alone["logprobs"][-1]["logprob"]


@pytest.mark.parametrize("stops", [["12 app"], ["12 app", "apples"], ["apples", "ap"]])
def test_the_text_ends_before_a_stop_string(stops, server):
    said = write(server, stop=stops, logprobs=True)
    assert said["response"] == FIRST.partition(stops[0])[0]
    assert said["done_reason"] == "stop"


def test_a_model_that_repeats_itself(server):
    """An old server gives up quietly, another one with an error."""
    server.repeat_limit = 3
    said = write(server, "1" * 40)
    if server.is_old:
        assert not said["done"] and "done_reason" not in said and said["response"]
        return
    assert said == {"error": REPEATED}
    body = {"model": "abacus", "prompt": "1" * 40, "raw": True}
    stream = send(server, **body, options={"temperature": 0})
    assert stream.status_code == 200 and stream.text.count("response") > 3
    assert stream.text.splitlines()[-1] == f'{{"error": "{REPEATED}"}}'


# Prompts and contexts


def test_a_server_that_knows_neither_truncate_nor_shift_cuts(server):
    server.knows_truncate = False
    said = write(server, LONG, num_ctx=256, truncate=False, shift=False, n=2)
    assert said["prompt_eval_count"] == (256 if server.is_old else 131)


@pytest.mark.parametrize("num_ctx", [512, 1024])
def test_a_prompt_that_fills_the_context(num_ctx, server):
    """The last that is not cut has as many tokens, or one less."""
    ids = Engine().tokenizer.encode(LONG)
    room = num_ctx - 1 - (not server.is_old)
    for over in (0, 1):
        prompt = Engine().tokenizer.decode(ids[: room + over])
        said = write(server, prompt, num_ctx=num_ctx, n=1)
        whole = room + over + 1  # and the token that begins every text
        cut = num_ctx if server.is_old else num_ctx - (num_ctx - 5) // 2
        assert said["prompt_eval_count"] == (cut if over else whole)


def test_without_shift_a_full_context_ends_the_text(server):
    ids = Engine().tokenizer.encode(LONG)
    prompt = Engine().tokenizer.decode(ids[:240])
    said = write(server, prompt, num_ctx=256, shift=False)
    assert said["done_reason"] == "length"
    assert said["eval_count"] == (16 if server.is_old else 15)
    assert write(server, prompt, num_ctx=256)["eval_count"] == 60


def test_since_0_30_shift_is_a_setting_of_the_model_in_memory(server):
    for shift in (False, False, True, True):
        write(server, shift=shift, n=1)
    assert server.loads == (1 if server.is_old else 2)


def test_a_refusal_before_the_first_line_of_a_stream(modelfile):
    with OllamaServer() as server:
        server.create("abacus", modelfile)
        body = {"model": "abacus", "prompt": LONG, "raw": True, "shift": False}
        said = send(server, **body, options={"num_ctx": 256})
        assert (said.status_code, said.json()) == (400, {"error": CUT})


def test_a_model_is_loaded_again_only_when_nobody_uses_it(modelfile):
    with OllamaServer(slots=4) as server, ThreadPoolExecutor(8) as pool:
        server.create("abacus", modelfile)
        sizes = [(512, 1024)[i % 2] for i in range(16)]
        found = [*pool.map(lambda n: write(server, num_ctx=n, stop=["\n"]), sizes)]
        assert {said["response"] for said in found} == {FIRST}
        assert server.loads >= 2 and server.at_once == 0


# Models


def test_a_model_comes_and_goes(modelfile):
    with OllamaServer() as server:
        client = ollama.Client(server.host)
        server.registry["abacus"] = modelfile
        *_, layer, last = client.pull("abacus", stream=True)
        assert layer.completed == layer.total > 0 and last.status == "success"
        assert client.pull("abacus").status == "success"
        assert not client.ps().models
        assert client.generate("abacus", "").done_reason == "load"
        (loaded,) = client.ps().models
        assert (loaded.model, loaded.context_length) == ("abacus:latest", 1024)
        assert client.generate("abacus", "", keep_alive=0).done_reason == "unload"
        assert not client.ps().models and client.list().models
        assert client.delete("abacus").status == "success"
        assert not client.list().models
        with pytest.raises(ollama.ResponseError, match="'abacus' not found"):
            client.delete("abacus")
        server.is_offline = True
        with pytest.raises(ollama.ResponseError, match="no such host"):
            client.pull("abacus")


def test_the_same_file_has_another_digest_on_another_server(modelfile):
    found = set()
    for version in VERSIONS:
        with OllamaServer(version=version) as server:
            server.create("abacus", modelfile)
            found |= {m.digest for m in ollama.Client(server.host).list().models}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("file_type", "told"),
    [("ALL_F32", "unknown"), ("MOSTLY_Q4_K_M", "Q4_K_M"), ("MOSTLY_BF16", "BF16")],
)
def test_any_architecture_and_any_quantisation(file_type, told, tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "some.gguf", "qwen2")
    writer.add_file_type(gguf.LlamaFileType[file_type])
    writer.add_context_length(32768)
    writer.add_embedding_length(896)
    writer.add_tensor("output_norm.weight", np.zeros(1_234_000, np.float32))
    for step in ("write_header", "write_kv_data", "write_tensors"):
        getattr(writer, f"{step}_to_file")()
    writer.close()
    (tmp_path / "Modelfile").write_text("FROM some.gguf\n", encoding="utf-8")
    with OllamaServer() as server:
        server.create("some", tmp_path / "Modelfile")
        (found,) = ollama.Client(server.host).list().models
    details = found.details
    assert (details.family, details.quantization_level) == ("qwen2", told)
    assert details.parameter_size == "1.23M"


def test_what_a_modelfile_says(tmp_path):
    file = tmp_path / "Modelfile"
    text = """# a comment
FROM a b.gguf
TEMPLATE \"\"\"{{- range .Messages }}<{{ .Role }}>{{ .Content }}
{{ end }}<assistant>\"\"\"
PARAMETER stop "\\n"
PARAMETER stop <user>
PARAMETER temperature 0.5
PARAMETER num_ctx 2048
"""
    file.write_text(text, encoding="utf-8")
    model = Model.read(file)
    assert model.file == tmp_path / "a b.gguf"
    assert model.parameters["stop"] == ["\\n", "<user>"]
    assert model.parameter_lines.splitlines()[::3] == [
        f"{'num_ctx':30} 2048",
        f"{'temperature':30} 0.5",
    ]
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    assert model.prompt_of(turns) == "<user>x\n<assistant>y\n<assistant>"
    with pytest.raises(KeyError, match="System"):
        model.prompt_of(turns[:1], "{{ .System }}{{ .Prompt }}")


# Requests


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", "missing request body"),
        (b"{", "unexpected EOF"),
        (b'{"model": ', "unexpected EOF"),
        (b"model", "invalid character 'm' looking for beginning of value"),
        (b'{"model" 1}', "invalid character '1' after object key"),
        (b'{"model": "a" "b"}', "invalid character '\"' after object key:value pair"),
        (b"[]", "json: cannot unmarshal array into Go value of type GenerateRequest"),
        (
            b'{"prompt": 1}',
            "json: cannot unmarshal number into Go struct field "
            "GenerateRequest.prompt of type string",
        ),
    ],
)
def test_what_is_no_request(sent, error, server):
    said = httpx.post(server.host + "/api/generate", content=sent)
    assert (said.status_code, said.json()) == (400, {"error": error})


def test_names_are_folded():
    names = ["Abacus", "library/abacus", "abacus:LATEST", "LIBRARY/abacus:latest"]
    assert {full_name(name) for name in names} == {"abacus:latest"}
    assert full_name("hf.co/me/some-GGUF") == "hf.co/me/some-gguf:latest"
    good = ["llama3.2:1b", "me/own", "a.host:5000/me/own:x", "qwen2.5-coder"]
    assert all(map(is_name, good))
    assert not any(map(is_name, ["", "a b", "a:b:c", "/a", "a/", "é"]))
