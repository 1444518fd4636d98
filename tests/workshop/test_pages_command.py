"""The command behind `make notebooks`, `make refresh` and `make clear`."""

import re
from threading import Barrier, current_thread, main_thread

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.workshop import pages
from helpers.workshop.places import series

SERIES = series()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command, working in a folder of its own."""
    monkeypatch.setattr(pages, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(pages, "BUILD", tmp_path / "build")
    monkeypatch.delenv("REASONING_MODEL", raising=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    return pages


def test_build_reports_each_notebook_and_leaves_it_as_it_is(run, tmp_path, capsys):
    link = new_markdown_cell("[next](02_bad.ipynb), [words](WORDS.md#x)")
    good = new_notebook(cells=[link, new_code_cell("print(6 * 7)")])
    nbformat.write(good, tmp_path / "01_good.ipynb")
    bad = new_notebook(cells=[new_code_cell("1 / 0")])
    nbformat.write(bad, tmp_path / "02_bad.ipynb")
    before = (tmp_path / "01_good.ipynb").read_bytes()
    assert run.main(["build"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"^01_good +abacus +[\d.]+ s  ok$", said, re.MULTILINE)
    failure = r"^02_bad +abacus +[\d.]+ s  failed\n(    .*\n)+"
    assert "division by zero" in re.search(failure, said, re.MULTILINE)[0]
    assert (tmp_path / "01_good.ipynb").read_bytes() == before
    page = (tmp_path / "build" / "01_good.html").read_text(encoding="utf-8")
    assert "42" in page and 'href="02_bad.html"' in page
    assert 'href="../notebooks/WORDS.md#x"' in page
    assert "<script src=" not in page  # nothing that the page would wait for
    assert "ZeroDivisionError" in (tmp_path / "build" / "02_bad.ipynb").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(("model", "at_once"), [("abacus", 2), ("llama3.2", 1)])
def test_two_at_a_time_but_one_with_a_real_model(
    run, tmp_path, monkeypatch, model, at_once
):
    monkeypatch.setenv("REASONING_MODEL", model)
    meeting, threads = Barrier(at_once), []

    def clear(path):
        threads.append(current_thread())
        meeting.wait(30)  # for as many as there should be

    monkeypatch.setattr(run, "clear", clear)
    for name in "1234":
        (tmp_path / f"0{name}_x.ipynb").touch()
    assert run.main(["clear"]) == 0
    assert len(threads) == 4 and ({*threads} == {main_thread()}) == (at_once == 1)


def test_page_keeps_the_alternative_text_of_figures(run):
    picture = new_output(
        "display_data",
        data={"image/png": "iVBORw0KGgo="},
        metadata={"image/png": {"alt": 'Bars: "18" <most likely>'}},
    )
    page = run.to_page(new_notebook(cells=[new_code_cell(outputs=[picture])]), "x")
    assert """alt='Bars: "18" &lt;most likely&gt;'""" in page


def test_page_has_a_title_and_keeps_a_hint_folded(run):
    hint = "# Two words\n\n<details><summary>Hint</summary>\n\nA hint.\n\n</details>"
    page = run.to_page(new_notebook(cells=[new_markdown_cell(hint)]), "01_x")
    assert "<title>Two words</title>" in page
    assert re.search(r"</summary>\s*<p>A hint\.</p>\s*</details>", page)
    assert "<title>01_x</title>" in run.to_page(new_notebook(), "01_x")


def test_formulas_need_neither_a_script_nor_the_network(run):
    text = "Of $\\frac{n}{k} < 1$ and `$5`, $6:\n\n$$x^{2}$$"
    page = run.to_page(new_notebook(cells=[new_markdown_cell(text)]), "x")
    first, second = BeautifulSoup(page, "html.parser").find_all("math")
    top, bottom = first.mfrac.find_all("mi")
    assert (top.text, bottom.text, first.mo.text) == ("n", "k", "<")
    assert second["display"] == "block" and second.msup.mn.text == "2"
    assert "<code>$5</code>, $6" in page and "mathjax" not in page.lower()


def test_a_formula_that_is_wrong_stays_and_a_picture_is_attached(run):
    cell = new_markdown_cell("$x^$ and $$\\left($$ ![Dot](attachment:a.png)")
    cell.attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}
    page = run.to_page(new_notebook(cells=[cell]), "x")
    assert "$x^$" in page and "$$\\left($$" in page
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_every_formula_of_the_series_is_understood(run, path):
    page = BeautifulSoup(run.to_page(run.read(path), path.stem), "html.parser")
    for code in page.find_all(["code", "pre", "script", "style"]):
        code.decompose()
    assert "\\" not in page.text and not re.search(r"\$[^$\n]+\$", page.text)


def test_refresh_twice_changes_nothing_and_clear_strips(run, tmp_path):
    path = tmp_path / "01_a.ipynb"
    cells = [new_code_cell("print(6 * 7)"), new_code_cell("raise ValueError('no')")]
    cells[1].metadata["tags"] = ["raises-exception"]
    nbformat.write(new_notebook(cells=cells), path)
    assert run.main(["refresh"]) == 0
    once = path.read_bytes()
    assert b"42" in once and b"ValueError" in once and b'"version"' not in once
    assert run.main(["refresh"]) == 0
    assert path.read_bytes() == once
    assert run.main(["clear"]) == 0
    stripped = nbformat.read(path, as_version=4)
    assert all(c.outputs == [] and c.execution_count is None for c in stripped.cells)
    assert stripped.cells[0].source == "print(6 * 7)"


def test_run_explains_itself_when_it_is_called_wrongly(run, capsys):
    assert run.main([]) == run.main(["bild"]) == 2
    assert "refresh" in capsys.readouterr().out
