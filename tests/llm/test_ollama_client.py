"""One server: who answers in its place, what is not believed, where secrets go."""

import base64
import json
import re
import signal
import threading
import traceback
import warnings
from importlib.util import find_spec

import pytest
from fake_ollama import BREAK, HANG, FakeOllama, answer

from helpers.llm import LLMError, LLMGen, connection, failure
from helpers.llm.addresses import read_address
from helpers.llm.errors import ADVICE, quoted
from helpers.llm.ollama_client import OllamaClient
from helpers.wire import Response

PROMPT = "Question: What is 2 + 3?\nAnswer:\n"
OPTIONS = {"num_ctx": 512, "num_predict": 64, "stop": ["\n"], "seed": 1}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "BACKOFF", (0.0,))


@pytest.fixture
def client(server):
    return OllamaClient(read_address(server.host), 5.0)


def ask(server, client, *said):
    """Which failure it is, and how it is told."""
    server.script["/api/generate"].extend(said)
    with pytest.raises(LLMError) as error:
        client.generate("scripted", PROMPT, options=OPTIONS)
    return error.value.kind, str(error.value)


# Who answers in Ollama's place


@pytest.mark.parametrize("status", [500, 502, 503, 504, 407])
@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b'{"detail": "x"}'])
def test_a_gateway_is_told_as_what_it_is(server, client, status, body):
    kind, said = ask(server, client, (status, body))
    assert kind == "gateway" and "Not Ollama but another program" in said
    assert str(status) in said and "several tries" not in said


def test_only_ollama_itself_is_busy(server, client):
    busy = {
        "error": "server busy, please try again.  maximum pending requests exceeded"
    }
    assert ask(server, client, (503, busy))[0] == "busy"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [{"error": "unauthorized"}, b"Forbidden"])
def test_a_locked_door_says_how_it_is_opened(server, client, status, body):
    kind, said = ask(server, client, (status, body))
    assert kind == "locked" and "http://user:password@" in said


@pytest.mark.parametrize("path", ["/api/show", "/api/generate"])
def test_a_404_that_is_not_ollamas_pulls_nothing(server, client, path):
    server.script[path].append((404, b"404 page not found"))
    with pytest.raises(LLMError, match="does not speak Ollama") as error:
        LLMGen("scripted", host=server.host)(PROMPT)
    assert error.value.kind == "language"
    assert not server.bodies("/api/pull")


def test_another_program_that_says_200(server, client):
    """LM Studio answers every path with 200 and an error."""
    said = {"error": "Unexpected endpoint or method. (POST /api/generate)"}
    kind, text = ask(server, client, (200, said))
    assert kind == "language" and "Unexpected endpoint" in text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_followed(server, client, status):
    with FakeOllama("scripted") as other:
        there = f"{other.host.replace('//', '//u:secret@')}/api/generate"
        kind, said = ask(
            server, client, (status, b"", "text/html", {"Location": there})
        )
        assert kind == "redirect" and other.host in said and "secret" not in said
        assert other.requests == []


# What is not believed


@pytest.mark.parametrize(
    "changes",
    [{"eval_count": -5}, {"eval_count": 65}, {"eval_count": 10**12},
     {"prompt_eval_count": -1}, {"logprobs": [{"token": "a", "logprob": 5.0}]},
     {"response": 7}, {"done": "yes"}, {"logprobs": "none"}],
    ids=str,
)  # fmt: skip
def test_an_odd_answer_is_no_answer(server, client, changes):
    kind, said = ask(server, client, (200, answer(PROMPT, 1, **changes)))
    assert kind == "language" and "Type the right address" in said


NONSENSE = [
    b"", b"null", b"[]", b"7", b"{", b"\xff\xfe", b"[" * 100_000, b"<html>",
    b'{"done": true, "response": "x", "eval_count": ' + b"9" * 5000 + b"}",
    b'{"done": true, "response": "x", "logprobs": [{"token": "a", "logprob": NaN}]}',
    b'{"a":' * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("path", ["show", "tags", "generate", "embed"])
def test_nonsense_ends_in_a_sentence_whatever_was_asked(server, client, body, path):
    server.script[f"/api/{path}"].append((200, body))
    calls = {
        "show": lambda: client.show("m"),
        "tags": client.list,
        "generate": lambda: client.generate("scripted", PROMPT, options=OPTIONS),
        "embed": lambda: client.embed("m", ["x"]),
    }
    with pytest.raises(LLMError, match="does not speak Ollama's language") as error:
        calls[path]()
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    "found",
    [[], [[1.0], [2.0]], [["a"]], [[None]], [1.0], "x", None, [[float("1e999")]]],
)
def test_vectors_are_checked(server, client, found):
    said = json.dumps({"embeddings": found}).encode()
    server.script["/api/embed"].append((200, said))
    with pytest.raises(LLMError, match="does not speak"):
        client.embed("m", ["x"])


@pytest.mark.parametrize("said", [[1], {"version": 3}, {}, None, "0.33"])
def test_an_odd_version_is_none(server, client, said):
    server.script["/api/version"].append((200, json.dumps(said).encode()))
    assert client.version() is None


@pytest.mark.parametrize("size", ["abc", -5, 0, 1, None, 2.5, True, [512], 512])
def test_an_odd_context_is_not_told(server, size):
    server.show["model_info"] = {"llama.context_length": size}
    wanted = 512 if size == 512 else 2048
    assert LLMGen("scripted", host=server.host).connection.options["num_ctx"] == wanted


def test_a_server_without_version_and_list_is_asked_all_the_same(server):
    """Gateways let some paths through, and not others."""
    for path in ("/api/version", "/api/tags"):
        server.script[path].extend([(404, b"nothing here")] * 9)
    llm = LLMGen("scripted", host=server.host)
    assert llm.sample(PROMPT, 1, seed=0)
    facts = llm.connection.provenance()
    assert (facts["digest"], facts["server"], facts["engine"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_ctx", -5), ("num_predict", 0), ("num_predict", -7), ("top_p", 7),
     ("temperature", -1), ("temperature", "hot"), ("seed", -1), ("min_p", 2),
     ("warmth", 3), ("stop", [""]), ("stop", ["x", 3]), ("top_k", 1.5),
     ("temperature", True)],
)  # fmt: skip
def test_options_that_servers_do_not_check_are_checked(server, client, name, value):
    with pytest.raises(ValueError, match=name):
        client.generate("scripted", PROMPT, options={name: value})
    assert not server.requests


def test_options_that_are_fine(client):
    fine = {"num_predict": -1, "stop": [], "temperature": 0, "num_thread": 4}
    assert client.generate("scripted", PROMPT, options=fine | {"seed": 1}).done


# A stop that is ignored


def test_a_stop_that_the_server_ignores_is_applied(server):
    tokens = [" a", " b", ".\n", "Qu", "estion"]
    told = [{"token": t, "logprob": -1.0 - i} for i, t in enumerate(tokens)]
    server.changes = {"response": " a b.\nQuestion", "eval_count": 6, "logprobs": told,
                      "done_reason": "length"}  # fmt: skip
    llm = LLMGen("scripted", host=server.host)
    with pytest.warns(UserWarning, match="writes on after the stop") as warned:
        steps = llm.sample(PROMPT, 3, seed=0)
    assert len(warned) == 1  # once, not once a step
    for step in steps:
        assert (step.text, step.tokens, step.reason) == ("a b.", 6, "stop")
        assert step.logprob == -1.5  # ".\n" holds the stop string


def test_the_first_of_several_stops_counts(server, client):
    server.changes = {"response": "one two three"}
    with warnings.catch_warnings(record=True):
        stops = OPTIONS | {"stop": ["three", " two"]}
        assert client.generate("scripted", "x", options=stops).response == "one"


def test_several_stops_are_sent(server):
    LLMGen("scripted", host=server.host, stop=("\n", "Question:"))("x")
    sent = server.bodies("/api/generate")[0]["options"]["stop"]
    assert sent == ["\n", "Question:"]
    for stop in ([], [""], [3], 3, None, b"\n"):
        with pytest.raises(ValueError, match="^stop="):
            LLMGen("scripted", host=server.host, stop=stop)


# Secrets


@pytest.fixture
def locked(server):
    """A server that wants a password, and its address with it."""
    return server, server.host.replace("//", "//anna:ge%3Aheim@")


def test_a_password_is_sent_to_its_server_and_told_to_nobody(locked, tmp_path):
    server, host = locked
    seen = server.headers
    llm = LLMGen("scripted", host=host, record=str(tmp_path / "a.sqlite"))
    llm.sample(PROMPT, 1, seed=0)
    sent = base64.b64encode(b"anna:ge:heim").decode()
    assert {headers["Authorization"] for headers in seen} == {f"Basic {sent}"}
    server.script["/api/generate"].append(BREAK)
    with pytest.raises(LLMError) as error:
        llm.sample(PROMPT, 1, seed=1)
    told = "".join(traceback.format_exception(error.value))
    told += str(vars(llm.connection) | llm.connection.provenance()) + repr(llm.__dict__)
    told += (tmp_path / "a.sqlite").read_bytes().decode("latin-1")
    assert not re.search("ge%3Aheim|ge:heim|" + sent, told)


def test_an_api_key_goes_to_nobody_but_its_maker(server, monkeypatch):
    monkeypatch.setenv("OLLAMA_API_KEY", "geheim")
    seen = server.headers
    LLMGen("scripted", host=server.host)("x")
    assert seen and not any("Authorization" in headers for headers in seen)
    cloud = OllamaClient(read_address("https://ollama.com"), 1.0)
    assert cloud.line.headers["Authorization"] == "Bearer geheim"
    for other in ("http://ollama.com", "https://ollama.com.evil.org"):
        line = OllamaClient(read_address(other), 1.0).line
        assert "Authorization" not in line.headers


# OpenAI's interface


def test_an_address_of_openais_interface(server):
    llm = LLMGen("scripted", host=f"{server.host}/v1/")
    assert llm.sample(PROMPT, 1, seed=0)  # Ollama is behind it: its own is used
    assert {path.split("/")[1] for path, _ in server.requests} == {"api"}
    server.script["/api/version"].append((404, b'{"detail": "Not Found"}'))
    with pytest.raises(LLMError) as error:  # nor is it OpenAI's
        LLMGen("scripted", host=f"{server.host}/v1")
    assert error.value.kind == ("no_openai" if find_spec("openai") else "package")


# What is said


NAMES = ("address", "model", "file", "proxy", "way", "package", "extra")


def test_what_others_say_is_short_and_harmless():
    said = quoted("\x1b[31mred\x1b[0m\n\n" + "x" * 10**6)
    assert "\x1b" not in said and "\\x1b[31mred" in said and len(said) < 400
    for kind in ADVICE:
        facts = dict.fromkeys(NAMES, "x")
        error = failure(kind, said="\x1b[2J\n" * 999, timeout=1, num_ctx=2, **facts)
        assert str(error).isprintable() and len(str(error)) < 800 and error.kind == kind


def test_a_server_that_says_megabytes(server, client):
    kind, said = ask(server, client, (500, {"error": "\x1b[31m" + "x" * 3_000_000}))
    assert kind == "other" and len(said) < 600 and said.isprintable()


def test_half_a_character_in_a_prompt_is_ours(server):
    llm = LLMGen("scripted", host=server.host)
    with pytest.raises(ValueError, match="prompt holds half a character.*utf-8"):
        llm.sample("a\ud83d", 1, seed=0)
    with pytest.raises(ValueError, match="stop holds half a character"):
        LLMGen("scripted", host=server.host, stop="\ud83d")


def test_abacus_asks_no_host():
    with pytest.raises(ValueError, match='Type LLMGen."abacus:latest", host=') as error:
        LLMGen("Abacus", host="http://anna:geheim@pc")
    assert "geheim" not in str(error.value)


def test_an_answer_that_is_not_done_is_an_empty_response(server, client):
    error = {"error": "prediction aborted, token repeat limit reached"}
    server.script["/api/generate"].append((500, error))
    assert client.generate("scripted", "x", options=OPTIONS) == Response(done=False)


# A download


@pytest.mark.parametrize("odd", [None, -1, "x", [], {}, True, 1e308, 10**400])
@pytest.mark.parametrize("name", ["digest", "completed", "total", "status"])
def test_a_download_that_tells_nonsense_is_shown_all_the_same(
    server, name, odd, capsys
):
    part = {"status": "pulling", "digest": "d", "completed": 1, "total": 2}
    told = [part, part | {name: odd}, {"status": "success"}]
    server.script["/api/pull"].append((200, told))
    with pytest.raises(LLMError, match="has no model 'fresh'"):  # it is not there yet
        LLMGen("fresh", host=server.host)
    capsys.readouterr()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_an_interrupt_leaves_the_client_usable(server):
    """Ctrl-C while an answer is awaited: the next one is not its answer."""
    llm = LLMGen("scripted", host=server.host)
    server.script["/api/generate"].append(HANG)
    main = threading.main_thread().ident

    def interrupt():
        server.asked.wait()
        signal.pthread_kill(main, signal.SIGINT)

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            llm.sample(PROMPT, 1, seed=0)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert llm.sample(PROMPT, 1, seed=1)[0].text.startswith("Sentence number")


# The way to another computer

FAR = "http://10.255.255.1:1"  # nobody is asked: the proxy is in the way
PROXIES = [
    "http://127.0.0.1:port", "://::/", "http://[::1", "socks://127.0.0.1:1",
    "\U0001f600", "socks5://127.0.0.1:1", "http://127.0.0.1:99999", "ftp://127.0.0.1:1",
    "http://127.0.0.1:1", "'http://127.0.0.1:1'", "https://127.0.0.1:1",
    "http://anna:geheim@127.0.0.1:1", "socks://anna:geheim@127.0.0.1:1", "127.0.0.1:1",
]  # fmt: skip


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_that_cannot_be_used_is_named(proxy, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(
        LLMError, match="The proxy .* cannot be used.*NO_PROXY"
    ) as error:
        LLMGen("scripted", host=FAR)
    told = "".join(traceback.format_exception(error.value))
    assert error.value.kind == "proxy" and "geheim" not in told
    monkeypatch.setenv("NO_PROXY", "10.255.255.1")
    assert OllamaClient(read_address(FAR), 1.0).proxy is None


def test_a_proxy_that_answers_in_the_servers_place_is_named(server, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", server.host)
    server.script[f"{FAR}/api/show"].append((502, b"<html>no route"))
    with pytest.raises(LLMError, match=f"the proxy {server.host} answers at") as error:
        LLMGen("scripted", host=FAR)
    assert error.value.kind == "gateway"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
def test_certificates_that_cannot_be_used_are_named(name, monkeypatch):
    monkeypatch.setenv(name, "/no/such/place")
    with pytest.raises(LLMError, match=f"No certificates .*{name}") as error:
        LLMGen("scripted", host="https://127.0.0.1:1")
    assert error.value.kind == "certificates"
