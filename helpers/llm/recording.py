"""Recorded answers: what a model said once, kept in a file and said again.

Vocabulary: a *recording* is an SQLite file. Its *key* is all that an answer depends on:
the model's digest, the prompt, the options and the seed. To *replay* is to answer from
the file; with `replay_only` nobody else is asked, and no server need be there.

So a teacher records llama3.2 once, and a class room without Ollama runs the same
notebooks on the recording. Calls without a seed draw a fresh one, and so are never
found again. Many processes may use one file. Covers: generating and embedding. Does not
cover: models that changed under the same name, which begin a recording of their own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import failure
from .servers import find_digest, full_name, server_version

if TYPE_CHECKING:
    import ollama

PATIENCE = 60.0  # seconds to wait while other processes write
TABLES = (
    "CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, digest TEXT, "
    "version TEXT, shown TEXT)",
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, digest TEXT, "
    "request TEXT, answer TEXT)",
)


def to_json(value: Any) -> str:
    """JSON with sorted names; pictures, which are bytes, in base64."""

    def encode(picture: bytes) -> str:
        return base64.b64encode(picture).decode("ascii")

    return json.dumps(value, sort_keys=True, default=encode)


def to_text(answer: Any) -> str:
    """An answer of a client as JSON, with the names that are on the wire."""
    return answer.model_dump_json(exclude_none=True, by_alias=True)


class RecordedClient:
    """A client that answers from a recording, and asks another client for the rest.

    client: an `AbacusClient`, an `ollama.Client` or `ManyHosts`; `model` is what it is
        asked for.
    file: the recording; made if it is missing, with its folder.
    replay_only: whatever is not in the file is an error, and nobody is asked.
    Raises LLMError if the file is no recording, or lacks an answer under `replay_only`.
    """

    def __init__(self, client: Any, model: str, file: str, replay_only: bool) -> None:
        self.client, self.model = client, full_name(model)
        self.file, self.replay_only = file, replay_only
        self.digests: dict[str, str] = {}  # by model
        if not file or (replay_only and not Path(file).is_file()):
            raise failure("recording", file=file, said="there is no such file")
        Path(file).parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The file, for one transaction; each has a connection of its own, so that
        threads and processes do not share one."""
        mode = "ro" if self.replay_only else "rwc"
        address = f"{Path(self.file).resolve().as_uri()}?mode={mode}"
        opened = partial(sqlite3.connect, address, uri=True, timeout=PATIENCE)
        try:
            with closing(opened()) as database, database:
                for table in () if self.replay_only else TABLES:
                    database.execute(table)
                yield database
        except sqlite3.Error as error:
            raise failure("recording", file=self.file, said=error) from error

    def show(self, model: str) -> ollama.ShowResponse:
        """What is known of a model; from the file, if the server is not there."""
        import ollama

        found = self._recall_model(model)
        if not self.replay_only:
            try:
                return self._ask_for_model(model)
            except ConnectionError:
                if not found:
                    raise
        if not found:
            said = "it is of " + ", ".join(m.model for m in self.list().models)
            raise failure("missing", file=self.file, model=model, said=said)
        self.digests[model] = found[0]
        return ollama.ShowResponse.model_validate_json(found[2])

    def _ask_for_model(self, model: str) -> ollama.ShowResponse:
        shown = self.client.show(model)
        digest = find_digest(self.client, model) or full_name(model)
        row = full_name(model), digest, server_version(self.client), to_text(shown)
        with self.database() as database:
            database.execute("INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?)", row)
        self.digests[model] = digest
        return shown

    def _recall_model(self, model: str) -> tuple[str, str, str] | None:
        with self.database() as database:
            query = "SELECT digest, version, shown FROM models WHERE name = ?"
            return database.execute(query, [full_name(model)]).fetchone()

    def digest(self, model: str) -> str:
        """The hash of the model's file; its name, if the server lists none."""
        if model not in self.digests:
            self.show(model)
        return self.digests[model]

    def list(self) -> ollama.ListResponse:
        """The models that are recorded."""
        import ollama

        with self.database() as database:
            rows = database.execute("SELECT name, digest FROM models").fetchall()
        models = [ollama.ListResponse.Model(model=n, digest=d) for n, d in rows]
        return ollama.ListResponse(models=models)

    def version(self) -> str | None:
        """The version of the server that the model was recorded from."""
        found = self._recall_model(self.model)
        return found[1] if found else None

    def pull(self, model: str, **settings: Any) -> Any:
        """Have the server fetch a model."""
        return self.client.pull(model, **settings)

    def generate(
        self, model: str, prompt: str = "", **settings: Any
    ) -> ollama.GenerateResponse:
        """One continuation of a prompt, as `ollama.Client` gives it."""
        import ollama

        request = {"call": "generate", "prompt": prompt, **settings}

        def ask(_: Sequence[int]) -> list[Any]:
            return [self.client.generate(model, prompt, **settings)]

        return self._answers(model, [request], ask, ollama.GenerateResponse)[0]

    def generate_many(
        self, model: str, prompts: Sequence[str], *, seeds: Sequence[int],
        options: Mapping[str, Any], **settings: Any,
    ) -> list[ollama.GenerateResponse]:  # fmt: skip
        """One continuation of each prompt by its seed, as `AbacusClient` gives them."""
        import ollama

        requests = [
            {"call": "generate", "prompt": prompt, **settings}
            | {"options": {**options, "seed": int(seed)}}
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]

        def ask(places: Sequence[int]) -> list[Any]:
            asked = [prompts[i] for i in places], [seeds[i] for i in places]
            return self.client.generate_many(
                model, asked[0], seeds=asked[1], options=options, **settings
            )

        return self._answers(model, requests, ask, ollama.GenerateResponse)

    def embed(
        self, model: str, input: Sequence[str], **settings: Any
    ) -> ollama.EmbedResponse:
        """The vectors of some texts, as `ollama.Client` gives them."""
        import ollama

        request = {"call": "embed", "input": [*input], **settings}

        def ask(_: Sequence[int]) -> list[Any]:
            return [self.client.embed(model, input, **settings)]

        return self._answers(model, [request], ask, ollama.EmbedResponse)[0]

    def _answers(
        self, model: str, requests: Sequence[Mapping[str, Any]],
        ask: Callable[[Sequence[int]], list[Any]], kind: Any,
    ) -> list[Any]:  # fmt: skip
        """The answers to some requests; `ask` answers those that are not recorded."""
        digest = self.digest(model)
        texts = [to_json(request) for request in requests]
        keys = [hashlib.sha256(f"{digest} {t}".encode()).hexdigest() for t in texts]
        known = self._recall(keys)
        todo = [i for i, key in enumerate(keys) if key not in known]
        if todo and self.replay_only:
            asked = requests[todo[0]]
            seed = asked.get("options", {}).get("seed")
            text = asked.get("prompt") or asked["input"][0]
            said = f"asked to {asked['call']} with seed {seed} after {text[-60:]!r}"
            raise failure("missing", file=self.file, model=model, said=said)
        if todo:
            answers = [to_text(answer) for answer in ask(todo)]
            rows = [
                (keys[i], digest, texts[i], answer)
                for i, answer in zip(todo, answers, strict=True)
            ]
            with self.database() as database:
                # Whoever was first is believed: all processes see the same answer.
                insert = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)"
                database.executemany(insert, rows)
            known |= self._recall([keys[i] for i in todo])
        return [kind.model_validate_json(known[key]) for key in keys]

    def _recall(self, keys: Sequence[str]) -> dict[str, str]:
        query = "SELECT answer FROM answers WHERE key = ?"
        with self.database() as database:
            found = {key: database.execute(query, [key]).fetchone() for key in keys}
        return {key: row[0] for key, row in found.items() if row}
