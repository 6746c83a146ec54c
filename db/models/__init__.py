"""The tables, one file per noun. Importing any of them loads all: foreign keys name each other's tables."""

from db.models import (  # noqa: F401  (loaded for the tables they declare, not for their names)
    api,
    audit,
    customer,
    difference,
    intake,
    invoice,
    ledger,
    license,
    license_update,
    notice,
    order,
    payment,
    promise,
    quote,
    request,
    sign_in,
    subscription,
    webhook,
)
