"""The license vendor as the contract has it: reading, ordering, once only (R23–R25)."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from sandbox.vendor_rules import extended
from tests.vendor.running import SandboxVendor, renewal
from vendor.http import HttpVendor
from vendor.license_vendor import (
    ExpiryDiffers,
    LicenseOrder,
    OrderNotPossible,
    ReferenceConflict,
    RevokedKey,
    UnknownKey,
    VendorLicense,
)


async def test_a_renewal_extends_the_license_and_reads_back(vendor: HttpVendor, sandbox: SandboxVendor):
    """R24: the proof is the vendor's own record."""
    key = sandbox.register(addons=["Message Sniffer"])

    placed = await vendor.place(renewal(key, addons=("Message Sniffer", "MAPI & EWS")))

    assert (placed.from_expires_on, placed.to_expires_on) == (date(2027, 8, 31), date(2028, 8, 31))
    addons = frozenset({"Message Sniffer", "MAPI & EWS"})
    assert await vendor.read(key) == VendorLicense(
        date(2028, 8, 31), "SmarterMail", "Professional", "250", addons, "active"
    )


async def test_a_renewal_may_change_size_edition_and_take_addons_away(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register(size="500", edition="Enterprise", addons=["Exchange ActiveSync"])

    await vendor.place(renewal(key, size="250", edition="Professional"))

    license = await vendor.read(key)
    assert (license.size, license.edition, license.addons) == ("250", "Professional", frozenset())


async def test_addons_are_added_to_those_the_license_has_and_leave_its_expiry(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register(addons=["Message Sniffer"])
    expiry = date(2027, 8, 31)

    placed = await vendor.place(
        LicenseOrder("addons/1", key, "addons", expiry, expiry, addons=("MAPI & EWS",))
    )

    assert placed.addons == {"Message Sniffer", "MAPI & EWS"}
    license = await vendor.read(key)
    assert (license.expires_on, license.addons) == (expiry, placed.addons)


async def test_an_upgrade_goes_up_at_once_and_never_down(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register(size="500")
    expiry = date(2027, 8, 31)

    await vendor.place(LicenseOrder("up/1", key, "upgrade", expiry, expiry, size="unlimited"))
    with pytest.raises(OrderNotPossible, match="downgrade"):
        await vendor.place(LicenseOrder("up/2", key, "upgrade", expiry, expiry, size="1000"))

    assert (await vendor.read(key)).size == "unlimited"


async def test_the_same_order_twice_renews_once_and_answers_the_same(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    """R25, with the add-ons named in another order the second time."""
    key = sandbox.register()
    order = renewal(key, addons=("MAPI & EWS", "Message Sniffer"))

    first = await vendor.place(order)
    second = await vendor.place(replace(order, addons=("Message Sniffer", "MAPI & EWS")))

    assert first == second
    assert (await vendor.read(key)).expires_on == date(2028, 8, 31)
    assert [(o["number"], o["repeats"]) for o in sandbox.orders(key)] == [(first.number, 1)]


async def test_the_same_order_from_many_places_at_once_renews_once(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register()

    answers = await asyncio.gather(*(vendor.place(renewal(key)) for _ in range(20)))

    assert len(set(answers)) == 1
    assert (await vendor.read(key)).expires_on == date(2028, 8, 31)


async def test_a_repeat_is_answered_even_after_the_key_was_revoked(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register()
    first = await vendor.place(renewal(key))
    sandbox.control("POST", "/sandbox/licenses/status", json={"license_keys": [key], "status": "revoked"})

    assert await vendor.place(renewal(key)) == first


async def test_two_orders_for_one_term_renew_twice_and_the_record_shows_it(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    """What the sandbox is for: a double renewal must be visible, not prevented by the vendor."""
    key = sandbox.register()

    await vendor.place(renewal(key, reference="double/1"))
    await vendor.place(renewal(key, reference="double/2"))

    assert (await vendor.read(key)).expires_on == date(2029, 8, 31)
    assert [
        (o["idempotency_key"], o["from_expires_on"], o["to_expires_on"]) for o in sandbox.orders(key)
    ] == [
        ("double/1", "2027-08-31", "2028-08-31"),
        ("double/2", "2028-08-31", "2029-08-31"),
    ]


async def test_the_same_reference_with_other_content_is_a_conflict(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register()
    await vendor.place(renewal(key, reference="conflict/1"))

    with pytest.raises(ReferenceConflict):
        await vendor.place(renewal(key, reference="conflict/1", months=24))

    assert (await vendor.read(key)).expires_on == date(2028, 8, 31)


async def test_an_order_is_found_by_its_reference_and_no_other(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register()
    placed = await vendor.place(renewal(key, reference="sub 7/ü?&=%2F".replace("ü", "u")))

    assert await vendor.find("sub 7/u?&=%2F") == placed
    assert await vendor.find("sub 7/u") is None


async def test_an_unknown_and_a_revoked_key_are_refused_for_good(vendor: HttpVendor, sandbox: SandboxVendor):
    """R23: these two end in a refund, so they are told apart from everything that may pass."""
    revoked = sandbox.register()
    forgotten = sandbox.register()
    for key, status in [(revoked, "revoked"), (forgotten, "unknown")]:
        sandbox.control("POST", "/sandbox/licenses/status", json={"license_keys": [key], "status": status})

    for key, error in [(revoked, RevokedKey), (forgotten, UnknownKey), ("SM-NEVER-SEEN", UnknownKey)]:
        with pytest.raises(error):
            await vendor.read(key)
        with pytest.raises(error):
            await vendor.place(renewal(key))
        assert sandbox.orders(key) == []


async def test_a_refused_order_leaves_its_reference_free(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register()
    sandbox.fault("refuse", key, times=1)

    with pytest.raises(OrderNotPossible):
        await vendor.place(renewal(key))

    assert (await vendor.place(renewal(key))).to_expires_on == date(2028, 8, 31)


async def test_a_strict_vendor_tells_where_the_license_stands(
    own_vendor: HttpVendor, own_sandbox: SandboxVendor
):
    own_sandbox.control("PUT", "/sandbox/settings", json={"strict_expiry": True})
    key = own_sandbox.register(expires_on="2028-08-31")

    with pytest.raises(ExpiryDiffers) as differs:
        await own_vendor.place(renewal(key, year=2027))
    with pytest.raises(OrderNotPossible):
        await own_vendor.place(renewal(key, year=2028, to_expires_on=date(2029, 8, 30)))

    assert differs.value.current == date(2028, 8, 31)
    assert (await own_vendor.place(renewal(key, year=2028))).to_expires_on == date(2029, 8, 31)


@pytest.mark.parametrize(
    ("expires_on", "months", "wanted", "becomes"),
    [
        ("2028-02-29", 12, "2029-02-28", "2029-02-28"),
        ("2031-02-28", 12, "2032-02-29", "2032-02-29"),  # anchor 29
        ("2031-02-28", 12, "2032-02-28", "2032-02-28"),  # anchor 28
        ("2027-08-31", 6, "2028-02-29", "2028-02-29"),
        ("2028-02-29", 6, "2028-08-31", "2028-08-31"),  # anchor 31
        ("2027-12-15", 1, "2028-01-31", "2028-01-15"),  # the 15th was never clamped
        ("2028-08-31", 12, "2028-08-31", "2029-08-31"),  # the second of two orders for one term
        ("2027-04-30", 0, "2027-04-30", "2027-04-30"),
    ],
)
def test_the_vendor_reckons_months_by_anchor_day(expires_on: str, months: int, wanted: str, becomes: str):
    """R1."""
    date_of = date.fromisoformat
    assert extended(date_of(expires_on), months, date_of(wanted)) == date_of(becomes)
