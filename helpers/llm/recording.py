"""Recorded answers: what a model said once, kept in a file and said again.

Vocabulary: a *recording* is an SQLite file. Its *key* is all that an answer depends on:
the model's digest and engine, the prompt, the options and the seed. To *replay* is to
answer from the file; with `replay_only` nobody else is asked, and no server need be
there. Only *whole* answers are kept: what a fault cut short is asked for again.

So a teacher records llama3.2 once, and a class room without Ollama runs the same
notebooks on the recording. Calls without a seed draw a fresh one, and so are never
found again. Many processes may use one file. An update of the server changes no key
while digest and engine stay; recordings of version 0.1 are understood.
Covers: generating and embedding. Does not cover: models that changed under the same
name, which begin a recording of their own.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.wire import Response, canonical, read_response, to_json

from .errors import LLMError, failure
from .identity import Identity, engine_of, full_name, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 60.0  # seconds to wait while other processes write
TABLES = (
    "CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, digest TEXT, "
    "version TEXT, shown TEXT)",
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, digest TEXT, "
    "request TEXT, answer TEXT)",
)
NEW = "2:"  # begins the keys of today; those of version 0.1 were not of an engine
HOT = "whoever wrote it was interrupted; open it once without replay_only"
OLD = f"key NOT LIKE '{NEW}%'"
FAULTY = """answer LIKE '%"done":%' AND (answer LIKE '%"done":false%'
    OR answer NOT LIKE '%"eval_count":%')"""
USUAL = {"raw": [True], "think": [False], "truncate": [False], "shift": [False],
         "images": [(), []], "logprobs": [False], "top_logprobs": [0]}  # fmt: skip


def essence(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request without what is as usual, however it is spelled."""
    told = {name: part for name, part in request.items() if part is not None}
    return {k: v for k, v in told.items() if k not in USUAL or v not in USUAL[k]}


def key_of(digest: str, engine: str | None, request: Mapping[str, Any]) -> str:
    """The key of a request to a model."""
    text = canonical([digest, engine, essence(request)])
    return NEW + hashlib.sha256(text.encode()).hexdigest()


def is_whole(answer: Any) -> bool:
    """Whether an answer is worth keeping: vectors are; a text, if the model came to an
    end, counted its tokens, and did more than think."""
    if not isinstance(answer, Response):
        return True
    only_thought = answer.thinking and not answer.response
    return answer.done and answer.eval_count > 0 and not only_thought


def to_text(answer: Any) -> str:
    """An answer as the text that is kept."""
    is_response = isinstance(answer, Response)
    return json.dumps(to_json(answer) if is_response else {"embeddings": answer})


def older_keys(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """The keys of version 0.1 in a recording, each after the one of today. A row that
    is damaged is as good as none."""
    versions = dict(database.execute("SELECT digest, version FROM models"))
    query = f"SELECT key, digest, request FROM answers WHERE {OLD}"
    found = []
    for key, digest, request in database.execute(query):
        with suppress(AttributeError, TypeError, ValueError, RecursionError):
            engine = engine_of(versions.get(digest))
            found.append((key_of(digest, engine, json.loads(request)), key))
    return found


def renew(database: sqlite3.Connection, older: Sequence[tuple[str, str]]) -> None:
    """Give the answers of version 0.1 the keys of today, and forget those that a
    passing fault had cut short."""
    database.execute(f"DELETE FROM answers WHERE {OLD} AND {FAULTY}")
    update = "UPDATE OR IGNORE answers SET key = ? WHERE key = ?"
    database.executemany(update, older)


def from_text(text: str) -> Any:
    """The answer that a text keeps. Raises ValueError if it keeps none."""
    said = json.loads(text)
    if isinstance(said, dict) and isinstance(said.get("embeddings"), list):
        return said["embeddings"]
    return read_response(said)


class RecordedClient:
    """A client that answers from a recording, and asks another client for the rest.

    client: an `AbacusClient`, `OllamaClient` or `ManyHosts`; None if nobody is asked.
    model: what it is asked for. file: the recording; made if it is missing.
    replay_only: whatever is not in the file is an error.
    Raises LLMError if the file is no recording, or lacks an answer under `replay_only`.
    """

    def __init__(self, client: Any, model: str, file: str, replay_only: bool) -> None:
        self.client, self.model = client, full_name(model)
        self.file, self.replay_only = file, replay_only
        self.known: dict[str, Identity] = {}  # by model
        self.older: dict[str, str] = {}  # keys of today: those of version 0.1
        if not file or (replay_only and not Path(file).is_file()):
            raise failure("recording", file=file, said="there is no such file")
        with self.database() as database:
            for table in () if replay_only else TABLES:
                database.execute(table)
            older = older_keys(database)
            if replay_only:
                self.older = dict(older)
            elif older:
                renew(database, older)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The file, for one transaction; each has a connection of its own, so that
        threads and processes do not share one."""
        mode = "ro" if self.replay_only else "rwc"
        address = f"{Path(self.file).resolve().as_uri()}?mode={mode}"
        opened = partial(sqlite3.connect, address, uri=True, timeout=PATIENCE)
        try:
            if not self.replay_only:
                Path(self.file).parent.mkdir(parents=True, exist_ok=True)
            with closing(opened()) as database, database:
                yield database
        except (sqlite3.Error, OSError) as error:
            hot = self.replay_only and "readonly" in str(error)
            said = HOT if hot else error
            raise failure("recording", file=self.file, said=said) from error

    def show(self, model: str) -> dict[str, Any]:
        """What is known of a model; from the file, if no server is there."""
        found = self._recall_model(model)
        shown = self._live("show", model)
        if shown is None and not found:
            said = "it is of " + ", ".join(row["model"] for row in self._rows())
            raise failure("missing", file=self.file, model=model, said=said)
        if shown is None:
            return self._read(lambda text: dict(json.loads(text).items()), found[2])
        identity = self.known[model] = identity_of(self.client, model)
        row = identity.digest or full_name(model), identity.server, json.dumps(shown)
        if row != found:
            insert = "INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?)"
            with self.database() as database:
                database.execute(insert, (full_name(model), *row))
        return shown

    def _recall_model(self, model: str) -> tuple[str, str, str] | None:
        query = "SELECT name, digest, version, shown FROM models"
        with self.database() as database:
            rows = database.execute(query).fetchall()
        same = (row for row in rows if full_name(row[0]) == full_name(model))
        return next((row[1:] for row in same), None)

    def _identity(self, model: str) -> Identity:
        """Which model answers; if no server is there, as the file says."""
        if model not in self.known:
            self.show(model)
        if model not in self.known:
            self.known[model] = identity_of(self, model)
        return self.known[model]

    def list(self) -> list[dict[str, Any]]:
        """The models of the server, or those that are recorded."""
        found = self._live("list")
        return self._rows() if found is None else found

    def _rows(self) -> list[dict[str, Any]]:
        with self.database() as database:
            rows = database.execute("SELECT name, digest FROM models").fetchall()
        return [{"model": name, "digest": digest} for name, digest in rows]

    def version(self) -> str | None:
        """The version of the server, or of the one that was recorded."""
        found = self._recall_model(self.model)
        return self._live("version") or (found[1] if found else None)

    def _live(self, call: str, *args: Any) -> Any:
        """What the server says; None if no server is there."""
        try:
            return getattr(self.client, call)(*args) if self.client else None
        except LLMError as error:
            if error.kind in ("server", "broken", "unreached"):
                return None
            raise

    def _read(self, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            said = f"it is damaged: {error}"
            raise failure("recording", file=self.file, said=said) from error

    def pull(self, model: str) -> Iterable[dict[str, Any]]:
        """Have the server fetch a model."""
        return self.client.pull(model)

    def generate(self, model: str, prompt: str, **settings: Any) -> Response:
        """One continuation of a prompt, as the client gives it."""
        request = {"call": "generate", "prompt": prompt, **settings}
        return self._answers(
            model,
            [request],
            lambda _: [self.client.generate(model, prompt, **settings)],
        )[0]

    def generate_many(
        self, model: str, prompts: Sequence[str], *, seeds: Sequence[int],
        options: Mapping[str, Any], **settings: Any,
    ) -> list[Response]:  # fmt: skip
        """One continuation of each prompt by its seed, as `AbacusClient` gives them."""
        requests = [
            {"call": "generate", "prompt": prompt, **settings}
            | {"options": {**options, "seed": int(seed)}}
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]

        def ask(places: Sequence[int]) -> list[Response]:
            asked = [prompts[i] for i in places], [seeds[i] for i in places]
            return self.client.generate_many(
                model, asked[0], seeds=asked[1], options=options, **settings
            )

        return self._answers(model, requests, ask)

    def embed(self, model: str, input: Sequence[str]) -> list[list[float]]:
        """The vectors of some texts, as the client gives them."""
        request = {"call": "embed", "input": [*input]}
        return self._answers(
            model, [request], lambda _: [self.client.embed(model, input)]
        )[0]

    def _answers(
        self, model: str, requests: Sequence[Mapping[str, Any]],
        ask: Callable[[Sequence[int]], list[Any]],
    ) -> list[Any]:  # fmt: skip
        """The answers to some requests; `ask` answers those that are not recorded."""
        who = self._identity(model)
        digests, engines = who.digests or (full_name(model),), (who.engine, None)
        keys = [  # the first is today's
            [key_of(d, e, request) for d in digests for e in engines]
            for request in requests
        ]
        answers = self._recall(keys)
        todo = [i for i, answer in enumerate(answers) if answer is None]
        if todo and self.client is None:
            raise self._miss(model, requests[todo[0]])
        for i, answer in zip(todo, ask(todo) if todo else [], strict=True):
            answers[i] = answer
        whole = [i for i in todo if is_whole(answers[i])]
        if whole:
            rows = [
                (keys[i][0], digests[0], canonical(essence(requests[i])),
                 to_text(answers[i])) for i in whole
            ]  # fmt: skip
            with self.database() as database:
                insert = "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)"
                database.executemany(insert, rows)
            # Whoever was first is believed: all processes see the same answer.
            first = self._recall([keys[i] for i in whole])
            for i, answer in zip(whole, first, strict=True):
                answers[i] = answer
        return answers

    def _miss(self, model: str, asked: Mapping[str, Any]) -> LLMError:
        seed = asked.get("options", {}).get("seed")
        text = asked.get("prompt") or asked["input"][0]
        said = f"asked to {asked['call']} with seed {seed} after {text[-60:]!r}"
        return failure("missing", file=self.file, model=model, said=said)

    def _recall(self, keys: Sequence[Sequence[str]]) -> list[Any]:
        """The answer under the first of some keys that is there; None if none is."""
        query = "SELECT answer FROM answers WHERE key = ?"
        found = []
        with self.database() as database:
            for several in keys:
                tried = [self.older.get(key, key) for key in several]
                rows = (database.execute(query, [key]).fetchone() for key in tried)
                row = next(filter(None, rows), None)
                answer = self._read(from_text, row[0]) if row else None
                found.append(answer if is_whole(answer) else None)
        return found
