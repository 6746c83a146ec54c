"""Passes: signed notes that open the codec for one member of staff for a while, on the command line.

They are made from the codec's own keys: who can make one could open payloads without it. It ends with its key.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealing.keys import Keys

PURPOSE = b"codec pass 1"


class PassRefused(Exception):
    """This is no pass of ours, or it has run out."""


@dataclass(frozen=True)
class Passes:
    """Writes and reads passes with these keys."""

    keys: Keys

    def write(self, holder: str, until: datetime) -> str:
        """A pass for its holder, like `support:jo`, up to an aware instant."""
        note = json.dumps({"holder": holder, "until": until.timestamp()})
        return self._seals.encrypt(note.encode()).decode()

    def holder(self, text: str, at: datetime) -> str:
        """Who holds the pass. Raises `PassRefused`."""
        try:
            note = json.loads(self._seals.decrypt(text.encode()))
        except InvalidToken:
            raise PassRefused("this is no pass of ours") from None
        if at >= datetime.fromtimestamp(note["until"], UTC):
            raise PassRefused("the pass has run out")
        return str(note["holder"])

    @property
    def _seals(self) -> MultiFernet:
        return MultiFernet([Fernet(_derived(key)) for key in self.keys.by_id.values()])


def _derived(key: bytes) -> bytes:
    """A key for this purpose alone: a pass and a payload are never sealed with the same one."""
    return base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key))
