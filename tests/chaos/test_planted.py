"""What `python -m chaos.planted` plants can still be planted; that it is found is shown by running that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chaos.planted import MISTAKES, EditOutOfDate, Mistake
from tests.architecture.source import ROOT


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_can_still_be_planted(mistake: Mistake, tmp_path: Path):
    (tmp_path / mistake.file).parent.mkdir(parents=True)
    shutil.copy(ROOT / mistake.file, tmp_path / mistake.file)

    mistake.plant(tmp_path)

    assert mistake.wrong in (tmp_path / mistake.file).read_text(encoding="utf-8")
    with pytest.raises(EditOutOfDate):
        mistake.plant(tmp_path)
