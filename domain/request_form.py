"""What a customer fills in when a key is not in the system, or another size or edition is wanted (R27), checked.

Only what is written can be wrong here: what is left out staff find out, and say when they accept. Whether a key or a
subscription is known only the database knows: ``db.requests``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from domain import intake_values as values
from domain.catalogue import Catalogue
from domain.intake_cells import BadCell, Cells
from domain.intake_offer import not_offered
from domain.intake_problem import Problem

Kind = Literal["add_key", "upgrade", "downgrade", "other"]

LONGEST_TEXT: Final = 4000

STATED: Final[Mapping[str, Callable[[str], object]]] = {
    "customer_name": values.text,
    "country": values.country,
    "currency": values.currency,
    "product": values.text,
    "edition": values.text,
    "size": values.text,
    "addons": values.addons,
    "expires_on": values.day,
}
"""What may be said of the license and of whose it is; each is written as in an import file (R26)."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that can be placed. Its repr shows neither the key nor who asks (R28)."""

    kind: Kind
    email: str = field(repr=False)
    """In lower case: customers are matched by it."""
    license_key: str | None = field(repr=False)
    subscription_id: str | None
    text: str = field(repr=False)
    """In the customer's words, without the key should they have written it there."""
    stated: dict[str, str] = field(repr=False)
    """What was filled in, by column, as it was written."""


def check_form(kind: Kind, texts: Mapping[str, str], catalogue: Catalogue) -> Form | list[Problem]:
    """Give the form, or all that is wrong with it; ``texts`` by column, as an import's plus ``text`` (R27)."""
    cells = Cells(1, dict(texts))
    email = cells.read("customer_email", values.email, "")
    key = cells.read if kind == "add_key" else cells.read_if_there
    license_key = key("license_key", values.license_key, "")
    text = cells.read_if_there("text", _text, "")
    subscription_id = cells.read_if_there("subscription", values.text, "")
    stated = {column: cells.texts.get(column, "").strip() for column in STATED}
    for column, reader in STATED.items():
        cells.read_if_there(column, reader, None)
    _refuse_key_elsewhere(cells, license_key, stated)
    _refuse_not_offered(cells, stated, catalogue)
    if kind == "other" and not text and cells.sound("text"):
        cells.refuse("text", "it is empty", "Write what is wanted.")
    if cells.problems:
        return cells.problems
    return Form(
        kind=kind,
        email=email,
        license_key=license_key or None,
        subscription_id=subscription_id or None,
        text=_without_key(text, license_key),
        stated={column: value for column, value in stated.items() if value},
    )


def _text(cell: str) -> str:
    """Paragraphs are kept, controls are not."""
    if len(cell) > LONGEST_TEXT:
        raise BadCell(f"it has {len(cell):,} characters", f"Shorten it to {LONGEST_TEXT:,}.")
    return "".join(mark for mark in cell.strip() if mark in "\n\t" or mark.isprintable())


def _refuse_key_elsewhere(cells: Cells, license_key: str, stated: Mapping[str, str]) -> None:
    """Only its own cell is sealed (R28)."""
    for column, value in stated.items():
        if license_key and license_key.upper() in value.upper():
            cells.refuse(column, "it holds the license key", "Write the key in its own field only.")


def _refuse_not_offered(cells: Cells, stated: Mapping[str, str], catalogue: Catalogue) -> None:
    product, edition, size = stated["product"], stated["edition"], stated["size"]
    if not (product and edition and size and cells.sound("product", "edition", "size", "addons", "currency")):
        return
    addons = values.addons(stated["addons"])
    for fault in not_offered(catalogue, product, edition, size, addons, stated["currency"]):
        cells.refuse(*fault)


def _without_key(text: str, license_key: str) -> str:
    """Whoever writes a key into the text wants it read by us, not by everyone who reads the text (R28)."""
    if not license_key:
        return text
    return re.sub(re.escape(license_key), lambda _found: f"…{license_key[-4:]}", text, flags=re.IGNORECASE)
