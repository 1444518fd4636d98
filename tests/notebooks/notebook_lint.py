"""What a notebook of this series must look like.

`lint(path)` lists what is wrong with the form of a notebook: its kernel, size, head,
headings, links, outputs and code style. It does not execute anything: nbval does.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

PERSONAL_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w|[A-Z]:\\+Users\\")
FORBIDDEN = {
    r";\s*$": "a trailing semicolon (nbval does not know it)",
    r"^\s*%+time": "%time (a different output each time)",
    r"\bclear_output\b": "clear_output (nbval cannot follow it)",
    r"\binput\(": "input() (nobody answers in a test)",
}
NUMBER = r"\d[\d,]*(?:\.\d+)?"
FIGURE = re.compile(
    rf"(?<![\d.])({NUMBER})\s?(?:%|percent|seconds?\b|tokens?\b|points?\b)"
)
MARKDOWN_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


def lint(path: Path) -> list[str]:
    """All that is wrong with the notebook in `path`, a sentence each."""
    notebook = nbformat.read(path, as_version=4)
    rules = (_metadata, _size, _head, _headings, _links, _counts, _outputs, _code)
    rules += (_figures,)
    return [problem for rule in rules for problem in rule(notebook, path)]


def _cells(notebook: NotebookNode, kind: str) -> list[tuple[int, NotebookNode]]:
    return [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == kind]


def _prose(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """The Markdown cells without the code blocks in them."""
    for i, cell in _cells(notebook, "markdown"):
        yield i, re.sub(r"^```.*?^```", "", cell.source, flags=re.M | re.S)


def _metadata(notebook: NotebookNode, path: Path) -> Iterator[str]:
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3: run `make refresh`"
    if set(notebook.metadata.get("language_info", {})) - {"name"}:
        yield "language_info holds versions: run `make refresh`"
    if found := PERSONAL_PATH.search(path.read_text(encoding="utf-8")):
        yield f"a personal path: {found.group()}..."


def _size(notebook: NotebookNode, path: Path) -> Iterator[str]:
    lesson = [c for c in notebook.cells if "nbgrader" not in c.metadata]
    if not 35 <= len(lesson) <= 60:
        yield f"{len(lesson)} cells without those of exercises, not 35 to 60"
    for i, cell in _cells(notebook, "code"):
        lines = cell.source.splitlines()
        if len(lines) > 25:
            yield f"cell {i}: {len(lines)} lines, more than 25"
        longest = max((len(line) for line in lines), default=0)
        if longest > 79:
            yield f"cell {i}: a line of {longest} characters, more than 79"


def _head(notebook: NotebookNode, path: Path) -> Iterator[str]:
    first = notebook.cells[0] if notebook.cells else {"cell_type": "none"}
    if first["cell_type"] != "markdown":
        yield "the first cell is not Markdown"
        return
    for pattern in (r"\A# \S", "What you will learn", "[Pp]rerequisite", r"\d minutes"):
        if not re.search(pattern, first.source):
            yield f"the first cell has no {pattern!r}"


def _headings(notebook: NotebookNode, path: Path) -> Iterator[str]:
    texts = [text for _, text in _prose(notebook)]
    found = re.findall(r"^(#{1,6}) +(.+?)\s*$", "\n".join(texts), flags=re.M)
    levels = [len(marks) for marks, _ in found]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} headings of level 1, not one"
    for (_, title), before, level in zip(found[1:], levels, levels[1:], strict=False):
        if level > before + 1:
            yield f"heading {title!r} skips a level"
    for part in ("summary", "exercise"):
        if not any(part in title.lower() for _, title in found):
            yield f"no heading with the word {part!r}"


def _links(notebook: NotebookNode, path: Path) -> Iterator[str]:
    prose = list(_prose(notebook))
    headings = re.findall(r"^#+ +(.+?)\s*$", "\n".join(t for _, t in prose), re.M)
    anchors = {heading.replace(" ", "-") for heading in headings}
    for i, text in prose:
        for image, label, target in MARKDOWN_LINK.findall(text):
            if not label.strip():
                yield f"cell {i}: no {'alt text' if image else 'words'} for {target}"
            file, _, anchor = target.partition("#")
            if re.match(r"https?://|mailto:|attachment:", target):
                continue
            if file and not (path.parent / file).exists():
                yield f"cell {i}: link to {target}, which does not exist"
            if not file and anchor not in anchors:
                yield f"cell {i}: link to {target}, which is no heading"
        for tag in re.findall(r"<img\b[^>]*>", text):
            if not re.search(r"\balt=[\"'][^\"']", tag):
                yield f"cell {i}: no alt text in {tag}"


def _counts(notebook: NotebookNode, path: Path) -> Iterator[str]:
    counts = [cell.execution_count for _, cell in _cells(notebook, "code")]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts {counts} are not 1, 2, 3...: run `make refresh`"


def _outputs(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for i, cell in _cells(notebook, "code"):
        tags = cell.metadata.get("tags", [])
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags:
                yield f"cell {i}: ends in an error, without the tag raises-exception"
            if output.get("name") == "stderr":
                yield f"cell {i}: a warning is shown; mend its cause"
            if re.search(r" at 0x[0-9a-f]+>", str(output)):
                yield f"cell {i}: shows an address, which differs each time"
            for mime in output.get("data", {}):
                alt = output.metadata.get(mime, {}).get("alt", "")
                if mime.startswith("image/") and not alt.strip():
                    yield f"cell {i}: no alt text for {mime}"


def _code(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for i, cell in _cells(notebook, "code"):
        for pattern, meaning in FORBIDDEN.items():
            if re.search(pattern, cell.source, flags=re.M):
                yield f"cell {i}: {meaning}"


def _figures(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """A figure in the prose that a cell prints would be wrong on the next change.

    Settings, which stand in the code, may be named; so may the results of others, which
    come with a source (an issue, a pull request, a card), and 0, 95 and 100 %.
    """
    code = [cell for _, cell in _cells(notebook, "code")]
    shown = "\n".join(o.get("text", "") for c in code for o in c.outputs)
    set_by_us = "\n".join(cell.source for cell in code)
    free = {"0", "95", "100", *re.findall(NUMBER, set_by_us.replace("_", ""))}
    for i, text in _prose(notebook):
        for paragraph in re.sub(r"`[^`]*`|\$[^$]*\$", "", text).split("\n\n"):
            if re.search(r"issue|pull request|card|arXiv|GitHub", paragraph):
                continue
            for number in FIGURE.findall(paragraph):
                plain = number.replace(",", "")
                if plain not in free and plain in re.findall(NUMBER, shown):
                    yield f"cell {i}: the figure {number} is printed by a cell, too"
