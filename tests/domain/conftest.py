"""The shipped catalogue, and hypothesis without deadlines: a busy machine is no broken rule."""

from pathlib import Path

import pytest
from hypothesis import settings

from domain import catalogue as catalogues

settings.register_profile("domain", deadline=None, max_examples=100)
settings.load_profile("domain")


@pytest.fixture(scope="package")
def catalogue_text() -> str:
    return (Path(catalogues.__file__).parent / "catalogue.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="package")
def catalogue(catalogue_text: str) -> catalogues.Catalogue:
    return catalogues.parse(catalogue_text)
