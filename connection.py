"""The one way to reach Temporal: address and credentials from Temporal's own profile, our converter, our attributes.

`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_PROFILE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…` and Temporal's
configuration file are read by the SDK's envconfig, as the `temporal` command line does; nothing is read here besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from temporalio.client import Client, Interceptor
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
)
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError

from activities import attributes
from sealing.keys import Keys
from sealing.payloads import SealedPayloads

JSON = PydanticJSONPlainPayloadConverter()


class SharedConverter(CompositePayloadConverter):
    """The SDK's converter for pydantic, with one memory of our types for all.

    The SDK makes a converter for each workflow it holds, and each would work out the same types anew.
    """

    def __init__(self) -> None:
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(JSON if one.encoding == JSON.encoding else one for one in usual))


KINDS = {
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.BOOL: "Bool",
}


@cache
def quiet_runtime() -> Runtime:
    """The SDK's runtime without its warnings, which it writes to standard output: a command's one document is there."""
    filter = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=filter)))


class TemporalUnreachable(Exception):
    """No Temporal server answers at the address of the profile; the text says which and how to mend it."""


def search_attribute_types(keys: Sequence[SearchAttributeKey[Any]] = attributes.ALL) -> dict[str, str]:
    """Name → type of our search attributes, as `temporal operator search-attribute create` writes them."""
    return {key.name: KINDS[key.indexed_value_type] for key in keys}


def converter(keys: Keys) -> DataConverter:
    """How our values cross into Temporal: pydantic's JSON, sealed with these keys, the texts of failures too."""
    return DataConverter(
        payload_converter_class=SharedConverter,
        payload_codec=SealedPayloads(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(
    keys: Keys, interceptors: Sequence[Interceptor] = (), runtime: Runtime | None = None, lazy: bool = False
) -> Client:
    """A client for the server, namespace and credentials of Temporal's profile. Raises TemporalUnreachable.

    What it sends is sealed with `keys`. A `lazy` one connects at its first use, and again after the server was away.
    """
    profile = ClientConfig.load_client_connect_config()
    address = profile.setdefault("target_host", "127.0.0.1:7233")
    try:
        return await Client.connect(
            **profile,
            data_converter=converter(keys),
            interceptors=list(interceptors),
            runtime=runtime or quiet_runtime(),
            lazy=lazy,
        )
    except (RPCError, RuntimeError, OSError) as failed:
        raise TemporalUnreachable(
            f"no Temporal server answers at {address} ({failed}). "
            "Start the embedded one with `make up`, or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE."
        ) from failed
