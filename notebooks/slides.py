"""The notebooks as slides for a class: `python notebooks/slides.py`.

It writes `build/slides/`, a web page for each notebook, from the saved outputs;
nothing is executed, and the pages need no network.

Vocabulary: a *slide* is what the class sees at once. A *fragment* is a cell that goes
on on the slide of the cell before it. *Notes* are for the teacher: the key N shows
them. Which cell is what, Jupyter's own metadata says: `slideshow.slide_type` is
"slide", "fragment" or "-", "notes", or "skip" (as is a cell without it). A code cell
with the tag "remove-input" shows its output only.

A Markdown cell may be too long for a slide, so it is shown in *parts*. A part ends
where the next heading begins, and at each paragraph whose first words are listed in
`slideshow.begins`: it begins a slide. `slide_type` says what the first part is.

The look and the keys are in slides.html.j2. Formulas stay in LaTeX without a network.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
SLIDES = HERE.parent / "build" / "slides"
TEMPLATE = Path(__file__).with_name("slides.html.j2").read_text(encoding="utf-8")

HEADING = re.compile(r"\A#{1,6} +(.+)")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")  # to a page of ours
HIDE = {"enabled": True, "remove_input_tags": ["remove-input"]}


def parts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The kind and the text of each part of a cell; code is one part."""
    show = cell.metadata.get("slideshow", {})
    if cell.cell_type != "markdown":
        yield show.get("slide_type", "skip"), ""
        return
    begins = tuple(show.get("begins", ()))
    paragraphs = cell.source.split("\n\n")
    if any(sum(p.startswith(words) for p in paragraphs) != 1 for words in begins):
        raise ValueError(
            f"Cell {cell.id}: not each of {[*begins]} begins one paragraph. Mend "
            "`begins` in the cell's metadata, under `slideshow`."
        )
    found = [(show.get("slide_type", "skip"), [])]
    for i, paragraph in enumerate(paragraphs):
        if paragraph.startswith(begins):
            found.append(("slide", []))
        elif i and HEADING.match(paragraph):
            found.append(("skip", []))
        found[-1][1].append(paragraph)
    for kind, part in found:
        if part:
            yield kind, LINK.sub(r"\1", "\n\n".join(part))


def shown(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells of all slides; each slide begins with a heading and its number.

    A slide without a heading of its own repeats the one that it stands under.
    """
    heading, number = "", 0
    for cell in notebook.cells:
        for kind, text in parts(cell):
            if found := HEADING.match(text):
                heading = found[1]
            if kind == "skip":
                continue
            if kind == "slide":
                number += 1
                text = HEADING.sub("", text, count=1)
                title = f"{'##' if number > 1 else '#'} {heading}"
                yield new_markdown_cell(title, metadata={"slide": number})
            metadata = {"notes": kind == "notes"}
            if cell.cell_type == "markdown":
                yield new_markdown_cell(text, metadata=metadata)
            else:
                yield nbformat.from_dict(cell | {"metadata": cell.metadata | metadata})


def to_slides(notebook: NotebookNode) -> str:
    """The slides of a notebook as one web page."""
    page = new_notebook(cells=[*shown(notebook)])
    page.metadata.title = page.cells[0].source.removeprefix("# ")
    exporter = HTMLExporter(
        config=Config(TagRemovePreprocessor=HIDE),
        raw_template=TEMPLATE,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    return exporter.from_notebook_node(page)[0]


def main() -> None:
    """Write the slides of each notebook that has some."""
    SLIDES.mkdir(parents=True, exist_ok=True)
    for path in sorted(HERE.glob("[0-9A]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        count = sum("slide" in cell.metadata for cell in shown(notebook))
        print(f"{path.stem:24} {count:3} slides")
        if count:
            target = SLIDES / f"{path.stem}.html"
            target.write_text(to_slides(notebook), encoding="utf-8")
    print(f"To show them, open the .html files in {SLIDES} with a browser.")


if __name__ == "__main__":
    main()
