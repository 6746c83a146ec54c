"""Which letters a PDF can show, and texts made of those only.

The font has Latin, Greek, Cyrillic and Vietnamese; `papers.page` shows every script.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

FAMILY: Final = "noto sans"
REGULAR: Final = Path(__file__).parent / "fonts" / "NotoSans-Regular.ttf"
BOLD: Final = REGULAR.with_name("NotoSans-Bold.ttf")

LONGEST: Final = 400
"""Characters of one text: a row never gets taller than a page. The longest name that intake takes is half of it."""

UNKNOWN: Final = "\ufffd"
"""Stands where a letter is missing, so that nobody takes what is left for the whole."""


def shown(text: str) -> str:
    """The text as the PDF shows it: on one line, letters it has not replaced, not longer than LONGEST."""
    letters = "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))
    return letters if len(letters) <= LONGEST else letters[: LONGEST - 1] + "…"


def unshown(text: str) -> str:
    """The letters of the text that the PDF cannot show, each once; empty when it shows all."""
    return "".join(
        dict.fromkeys(
            letter for letter in unicodedata.normalize("NFC", text) if _letter(letter) == UNKNOWN != letter
        )
    )


def _letter(letter: str) -> str:
    if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs"):
        return " " if letter != "\u00a0" else letter
    return letter if ord(letter) in _font() else UNKNOWN


@cache
def _font() -> frozenset[int]:
    document = FPDF()
    document.add_font(FAMILY, "", REGULAR)
    font = document.fonts[FAMILY]
    assert isinstance(font, TTFFont)  # noqa: S101 — what add_font makes
    letters = frozenset(font.cmap)
    font.close()
    return letters
