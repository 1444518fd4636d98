"""The notebooks as pages, in a browser: wide and light, narrow and dark.

Vocabulary: a *fault* is what keeps somebody from reading a page. *axe* is a checker of
accessibility; of what it finds, "serious" and "critical" count. Covers: the saved
outputs and the formulas, without a network.

Run by `make test-pages`; it needs the extra `pages` and a Chromium.
"""

import shutil

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.workshop import pages, places

pytestmark = pytest.mark.pages
sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NOTEBOOKS = places.series()
WIDE, NARROW = (1280, "light"), (400, "dark")  # pixels, theme of the system
each_window = pytest.mark.parametrize("window", [WIDE, NARROW])

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# nbconvert says "No description has been provided" where there is none.
UNSEEN = """[...document.images].filter(image =>
    /^(\\s*|No description.*)$/.test(image.alt) || !image.naturalWidth).length"""
OPEN_HINTS = "document.querySelectorAll('details').forEach(hint => hint.open = true)"

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNg"
    "AAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
)
DOT = f"data:image/png;base64,{PNG}"
PAGE = '<!DOCTYPE html><html lang="en"><title>A page</title><main><h1>A page</h1>'


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium on the PATH: apt install chromium, then try again")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def faults(browser, tmp_path):
    """What keeps somebody from reading a page (HTML) in a window."""

    def of_page(html, window):
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        width, theme = window
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True
        )
        page.goto((tmp_path / "page.html").as_uri())
        page.evaluate(OPEN_HINTS)
        found = [
            f"{x['id']}, first in {x['nodes'][0]['html'][:200]}"
            for x in axe.Axe().run(page).response["violations"]
            if x["impact"] in {"serious", "critical"}
        ]
        if page.evaluate(SIDEWAYS):
            found.append("the page scrolls sideways")
        if unseen := page.evaluate(UNSEEN):
            found.append(f"{unseen} images are not there, or lack an alternative text")
        page.close()
        return found

    return of_page


@each_window
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_page_of_a_notebook_has_no_fault(path, window, faults):
    assert faults(pages.to_page(pages.read(path), path.stem), window) == []


@each_window
def test_a_good_page_has_no_fault(window, faults):
    image = f'<img src="{DOT}" alt="A dot">'
    assert faults(PAGE + image + "<details>" + "long " * 500, window) == []


def test_a_picture_that_the_notebook_does_not_describe_is_found(faults):
    figure = new_output("display_data", data={"image/png": PNG})
    cells = [new_markdown_cell(f"![]({DOT})"), new_code_cell(outputs=[figure])]
    page = pages.to_page(new_notebook(cells=cells), "x")
    assert any("2 images" in fault for fault in faults(page, WIDE))


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        (f'<img src="{DOT}">', "image-alt"),
        (f'<img src="{DOT}" alt=" ">', "1 images"),
        ('<img src="gone.png" alt="A dot">', "1 images"),
        ('<p style="color: #999; background: white">pale</p>', "color-contrast"),
        ("<pre style='width: 9em; overflow: auto'>" + "word " * 20, "scrollable"),
        ("<details><input></details>", "label"),
        ("<pre>" + "word " * 50, "sideways"),
    ],
)
def test_each_fault_would_be_found(html, fault, faults):
    assert fault in " ".join(faults(PAGE + html, NARROW))
