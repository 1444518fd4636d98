"""Run the series: `python -m helpers.workshop.pages build`, `refresh` or `clear`.

* `build` executes every notebook and writes what it shows into `build/`, as a
  notebook and as a web page. The notebooks themselves stay as they are.
* `refresh` executes them and saves the outputs in place. It stores nothing that
  changes from run to run, so a second refresh changes nothing.
* `clear` strips outputs and counts, for a class room. `refresh` brings them back.

It does not compare outputs: `make test` does, with nbval. Two notebooks are executed
side by side, each in a process of its own; one at a time if REASONING_MODEL names
another model than abacus.
"""

import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from helpers.llm import chosen_model, map_in_threads

from .formulas import Exporter
from .places import BUILD, NOTEBOOKS, ROOT, series

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}

# A template of Jinja, which says itself what it mends.
PAGE = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")


def read(path: Path) -> NotebookNode:
    """The notebook in `path`."""
    return nbformat.read(path, as_version=4)


def execute(notebook: NotebookNode) -> Exception | None:
    """Run all cells in place; return the error that stopped it, if any."""
    client = NotebookClient(
        notebook,
        timeout=None,  # a real LLM may need long; LLMGen has a time-out of its own
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # not its warnings about itself
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    try:
        client.execute()
    except Exception as error:  # whatever it was, the next notebook still runs
        return error
    return None


def normalise(notebook: NotebookNode) -> None:
    """Remove what differs between machines: versions and folders."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "traceback" in output:
                text = "\n".join(output.traceback).replace(f"{ROOT}{os.sep}", "")
                text = text.replace(f"~/{os.path.relpath(ROOT, Path.home())}/", "")
                output.traceback = text.split("\n")


def to_page(notebook: NotebookNode, name: str) -> str:
    """The notebook as one web page, its pictures inside, linked to the others."""
    page = nbformat.from_dict(notebook)
    for cell in page.cells:
        if cell.cell_type == "markdown":
            if cell.source.startswith("# "):
                page.metadata.title = cell.source.partition("\n")[0].removeprefix("# ")
            cell.source = re.sub(r"(\]\(\w+)\.ipynb\b", r"\1.html", cell.source)
            cell.source = re.sub(r"\]\((\w+\.md)", r"](../notebooks/\1", cell.source)
    exporter = Exporter(raw_template=PAGE)
    resources = {"metadata": {"name": name, "path": str(NOTEBOOKS)}}
    return exporter.from_notebook_node(page, resources)[0]


def last_lines(error: Exception, n: int = 6) -> str:
    """The end of an error message, without its colours, indented."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {error}")
    return "\n".join("    " + line for line in text.strip().splitlines()[-n:])


def build(path: Path) -> Exception | None:
    """Execute one notebook into `build/`."""
    notebook = read(path)
    error = execute(notebook)
    BUILD.mkdir(exist_ok=True)
    nbformat.write(notebook, BUILD / path.name)
    page = to_page(notebook, path.stem)
    (BUILD / f"{path.stem}.html").write_text(page, encoding="utf-8")
    return error


def refresh(path: Path) -> Exception | None:
    """Execute one notebook and save it in place, unless a cell failed."""
    notebook = read(path)
    error = execute(notebook)
    if error is None:
        normalise(notebook)
        nbformat.write(notebook, path)
    return error


def clear(path: Path) -> None:
    """Strip the outputs and the counts of one notebook."""
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


def report(command: Callable, model: str, path: Path) -> bool:
    """Do it to a notebook, and say so; did it fail?"""
    print(f"{path.stem:24} begun", flush=True)
    start = time.perf_counter()
    error = command(path)
    seconds = time.perf_counter() - start
    how = f"failed\n{last_lines(error)}" if error else "ok"
    print(f"{path.stem:24} {model:12} {seconds:6.1f} s  {how}", flush=True)
    return error is not None


def main(arguments: list[str]) -> int:
    """Do one of the three to the whole series; the number of failures."""
    commands = {"build": build, "refresh": refresh, "clear": clear}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__)
        return 2
    os.environ["TQDM_DISABLE"] = "1"  # progress bars differ from run to run
    model = chosen_model()
    paths = series(NOTEBOOKS)
    command = partial(report, commands[arguments[0]], model)
    failed = sum(map_in_threads(2 if model == "abacus" else 1, command, paths))
    if arguments[0] == "build" and not failed:
        print(f"To read them, open the .html files in {BUILD.name}/ with a browser.")
    return min(failed, 1)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # cells under way are not waited for; kernels end with us
        os._exit(130)
