"""Tags in a PDF: what is a heading, a table, a cell, in reading order, so that it can be read aloud.

fpdf2 writes a flat list of tags and makes them for pictures only. This nests them, by the parts of fpdf2 that its
own tags are made of; a test reads the finished tree, so that an fpdf2 that changed them is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from fpdf import FPDF
from fpdf.structure_tree import StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject, PDFString


class Tag(StructElem):
    """One element of the structure, with its attributes."""

    __slots__ = ("a", "actual_text")

    def __init__(self, kind: str, parent: PDFObject, page_number: int, page: PDFObject) -> None:
        super().__init__(f"/{kind}", parent, [], page_number)
        self.pg = page  # type: ignore[assignment]  # what fpdf2 sets itself, later, on the outermost tags
        self.a: str | None = None
        self.actual_text: PDFString | None = None


class TagTree(StructureTreeBuilder):
    """fpdf2's structure, nested."""

    def __iter__(self) -> Iterator[PDFObject]:
        """All objects to be written, the root first, as fpdf2 asks for them."""
        yield self.struct_tree_root
        yield self.struct_tree_root.parent_tree
        yield from _with_all_below(self.doc_struct_elem)


def _with_all_below(element: StructElem) -> Iterator[PDFObject]:
    yield element
    for below in element.k:
        if isinstance(below, StructElem):
            yield from _with_all_below(below)


class TaggedPDF(FPDF):
    """A PDF in which everything drawn is either inside `content` or an `artifact`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tree = TagTree()
        self.struct_builder = self.tree
        self._inside: list[StructElem] = [self.tree.doc_struct_elem]

    @contextmanager
    def group(self, kind: str) -> Iterator[Tag]:
        """A tag around other tags: `Table`, `TR`."""
        tag = self._tag(kind)
        self._inside.append(tag)
        yield tag
        self._inside.pop()

    @contextmanager
    def table_cell(self, heads: Literal["Row", "Column"] | None) -> Iterator[None]:
        """A cell of a table, which may be the heading of its row or column."""
        with self.group("TH" if heads else "TD") as tag:
            tag.a = f"<</O /Table /Scope /{heads}>>" if heads else None
            yield

    @contextmanager
    def content(self, kind: str, says: str) -> Iterator[None]:
        """A tag around one text that is drawn on this page: `H1`, `P`. What it says, without its ends of lines."""
        tag = self._tag(kind)
        tag.actual_text = PDFString(says)
        pages = self.tree.spid_per_page_number
        page_key = pages.setdefault(self.page, len(pages))
        self.pages[self.page].struct_parents = page_key
        on_page = self.tree.struct_tree_root.parent_tree.nums[page_key]
        tag.k.append(len(on_page))
        self._out(f"/{kind} <</MCID {len(on_page)}>> BDC")
        on_page.append(tag)
        yield
        self._out("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Around what is not read aloud: rules, repeated headings, page numbers."""
        self._out("/Artifact BMC")
        yield
        self._out("EMC")

    def _tag(self, kind: str) -> Tag:
        parent = self._inside[-1]
        tag = Tag(kind, parent, self.page, self.pages[self.page])
        parent.k.append(tag)
        return tag
