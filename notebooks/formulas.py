"""nbconvert's web pages, with formulas that need no network.

The notebooks write formulas in LaTeX. In a page they become MathML, which a browser
shows by itself (since 2023 all do), and a screen reader reads.
"""

from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


class Renderer(IPythonRenderer):
    """From Markdown to HTML, formulas included."""

    def inline_math(self, body: str) -> str:
        """$body$"""
        return convert(body)

    def block_math(self, body: str) -> str:
        """$$body$$"""
        return convert(body, display="block")


class Exporter(HTMLExporter):
    """From a notebook to a page."""

    def markdown2html(self, source: str) -> str:
        """What the templates do with a Markdown cell."""
        without = self.exclude_anchor_links
        renderer = Renderer(escape=False, exclude_anchor_links=without)
        return MarkdownWithMath(renderer=renderer).render(source)
