"""The notebooks as slides for a class: `python -m helpers.workshop.slides`.

It writes `build/slides/`, a web page for each notebook, from the saved outputs;
nothing is executed, and the pages need no network.

Vocabulary: a *slide* is what the class sees at once. A *fragment* is a cell that goes
on on the slide of the cell before it. *Notes* are for the teacher: the key N shows
them. Which cell is what, Jupyter's own metadata says: `slideshow.slide_type` is
"slide", "fragment" or "-", "notes", or "skip" (as is a cell without it). A code cell
with the tag "remove-input" shows its output only.

A Markdown cell may be too long for a slide, so it is shown in *parts*. A part ends
where the next heading begins, and at each paragraph whose first words stand in
`slideshow.begins`, `{"words": kind}`: there the next begins, of this kind. `slide_type`
says what the first part is. In a code cell, `slideshow.figure` says what its figure is;
what it prints stands before it.

The look and the keys are in slides.html.j2.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from .formulas import Exporter
from .places import BUILD, NOTEBOOKS, series

SLIDES = BUILD / "slides"
TEMPLATE = Path(__file__).with_name("slides.html.j2").read_text(encoding="utf-8")

HEADING = re.compile(r"\A#{1,6} +(.+)")
FENCE = re.compile(r"^ *```", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")  # to a page of ours
HIDE = {"enabled": True, "remove_input_tags": ["remove-input"]}


def paragraphs_of(source: str) -> list[str]:
    """What blank lines divide; those inside a block of code do not."""
    paragraphs = [""]
    for text in source.split("\n\n"):
        if len(FENCE.findall(paragraphs[-1])) % 2:  # a block of code is still open
            paragraphs[-1] += f"\n\n{text}"
        else:
            paragraphs.append(text)
    return paragraphs[1:]


def parts(cell: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The kind of each part of a cell, and the part: a cell of its own."""
    show = cell.metadata.get("slideshow", {})
    kind = show.get("slide_type", "skip")
    if cell.cell_type != "markdown":
        outputs = cell.get("outputs", [])
        figures = [o for o in outputs if "image/png" in o.get("data", {})]
        apart = figures if "figure" in show else []
        rest = [output for output in outputs if output not in apart]
        yield kind, nbformat.from_dict(cell | {"outputs": rest})
        if apart:
            hidden = {"tags": ["remove-input"]}
            yield show["figure"], new_code_cell(outputs=apart, metadata=hidden)
        return
    begins = show.get("begins", {})
    paragraphs = paragraphs_of(cell.source)
    if any(sum(p.startswith(words) for p in paragraphs) != 1 for words in begins):
        raise ValueError(
            f"Cell {cell.id}: not each of {[*begins]} begins one paragraph. Mend "
            "`begins` in the cell's metadata, under `slideshow`."
        )
    found = [(kind, [])]
    for i, paragraph in enumerate(paragraphs):
        if words := next(filter(paragraph.startswith, begins), ""):
            found.append((begins[words], []))
        elif i and HEADING.match(paragraph):
            found.append(("skip", []))
        found[-1][1].append(paragraph)
    for kind, part in found:
        if part:
            yield kind, new_markdown_cell(LINK.sub(r"\1", "\n\n".join(part)))


def shown(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells of all slides; each slide begins with a heading and its number.

    A slide without a heading of its own repeats the one that it stands under.
    """
    heading, number = "", 0
    for kind, part in chain.from_iterable(map(parts, notebook.cells)):
        own = part.cell_type == "markdown" and HEADING.match(part.source)
        if own:
            heading = own[1]
        if kind == "skip":
            continue
        if kind == "slide":
            number += 1
            title = f"{'##' if number > 1 else '#'} {heading}"
            yield new_markdown_cell(title, metadata={"slide": number})
            if own:
                part.source = part.source[own.end() :]
        part.metadata.notes = kind == "notes"
        yield part


def to_slides(notebook: NotebookNode) -> str:
    """The slides of a notebook as one web page."""
    page = new_notebook(cells=[*shown(notebook)])
    page.metadata.title = page.cells[0].source.removeprefix("# ")
    exporter = Exporter(
        config=Config(TagRemovePreprocessor=HIDE),
        raw_template=TEMPLATE,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    return exporter.from_notebook_node(page)[0]


def main() -> None:
    """Write the slides of each notebook that has some."""
    paths = series(NOTEBOOKS)
    SLIDES.mkdir(parents=True, exist_ok=True)
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        count = sum("slide" in cell.metadata for cell in shown(notebook))
        print(f"{path.stem:24} {count:3} slides")
        if count:
            target = SLIDES / f"{path.stem}.html"
            target.write_text(to_slides(notebook), encoding="utf-8")
    print(f"To show them, open the .html files in {SLIDES} with a browser.")


if __name__ == "__main__":
    main()
