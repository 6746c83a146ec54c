"""Reads our PDFs as a reader does: what stands on each page by the fonts' own tables, and what is read aloud.

Not a reader of any PDF: it knows what fpdf2 writes.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cached_property

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)(?:\nstream\n|\nendobj)", re.DOTALL)
DRAWN = re.compile(
    rb"<</MCID (?P<mcid>\d+)>> BDC|(?P<begin>\bBT\b)|(?P<end>EMC)"
    rb"|/(?P<font>F\d+) [\d.]+ Tf|\((?P<text>(?:\\.|[^\\)])*)\) Tj",
    re.DOTALL,
)
ESCAPED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class Drawn:
    """One line of text; `mcid` is its place in the tags, None if it is no content."""

    text: str
    mcid: int | None


@dataclass(frozen=True)
class Said:
    """One text that is read aloud, and the tags it is in, the outermost first."""

    tags: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Reader:
    """A PDF's bytes, understood."""

    content: bytes

    @cached_property
    def objects(self) -> dict[int, tuple[bytes, bytes]]:
        """The dictionary and the unpacked stream of each object."""
        found = {}
        at = 0
        while match := OBJECT.search(self.content, at):
            head, stream, at = match[2], b"", match.end() - len(b"\nendobj")
            if match[0].endswith(b"\nstream\n"):
                length = int(_first(rb"/Length (\d+)", head))
                stream = self.content[match.end() : match.end() + length]
                at = match.end() + length
                if b"/FlateDecode" in head:
                    stream = zlib.decompress(stream)
            found[int(match[1])] = (head, stream)
        return found

    def dictionary(self, number: int) -> bytes:
        return self.objects[number][0]

    @property
    def catalog(self) -> bytes:
        return next(head for head, _ in self.objects.values() if b"/Type /Catalog" in head)

    @cached_property
    def pages(self) -> dict[int, list[Drawn]]:
        """What stands on each page, by the page's object, in order."""
        kids = next(head for head, _ in self.objects.values() if b"/Type /Pages" in head)
        return {page: self._drawn(page) for page in _references(rb"/Kids", kids)}

    @property
    def texts(self) -> list[str]:
        """Every line of text, page by page."""
        return [drawn.text for page in self.pages.values() for drawn in page]

    @property
    def said(self) -> list[Said]:
        """What is read aloud, in reading order, as it is drawn: lines of one text after each other."""
        root = _references(rb"/StructTreeRoot", self.catalog)[0]
        return [leaf for kid in _references(rb"/K", self.dictionary(root)) for leaf in self._said(kid, ())]

    @cached_property
    def spoken(self) -> dict[tuple[int, int], str]:
        """The whole text of each piece of content, by page and place: what a reader says instead of the lines."""
        return {
            (_references(rb"/Pg", head)[0], int(_first(rb"/K \[(\d+)\]", head))): _string(head)
            for head, _ in self.objects.values()
            if b"/ActualText" in head
        }

    def _said(self, number: int, around: tuple[str, ...]) -> list[Said]:
        head = self.dictionary(number)
        tags = (*around, _first(rb"/S /(\w+)", head).decode())
        kids = _references(rb"/K", head)
        if kids:
            return [leaf for kid in kids for leaf in self._said(kid, tags)]
        page, mcid = _references(rb"/Pg", head)[0], int(_first(rb"/K \[(\d+)\]", head))
        return [Said(tags, " ".join(drawn.text for drawn in self.pages[page] if drawn.mcid == mcid))]

    def _drawn(self, page: int) -> list[Drawn]:
        head = self.dictionary(page)
        resources = self.dictionary(_references(rb"/Resources", head)[0])
        letters = {
            name: self._letters(int(font)) for name, font in re.findall(rb"/(F\d+) (\d+) 0 R", resources)
        }
        found: list[Drawn] = []
        mcid, font, begun = None, b"", False
        for match in DRAWN.finditer(self.objects[_references(rb"/Contents", head)[0]][1]):
            if match["mcid"]:
                mcid = int(match["mcid"])
            elif match["end"]:
                mcid = None
            elif match["begin"]:
                begun = True
            elif match["font"]:
                font = match["font"]
            elif match["text"] is not None:
                raw = re.sub(rb"\\(.)", lambda m: ESCAPED.get(m[1], m[1]), match["text"], flags=re.DOTALL)
                codes = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
                text = "".join(letters[font][code] for code in codes)
                before = "" if begun else found.pop().text
                found.append(Drawn(before + text, mcid))
                begun = False
        return found

    def _letters(self, font: int) -> dict[int, str]:
        """What each code of a font reads, as copying and searching know it."""
        table = self.objects[_references(rb"/ToUnicode", self.dictionary(font))[0]][1]
        pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table.split(b"beginbfchar", 1)[1])
        return {int(code, 16): bytes.fromhex(letters.decode()).decode("utf-16-be") for code, letters in pairs}


def _first(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text)
    assert match, f"{pattern!r} is not in {text[:200]!r}"
    return match[1]


def _references(name: bytes, head: bytes) -> list[int]:
    """The objects that an entry names, one or a list of them."""
    match = re.search(name + rb" (\[[^\]]*\]|\d+ 0 R)", head)
    return [int(number) for number in re.findall(rb"(\d+) 0 R", match[1])] if match else []


def _string(head: bytes) -> str:
    if match := re.search(rb"/ActualText <feff([0-9a-f]*)>", head):
        return bytes.fromhex(match[1].decode()).decode("utf-16-be")
    literal = _first(rb"/ActualText \(((?:\\.|[^\\)])*)\)", head)
    return re.sub(rb"\\(.)", rb"\1", literal).decode("latin-1")
