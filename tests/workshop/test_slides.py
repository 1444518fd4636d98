"""The notebooks as slides for a class.

Vocabulary: a *deck* is the slides of one notebook, parsed; a *fault* is what a class
would stumble over. What a deck must hold is read from the notebook's own cells.
Covers: the HTML. Does not cover how it looks: that takes a browser.
"""

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.workshop import slides as SLIDES
from helpers.workshop.places import series

SERIES = series()
ALT = 'Bars: "18" <most likely>'


def deck_of(notebook):
    return BeautifulSoup(SLIDES.to_slides(notebook), "html.parser")


def tagged_code(notebook):
    """The code cells that are on a slide."""
    kinds = {"slide", "fragment", "-", "notes"}
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if cell.cell_type == "code" and kind in kinds:
            yield cell


def faults(notebook, deck):
    """What is wrong with a deck, a sentence each."""
    slides = deck.find_all("section")
    titles = [slide.find(["h1", "h2"]).text for slide in slides]
    if not 10 <= len(slides) <= 18:
        yield f"{len(slides)} slides, not 10 to 18"
    if f"# {titles[0]}" != notebook.cells[0].source.partition("\n")[0]:
        yield "the first slide is not the title"
    if "What you will learn" not in slides[0].text + slides[1].text:
        yield "the beginning does not say what you will learn"
    if "Summary" not in titles[-1]:
        yield "the last slide is not the summary"
    if [h.name for h in deck.find_all(["h1", "h2"])] != ["h1"] + ["h2"] * (
        len(slides) - 1
    ):
        yield "not one heading a slide, the title above the others"
    if deck.find_all(["h3", "h4", "h5", "h6"]):
        yield "a heading inside a slide"
    if [slide["id"] for slide in slides] != [*map(str, range(1, len(slides) + 1))]:
        yield "the addresses are not 1, 2, 3..."
    outputs = [o for cell in tagged_code(notebook) for o in cell.outputs]
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    alts = [o.metadata["image/png"]["alt"] for o in pictures]
    if [image.get("alt") for image in deck.find_all("img")] != alts or "" in alts:
        yield "the figures do not have their alternative texts"
    code = [
        cell.source.strip()
        for cell in tagged_code(notebook)
        if "remove-input" not in cell.metadata.get("tags", [])
    ]
    if [pre.text.strip() for pre in deck.select(".input pre")] != code:
        yield "the code is not that of the tagged cells whose input is not hidden"
    texts = [o.text.strip() for o in outputs if o.output_type == "stream"]
    if [pre.text.strip() for pre in deck.select(".output_stream pre")] != texts:
        yield "the printed outputs are not those of the tagged cells"
    if deck.find_all(["link", "iframe"]) or deck.find_all("script", src=True):
        yield "something is fetched"


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_a_deck_has_no_fault(path):
    notebook = nbformat.read(path, as_version=4)
    assert [*faults(notebook, deck_of(notebook))] == []


# The checks themselves, on a notebook without faults and on one fault at a time.


def tag(cell, kind, *tags, **more):
    """The cell, marked for the slides."""
    cell.metadata = {"slideshow": {"slide_type": kind, **more}, "tags": [*tags]}
    return nbformat.from_dict(cell)


def code_cell(source, kind, *tags):
    """A tagged code cell that prints `source`, with `<` and `&`, and shows a figure."""
    text = new_output("stream", name="stdout", text=f"<b>{source}</b> &amp;\n")
    meta = {"image/png": {"alt": ALT}}
    figure = new_output("display_data", {"image/png": "aGk="}, metadata=meta)
    return tag(new_code_cell(source, outputs=[text, figure]), kind, *tags)


def good_notebook():
    head = "# A & B\n\nWords.\n\n**What you will learn**\n\n- much"
    end = (
        "Looking back.\n\n## Summary\n\n- All [good](02.ipynb).\n\n## Exercises\n\nDo."
    )
    return new_notebook(
        cells=[
            tag(new_markdown_cell(head), "slide", begins={"**What you will": "slide"}),
            new_code_cell("unseen = 1"),
            *[tag(new_markdown_cell(f"## {i}. `x`\n\nOh"), "slide") for i in range(6)],
            code_cell("shown < 1", "fragment"),
            tag(new_markdown_cell("For the teacher."), "notes"),
            code_cell("hidden = 1", "slide", "remove-input"),
            tag(new_markdown_cell(end), "skip", begins={"## Summary": "slide"}),
        ]
    )


def test_a_good_deck_has_no_fault_and_shows_what_is_tagged():
    notebook = good_notebook()
    deck = deck_of(notebook)
    assert [*faults(notebook, deck)] == []
    *_, eighth, last, summary = deck.find_all("section")
    assert last.h2.text == eighth.h2.text == "5. x"  # repeated: it has none of its own
    assert eighth.find(class_="notes").text.strip() == "For the teacher."
    assert "<b>shown < 1</b> &amp;" in eighth.text and not deck.find("b")
    assert "All good." in summary.text and not summary.find("a")
    for words in ("unseen", "Looking back", "Exercises", "Do."):
        assert words not in deck.body.text
    assert deck.title.text == "A & B"


def test_a_figure_that_is_not_described_has_an_empty_text():
    notebook = good_notebook()
    notebook.cells[-2].outputs[1].metadata = {}
    assert [image["alt"] for image in deck_of(notebook).find_all("img")].count("") == 1


FAULTS = {
    "9 slides": lambda n, d: d.find_all("section")[4].decompose(),
    "not the title": lambda n, d: n.cells[0].update(source="# Other"),
    "what you will learn": lambda n, d: d.find("strong").decompose(),
    "not the summary": lambda n, d: d.find_all("h2")[-1].string.replace_with("End"),
    "one heading a slide": lambda n, d: setattr(d.find("h2"), "name", "h1"),
    "inside a slide": lambda n, d: setattr(d.find("p"), "name", "h3"),
    "addresses": lambda n, d: d.section.attrs.update(id="one"),
    "alternative texts": lambda n, d: d.img.attrs.update(alt=""),
    "whose input": lambda n, d: n.cells[-2].metadata.update(tags=[]),
    "printed outputs": lambda n, d: (
        n.cells[1].metadata.update(slideshow={"slide_type": "-"})
        or n.cells[1].outputs.append(new_output("stream", name="stdout", text="1"))
    ),
    "is fetched": lambda n, d: d.script.attrs.update(src="https://x.org/reveal.js"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_each_fault_would_be_found(message):
    notebook = good_notebook()
    deck = deck_of(notebook)
    FAULTS[message](notebook, deck)
    assert any(message in fault for fault in faults(notebook, deck))


@pytest.mark.parametrize("words", ["**What you had", "-"])
def test_words_that_begin_no_paragraph_are_an_error(words):
    notebook = good_notebook()
    notebook.cells[0].metadata.slideshow.begins = {words: "slide", "**What": "slide"}
    notebook.cells[0].source += "\n\n- more"
    with pytest.raises(ValueError, match="begins one paragraph"):
        SLIDES.to_slides(notebook)


def test_a_comment_in_a_block_of_code_is_no_heading():
    notebook = good_notebook()
    code = "a = 1\n\n# a comment\nb = 2\n\n\n## another\nc = 3"
    notebook.cells[2].source += f"\n\n```python\n{code}\n```\n\nAfter it."
    deck = deck_of(notebook)
    assert [*faults(notebook, deck)] == []
    assert deck.find_all("section")[2].pre.text.strip() == code
    assert "After it." in deck.find_all("section")[2].text


def test_each_part_is_what_the_metadata_says():
    notebook = good_notebook()
    begins = {"Three": "notes", "Two": "skip", "Four": "fragment", "Five": "slide"}
    notebook.cells[2].source += "\n\nTwo.\n\nThree.\n\nFour.\n\nFive."
    notebook.cells[2].metadata.slideshow.begins = begins
    deck = deck_of(notebook)
    assert [*faults(notebook, deck)] == []
    slide, after = deck.find_all("section")[2:4]
    assert slide.find(class_="notes").text.strip() == "Three."
    assert "Two." not in slide.text and "Four." in slide.text
    assert after.h2.text == slide.h2.text and "Five." in after.text


def test_a_figure_may_be_a_slide_of_its_own():
    notebook = good_notebook()
    notebook.cells[8].metadata.slideshow.figure = "slide"
    deck = deck_of(notebook)
    assert [*faults(notebook, deck)] == []
    printed, figure = deck.find_all("section")[7:9]
    assert "shown < 1" in printed.text and not printed.img
    assert figure.img and not figure.pre and figure.h2.text == printed.h2.text


def test_main_writes_a_page_for_each_notebook_with_slides(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(SLIDES, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(SLIDES, "SLIDES", tmp_path / "build" / "slides")
    nbformat.write(good_notebook(), tmp_path / "01_a.ipynb")
    nbformat.write(new_notebook(), tmp_path / "A1_b.ipynb")
    before = (tmp_path / "01_a.ipynb").read_bytes()
    SLIDES.main()
    assert [p.name for p in SLIDES.SLIDES.iterdir()] == ["01_a.html"]
    assert (tmp_path / "01_a.ipynb").read_bytes() == before
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first.split() == ["01_a", "10", "slides"] and " 0 slides" in second
