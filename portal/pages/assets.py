"""The files that pages load, each under an address that changes with what is in it."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent.parent / "static"


@cache
def address(name: str) -> str:
    """Where a page finds the file; browsers keep it until it is another one."""
    version = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={version}"
