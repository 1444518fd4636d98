"""nbconvert's web pages, with formulas that need no network.

The notebooks write formulas in LaTeX, as $...$ or $$...$$. In a page they become
MathML, which a browser shows by itself (since 2023 all do), and a screen reader reads.
What cannot be converted stays in LaTeX.
"""

from jinja2 import pass_context
from jinja2.runtime import Context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


def to_mathml(latex: str, display: str) -> str:
    """The formula, or nothing where it cannot be converted."""
    try:
        return convert(latex, display=display)
    except Exception:  # the library has a dozen, without a name in common
        return ""


class Renderer(IPythonRenderer):
    """From Markdown to HTML, formulas included."""

    def inline_math(self, body: str) -> str:
        """$body$"""
        return to_mathml(body, "inline") or super().inline_math(body)

    def block_math(self, body: str) -> str:
        """$$body$$"""
        return to_mathml(body, "block") or super().block_math(body)


class Exporter(HTMLExporter):
    """From a notebook to a page."""

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """What the templates do with a Markdown cell."""
        renderer = Renderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return MarkdownWithMath(renderer=renderer).render(source)
