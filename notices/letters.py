"""Letters: what a notice says, as plain text and as HTML, from templates. Pure: nothing is sent or looked up here.

There is one template a kind and audience, `templates/<audience>/<kind>.txt`, written in the words of `ink`: rendered
once with `ink.txt` and once with `ink.html`, so the two never say different things. A fact that a template needs
and does not get is an error, not a gap in a letter (R6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, TemplateError

from notices import wording

Audience = Literal["customer", "staff"]
Format = Literal["txt", "html"]

SERIES: Final = ("reminder",)
"""Kinds that go out more than once a term, as `<kind>_<n>`, and share a template."""


class LetterNotWritten(Exception):
    """The letter cannot be written; the text names the kind and what is wrong, never a fact's value."""


@dataclass(frozen=True)
class Letterhead:
    """Who writes: the business's name and time zone, and where its portal is, if it has one."""

    business: str = "Evergreen"
    zone: str = "Europe/London"
    portal_url: str | None = None


@dataclass(frozen=True)
class Letter:
    """What goes out: a subject on one line, and the same words as plain text and as HTML."""

    subject: str
    text: str
    html: str


def letter(
    kind: str,
    facts: Mapping[str, Any],
    customer_name: str,
    *,
    audience: Audience = "customer",
    subscription_id: str | None = None,
    letterhead: Letterhead | None = None,
) -> Letter:
    """Write the letter of a notice. A fact that is None counts as not given. Raises LetterNotWritten."""
    head = letterhead or Letterhead()
    given = {
        "subscription_id": subscription_id,
        "portal_url": head.portal_url,
        **facts,
        "customer_name": wording.name(customer_name),
        "business": head.business,
        "zone": head.zone,
        "audience": audience,
    }
    known = {fact: value for fact, value in given.items() if value is not None}
    try:
        plain, rich = (_template(format, kind, audience) for format in ("txt", "html"))
        return Letter(
            subject=wording.one_line("".join(plain.blocks["subject"](plain.new_context(known)))),
            text=_tidy(plain.render(known)),
            html=rich.render(known),
        )
    except (TemplateError, ValueError, TypeError) as wrong:
        detail = f": {wrong}" if isinstance(wrong, TemplateError) else ""
        raise LetterNotWritten(f"{audience} letter {kind!r}: {type(wrong).__name__}{detail}") from wrong


def kinds(audience: Audience) -> frozenset[str]:
    """The kinds there is a template for; `reminder` stands for every `reminder_<n>`."""
    paths = _ENVIRONMENTS["txt"].list_templates(filter_func=lambda path: path.startswith(f"{audience}/"))
    return frozenset(path.removeprefix(f"{audience}/").removesuffix(".txt") for path in paths)


def template_kind(kind: str) -> str:
    """The kind whose template this one uses."""
    series, _, number = kind.rpartition("_")
    return series if series in SERIES and number.isdigit() else kind


def _template(format: Format, kind: str, audience: Audience) -> Template:
    return _ENVIRONMENTS[format].get_template(f"{audience}/{template_kind(kind)}.txt")


def _tidy(text: str) -> str:
    """Never more than one empty line in a row, no blanks at the ends of lines, one line break at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = (line for above, line in zip(["", *lines], lines, strict=False) if line or above)
    return "\n".join(kept) + "\n"


def _environment(format: Format) -> Environment:
    environment = Environment(
        loader=PackageLoader("notices"),
        autoescape=format == "html",  # noqa: S701 — the other format is plain text, where nothing is markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"layout": f"layout.{format}", "ink": f"ink.{format}"}
    environment.filters |= {
        "money": wording.money,
        "day": wording.day,
        "moment": wording.moment,
        "masked": wording.masked,
        "reason": wording.reason,
        "asker": wording.asker,
        "web": wording.web,
        "wish": wording.wish,
        "flowing": wording.flowing,
    }
    return environment


_ENVIRONMENTS: Final[dict[Format, Environment]] = {"txt": _environment("txt"), "html": _environment("html")}
