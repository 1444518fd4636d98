"""A scripted HTTP server that answers OpenAI's completions with vLLM's field names.

It stands in for the wire only; its sentences say which seed was asked for. The real
thing is llama.cpp's own server, in tests/llm/test_openai_client.py.
"""

from fake_ollama import ScriptedServer

USUAL = object()


class FakeVLLM(ScriptedServer):
    """Answers without a language model, as vLLM does: log-probabilities in four lists,
    the token of the stop string among them, `stop_reason` beside `finish_reason`.

    ignores: wishes that it does not hear: "n", "logprobs", "usage".
    key: without which it lets nobody in. fields: of every choice, to change.
    """

    def __init__(self, *models, ignores=(), key=""):
        super().__init__()
        self.models, self.ignores, self.key = models or ("scripted",), ignores, key
        self.fields = {}

    def usual(self, path, body):
        told = {k.lower(): v for k, v in self.headers[-1].items()}
        is_let_in = told.get("authorization") == f"Bearer {self.key}"
        if self.key and path.startswith("/v1/") and not is_let_in:
            return 401, {"error": "Unauthorized"}
        if path == "/v1/models":
            return 200, {"object": "list", "data": [
                {"id": name, "object": "model", "owned_by": "vllm",
                 "max_model_len": 4096} for name in self.models]}  # fmt: skip
        if path != "/v1/completions":
            return 404, {"detail": "Not Found"}
        if body["model"] not in self.models:
            return 404, error(f"The model `{body['model']}` does not exist.", 404)
        size = len(body["prompt"].split())
        if size + body["max_tokens"] > 4096:
            said = "This model's maximum context length is 4096 tokens. However, you "
            return 400, error(f"{said} requested {size} of them.", 400)
        n = 1 if "n" in self.ignores else body["n"]
        written = n * min(5, body["max_tokens"])
        usage = {"prompt_tokens": size, "completion_tokens": written,
                 "total_tokens": size + written}  # fmt: skip
        said = {"id": "cmpl-1", "object": "text_completion", "model": body["model"],
                "choices": [self.choice(body, i) for i in range(n)]}  # fmt: skip
        return 200, said | ({} if "usage" in self.ignores else {"usage": usage})

    def choice(self, body, i):
        """Sentence number seed + i: four tokens, and the newline that ended it; or as
        many of them as it may have."""
        number = body.get("seed", 0) + i
        tokens = [" Sentence", " number", f" {number}", ".", "\n"]
        tokens = tokens[: body["max_tokens"]]
        is_cut = len(tokens) < 5
        told = {
            "tokens": tokens,
            "token_logprobs": [-0.5, -1.5, -0.5, -1.5, -9.0][: len(tokens)],
            "text_offset": [0, 9, 16, 18, 19][: len(tokens)],
            "top_logprobs": [{t: -0.5, "x": -2.5} for t in tokens],
        }
        return {
            "index": i,
            "text": "".join(tokens[:4]),
            "logprobs": None if "logprobs" in self.ignores else told,
            "finish_reason": "length" if is_cut else "stop",
            "stop_reason": None if is_cut else "\n",
        } | self.fields


def error(said, status):
    return {"error": {"message": said, "type": "BadRequestError", "code": status}}
