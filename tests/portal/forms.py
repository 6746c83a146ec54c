"""Forms as a page has them, read as a browser would: where they go and what they carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class PageForm:
    """One form: its address and its fields; several values of a name stay several."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.text: list[str] = []
        self._open: PageForm | None = None
        self._button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = PageForm(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
        elif self._open is not None and tag == "input" and "name" in given:
            unticked = given.get("type") in {"checkbox", "radio"} and "checked" not in given
            if not unticked:
                self._open.fields.append((given["name"], given.get("value", "")))
        elif tag == "button":
            self._button = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "button":
            self._button = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._button and self._open is not None and data.strip():
            self._open.buttons.append(data.strip())


def forms(html: str) -> list[PageForm]:
    """All forms of a page, in order."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def text_of(html: str) -> str:
    """What is to be read on a page, on one line."""
    reader = _Reader()
    reader.feed(html)
    return " ".join(" ".join(reader.text).split())
