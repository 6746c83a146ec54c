"""An invoice or credit note as a page of HTML that prints well: no inline style, no script.

What is on it is said in `papers.invoice_paper`. How it looks is `static/invoice.css`, which whoever serves the page
serves too, or saves beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from papers.invoice_paper import InvoicePaper

STATIC: Final = Path(__file__).parent / "static"
STYLESHEET: Final = STATIC / "invoice.css"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(paper: InvoicePaper, stylesheet: str = STYLESHEET.name) -> str:
    """Write the page; `stylesheet` is where its reader finds the style sheet."""
    return _templates.get_template("invoice.html").render(paper=paper, stylesheet=stylesheet)
