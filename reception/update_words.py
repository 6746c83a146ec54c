"""What a license update asks for, in words for whoever does it by hand. Pure."""

from __future__ import annotations

from db.update_queue import QueuedUpdate
from domain.catalogue import Catalogue
from domain.not_offered import NotOffered


def to_do(update: QueuedUpdate) -> list[str]:
    """The change in words, so that somebody can make it at the vendor's own pages."""
    wanted = update.wanted
    renews = wanted.to_expires_on != wanted.from_expires_on
    parts = [
        f"renew {wanted.from_expires_on} → {wanted.to_expires_on}"
        if renews
        else f"expires {wanted.to_expires_on}, stays"
    ]
    if (wanted.edition, wanted.size) != (update.edition, update.size):
        parts.append(f"{update.edition} {update.size} → {wanted.edition} {wanted.size}")
    parts += [f"add {addon}" for addon in update.to_add]
    parts += [f"drop {addon}" for addon in wanted.dropped]
    parts.append(f"then it has: {', '.join(wanted.addons) or 'no add-ons'}")
    return parts


def product_code(update: QueuedUpdate, catalogue: Catalogue) -> str:
    """The vendor's code of what it is to become; in words if the catalogue does not have it any more."""
    wanted = update.wanted
    try:
        return catalogue.product_code(update.product, wanted.edition, wanted.size)
    except NotOffered:
        return f"{update.product} {wanted.edition} {wanted.size}"
