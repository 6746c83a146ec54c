"""Texts that programs send: bounded, and such that a database can keep them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL character")
    return text


Words = Annotated[str, Field(max_length=500), AfterValidator(_storable)]
"""A text of at most 500 characters, as in the messages to a workflow."""

LongWords = Annotated[str, Field(max_length=4000), AfterValidator(_storable)]

Id = Annotated[str, Path(max_length=100, description="its id")]
CustomerId = Annotated[str, Path(max_length=300, description="the customer's id, like `cus_…`")]
Number = Annotated[str, Path(max_length=100, description="its number, like `INV-2027-000012`")]
Text = Annotated[str | None, Query(max_length=300)]


class Sent(BaseModel):
    """A body; a field that we do not know is a typing error and is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")
