"""License keys are stored sealed, found by fingerprint and shown masked (R28)."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.license_keys import (
    KeyRing,
    KeyRingInvalid,
    KeyUnreadable,
    UnknownKeyId,
    last_four,
    masked,
    normalized,
)
from sealing.keys import Keys

KEY = "SM-PRO-4F7K-99QX-1A2B"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PEPPER = b"a pepper of enough bytes"
RING = KeyRing(Keys({"old": OLD}), PEPPER)
ROTATED = KeyRing(Keys({"new": NEW, "old": OLD}), PEPPER)


@given(st.text(), st.text())
def test_what_was_sealed_opens_for_the_same_license(license_key: str, license_id: str) -> None:
    assert RING.open(RING.seal(license_key, license_id), license_id) == license_key


def test_sealing_twice_gives_different_bytes_without_the_key_in_them() -> None:
    first, second = RING.seal(KEY, "license_1"), RING.seal(KEY, "license_1")
    assert first != second
    assert KEY.encode() not in first


def test_a_sealed_key_does_not_open_for_another_license() -> None:
    """R28: swapping two rows' ciphertexts is noticed."""
    with pytest.raises(KeyUnreadable):
        RING.open(RING.seal(KEY, "license_1"), "license_2")


def test_every_changed_byte_is_noticed() -> None:
    sealed = RING.seal(KEY, "license_1")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises((KeyUnreadable, UnknownKeyId)):
            RING.open(bytes(changed), "license_1")


@given(st.binary(max_size=60))
def test_any_bytes_that_are_no_sealed_key_are_unreadable(stored: bytes) -> None:
    with pytest.raises((KeyUnreadable, UnknownKeyId)):
        RING.open(stored, "license_1")


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_cut_short_key_is_unreadable(length: int) -> None:
    sealed = RING.seal(KEY, "license_1")
    with pytest.raises((KeyUnreadable, UnknownKeyId)):
        RING.open(sealed[: min(length, len(sealed) - 1)], "license_1")


def test_after_rotation_the_old_key_opens_and_the_new_one_seals() -> None:
    sealed = RING.seal(KEY, "license_1")

    assert ROTATED.open(sealed, "license_1") == KEY
    assert not ROTATED.is_current(sealed)
    sealed_again = ROTATED.seal(KEY, "license_1")
    assert ROTATED.is_current(sealed_again)
    assert KeyRing(Keys({"new": NEW}), PEPPER).open(sealed_again, "license_1") == KEY


def test_a_key_sealed_under_a_dropped_key_says_which() -> None:
    with pytest.raises(UnknownKeyId, match="old"):
        KeyRing(Keys({"new": NEW}), PEPPER).open(RING.seal(KEY, "license_1"), "license_1")


@pytest.mark.parametrize("written", [KEY, KEY.lower(), f"  {KEY}\n"])
def test_a_fingerprint_is_the_same_however_the_key_is_written(written: str) -> None:
    assert RING.fingerprint(written) == RING.fingerprint(KEY)
    assert len(RING.fingerprint(written)) == 32


def test_a_fingerprint_depends_on_the_pepper_and_not_on_the_encryption_keys() -> None:
    """R28: stable over rotation, useless to who has only the table."""
    assert ROTATED.fingerprint(KEY) == RING.fingerprint(KEY)
    assert KeyRing(Keys({"old": OLD}), b"another pepper, as long").fingerprint(KEY) != RING.fingerprint(KEY)
    assert RING.fingerprint(KEY + "C") != RING.fingerprint(KEY)


def test_a_key_is_shown_by_its_last_four() -> None:
    assert last_four(KEY.lower()) == "1A2B"
    assert masked(KEY) == masked(last_four(KEY)) == "••••1A2B"


@pytest.mark.parametrize(("key", "shown"), [("A", "A"), ("AB", "B"), ("ABCDEF", "DEF"), ("ABCDEFGH", "EFGH")])
def test_of_a_short_key_half_is_shown_at_most(key: str, shown: str) -> None:
    assert last_four(key) == shown


def test_normalizing_twice_is_normalizing_once() -> None:
    assert normalized(normalized(" a b ")) == "A B"


def test_a_ring_is_read_from_text_with_the_current_key_first() -> None:
    text = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in ROTATED.keys.by_id.items())
    ring = KeyRing.parse(f" {text.replace(',', ' , ')} ", PEPPER)
    assert ring == ROTATED
    assert ring.is_current(ROTATED.seal(KEY, "license_1"))


def test_a_ring_shows_nothing_of_itself() -> None:
    for shown in (repr(ROTATED), str(ROTATED), f"{ROTATED}"):
        assert shown == "<KeyRing of 2>"


SECRET = base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.mark.parametrize(
    ("keys", "pepper", "says"),
    [
        ("", PEPPER, "key 1 is not written id:base64"),
        (SECRET, PEPPER, "key 1 is not written id:base64"),
        (f"a:{SECRET},b:{SECRET}x", PEPPER, "key 2 is not base64"),
        (f"a:{SECRET},a:{SECRET}", PEPPER, "key 2 has an id that was used before"),
        (f"a:{SECRET[:8]}", PEPPER, "key 1 has 6 bytes, not 32"),
        (f":{SECRET}", PEPPER, "key 1: its id must have 1 to 255 bytes"),
        (f"a:{SECRET}", b"salt", "the pepper has 4 bytes, fewer than 16"),
    ],
    ids=["nothing", "no id", "not base64", "an id twice", "too short", "an empty id", "short pepper"],
)
def test_a_ring_that_is_none_says_which_part_without_showing_it(keys: str, pepper: bytes, says: str) -> None:
    with pytest.raises(KeyRingInvalid, match=says) as refusal:
        KeyRing.parse(keys, pepper)
    assert SECRET[:8] not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(KeyRingInvalid, match="there is no encryption key"):
        KeyRing(Keys({}), PEPPER)
