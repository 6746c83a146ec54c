"""The key-rotation drill of docs/operations.md: new keys in, everything goes on; old keys out, nothing is missed."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace

import pytest
from sqlalchemy import select
from temporalio.client import Client, WorkflowHistory

import connection
from db.license_keys import KeyRing
from db.models.audit import AuditRecord
from db.models.license import License
from sealing.keys import UnknownKeyId
from sealing.payloads import KEY_ID, is_sealed
from tests.commands.program import CommandLine as Program
from tests.deployment.histories import payloads_in, runs_of
from tests.end_to_end.world import OwnWorker
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.world import World


def new_key() -> str:
    return "next:" + base64.b64encode(secrets.token_bytes(32)).decode()


async def with_keys(world: World, *, codec_keys: str, secret_keys: str) -> World:
    """The same world as programs with these keys see it."""
    changed = {"EVERGREEN_CODEC_KEYS": codec_keys, "EVERGREEN_SECRET_KEYS": secret_keys}
    settings = type(world.settings).model_validate(
        world.settings.model_dump() | {"codec_keys": codec_keys, "secret_keys": secret_keys}
    )
    client = await Client.connect(
        world.stack.addresses.temporal_address,
        data_converter=connection.converter(settings.payload_keys()),
        identity="tests",
    )
    return replace(world, variables={**world.variables, **changed}, settings=settings, client=client)


async def test_keys_are_rotated_under_subscriptions_that_sleep(
    book: Book, world: World, worker: OwnWorker, evergreen: Program
):
    """Both rings: the new key first, then the old one out, while a subscription sleeps, renews and renews again."""
    license = await book.subscription()
    await license.customer.grant(600_00)
    await license.status()
    await worker.stop()
    codec, secret = new_key(), new_key()
    old_codec, old_secret = world.variables["EVERGREEN_CODEC_KEYS"], world.variables["EVERGREEN_SECRET_KEYS"]

    both = await with_keys(world, codec_keys=f"{codec},{old_codec}", secret_keys=f"{secret},{old_secret}")
    working = OwnWorker(both)
    await working.start()
    rotated = replace(license, world=both)
    assert (await rotated.status()).term == license.term, "what the old key sealed is opened"
    await rotated.days_before_expiry(13)
    await rotated.until_renewed()
    await working.stop()
    first, second = [keys_in(run) for run in await runs_of(world.client, license.workflow_id)]
    assert first == {"embedded-1", "next"}
    assert second == {"next"}

    told = await evergreen.told(**both.variables)("reseal", "--by", "ops:al", "--json")
    assert (told.code, told.json) == (0, {"resealed": 1, "waiting": 0}), told.said
    again = await evergreen.told(**both.variables)("reseal", "--by", "ops:al", "--json")
    assert again.json == {"resealed": 0, "waiting": 0}
    too_early = await evergreen.told(EVERGREEN_SECRET_KEYS=old_secret)("reseal", "--by", "ops:al")
    assert too_early.code == 1
    assert "sealed with the key next" in too_early.said

    alone = await with_keys(world, codec_keys=codec, secret_keys=secret)
    working = OwnWorker(alone)
    await working.start()
    survivor = replace(license, world=alone)
    await survivor.at(world.clocks.now(license.workflow_id))
    await survivor.at((await survivor.status()).plan.renews_at)

    async def renewed_again() -> bool:
        return len(survivor.renewals()) == 2

    await eventually(renewed_again, "the second renewal, without the old keys")
    await working.stop()
    await only_the_new_key_opens(world)


def keys_in(run: WorkflowHistory) -> set[str]:
    """The ids of the keys with which a run's payloads are sealed."""
    found = [payload for event in run.events for payload in payloads_in(event)]
    return {payload.metadata[KEY_ID].decode() for payload in found if is_sealed(payload)}


async def only_the_new_key_opens(world: World) -> None:
    """The audit names who sealed again and with which key; the old ones open nothing any more (R29)."""
    old = KeyRing.parse(world.variables["EVERGREEN_SECRET_KEYS"], b"sixteen bytes of pepper")
    async with world.sessions() as session:
        lines = list(await session.scalars(select(AuditRecord).where(AuditRecord.action == "reseal")))
        rows = list(await session.scalars(select(License)))
    assert [(line.actor, line.details["key"], line.details["licenses"]) for line in lines] == [
        ("ops:al", "next", 1)
    ]
    for row in rows:
        with pytest.raises(UnknownKeyId):
            old.open(row.key_ciphertext, row.id)
