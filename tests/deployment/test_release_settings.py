"""The settings of keys and releases: what is wrong is named before anything starts, and never shown."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

import worker
from config import Settings

KEY = base64.b64encode(bytes(range(32))).decode()


def settings(**changed: Any) -> Settings:
    given = {"database_url": "postgresql://nowhere", "secret_keys": f"a:{KEY}", "codec_keys": f"a:{KEY}"}
    return Settings(_env_file=None, fingerprint_pepper=KEY, **{**given, **changed})


@pytest.mark.parametrize("name", ["codec_keys", "secret_keys"])
@pytest.mark.parametrize(
    ("keys", "says"),
    [("", "not written id:base64"), (f"a:{KEY[:8]}", "6 bytes, not 32"), (f"a:{KEY},a:{KEY}", "used before")],
)
def test_a_ring_that_is_none_is_refused_by_its_name_without_being_shown(name: str, keys: str, says: str):
    with pytest.raises(ValidationError, match=says) as refused:
        settings(**{name: keys})
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]
    assert KEY not in refused.value.json(include_input=False)


@pytest.mark.parametrize(
    "wrong",
    [{"deployment": "evergreen"}, {"deployment": "ever.green", "build_id": "2"}],
    ids=["no build", "a dot"],
)
def test_a_deployment_wants_a_name_of_one_word_and_a_build_of_its_own(wrong: dict[str, str]):
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_a_worker_is_a_version_only_where_a_deployment_is_set():
    version = worker.version_of(settings(deployment="evergreen", build_id="2027-03-01"))

    assert worker.version_of(settings()) is None
    assert version is not None
    assert version.version.to_canonical_string() == "evergreen.2027-03-01"
