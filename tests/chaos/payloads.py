"""Anything that somebody may send: JSON of any shape, JSON that is nearly right, and bytes that are no JSON at all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (
    *("by", "request_id", "reason", "addons", "quote_id", "edition", "size", "price_minor"),
    *("order_id", "drop_addons", "update_id", "expires_on", "refusal", "channel"),
)
nearly_right = st.dictionaries(st.sampled_from(FIELDS), anything | st.text(max_size=600), max_size=5)
encodings = st.sampled_from(
    [b"json/plain", b"binary/plain", b"binary/null", b"json/protobuf", b"no/such", b""]
)


@st.composite
def raw(draw: st.DrawFn) -> RawValue:
    """A payload that no converter may be able to read."""
    return RawValue(Payload(metadata={"encoding": draw(encodings)}, data=draw(st.binary(max_size=60))))


payloads: st.SearchStrategy[list[Any]] = st.lists(nearly_right | anything | raw(), max_size=3)
