"""What Temporal keeps for us tells nobody a key, a name or an address (R28): it is sealed before it leaves us."""

from __future__ import annotations

import json
from pathlib import Path

from temporalio.client import Client

from domain.messages import State
from sealing.payloads import is_sealed
from tests.commands.program import CommandLine as Program
from tests.deployment import store
from tests.deployment.histories import payloads_in, runs_of
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.dates import coming
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import Subscribed
from tests.money.world import World

NAME, EMAIL = "Zebedee Quillfeather", "zebedee@quillfeather.example"
TYPED, SEALED = "Wilhelmina-Pomfret", "Peregrine-Thistlewood"
"""Words that support types: without the codec, and with it."""


async def imported(evergreen: Program, world: World, folder: Path) -> str:
    """A license in the care of somebody with a name, brought in as a file; its key."""
    facts = {
        "product": "SmarterMail",
        "edition": "Professional",
        "size": "250",
        "expires_on": str(coming(9, 30)),
    }
    key = world.vendor.register(**facts, addons=[])
    row = facts | {
        "customer_email": EMAIL,
        "customer_name": NAME,
        "country": "GB",
        "currency": "GBP",
        "license_key": key,
    }
    file = folder / "one.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    answer = await evergreen("import", str(file), "--json")
    assert answer.code == 0, answer.said
    return key


async def declined(book: Book) -> Subscribed:
    """A renewal whose card declines."""
    license = await book.subscription()
    await license.customer.save_card(answers="insufficient_funds")
    await license.days_before_expiry(13)
    await license.until(State.COLLECTING)
    return license


async def refused(temporal: CommandLine, license: Subscribed, *codec: str, word: str) -> None:
    """A signal typed by hand that the workflow refuses."""
    before = len((await license.status()).refusals)
    signal = ("workflow", "signal", "--workflow-id", license.workflow_id, "--name", "cancel")
    await temporal(*signal, "--input", f'{{"bye": "{word}"}}', *codec)

    async def shown() -> bool:
        return len((await license.status()).refusals) > before

    await eventually(shown, "the refusal")


async def test_the_servers_store_holds_no_key_no_name_and_no_address_in_clear(
    book: Book, world: World, evergreen: Program, temporal: CommandLine, tmp_path: Path
):
    """An import, a decline, a refusal typed by hand; then the store is read, cell by cell and as bytes."""
    key = await imported(evergreen, world, tmp_path)
    license = await declined(book)
    written = await evergreen("codec-pass", "--by", "ops:al")
    codec = ("--codec-endpoint", f"{world.portal}/codec", "--codec-auth", f"Bearer {written.out.strip()}")
    await refused(temporal, license, word=TYPED)
    await refused(temporal, license, *codec, word=SEALED)

    file = world.stack.temporal.file
    assert file is not None
    secrets = (
        key,
        license.license_key,
        NAME,
        "Quillfeather",
        EMAIL,
        license.customer.email,
        "Ann Example",
        SEALED,
    )
    assert [secret for secret in secrets if store.tables_with(file, secret)] == []
    assert [secret for secret in secrets if secret.encode() in store.disk(file)] == []
    assert store.tables_with(file, TYPED), "the search finds what was not sealed"
    assert store.tables_with(file, "insufficient_funds"), "a reason is a code of ours, and is searched by"
    await shown_sealed_and_opened(world, license)


async def shown_sealed_and_opened(world: World, license: Subscribed) -> None:
    """Who asks the server without our keys gets sealed payloads only; with them the history is as it was."""
    stranger = await Client.connect(world.stack.addresses.temporal_address)
    [run] = await runs_of(stranger, license.workflow_id)
    found = [payload for event in run.events for payload in payloads_in(event)]
    opened = [world.settings.payload_codec().opened(p) for p in found if is_sealed(p)]
    assert len(opened) > 15
    assert {p.metadata["encoding"] for p in opened} <= {b"json/plain", b"binary/null"}
    clear = [p.data for p in found if not is_sealed(p)]
    assert len([data for data in clear if TYPED.encode() in data]) == 1
    assert all(data == b"" or data.startswith(b'{"seq":') or TYPED.encode() in data for data in clear)


async def test_a_failure_tells_a_stranger_its_kind_but_not_its_words(book: Book, world: World, worker):
    """The text of an error may quote anything; its type is a name of ours, which operators search by."""
    license = await book.subscription()
    await license.customer.save_card()
    world.vendor.fault("down", license.license_key)
    await license.days_before_expiry(13)
    await license.until(State.UPDATING)
    stranger = await Client.connect(world.stack.addresses.temporal_address)

    async def failing() -> bool:
        described = await stranger.get_workflow_handle(license.workflow_id).describe()
        return any(p.HasField("last_failure") for p in described.raw_description.pending_activities)

    await eventually(failing, "the update fails")
    described = await stranger.get_workflow_handle(license.workflow_id).describe()
    [pending] = described.raw_description.pending_activities
    assert pending.last_failure.application_failure_info.type == "VendorUnavailable"
    assert pending.last_failure.message == "Encoded failure"
    assert not pending.last_failure.stack_trace
    inside = world.settings.payload_codec().opened(pending.last_failure.encoded_attributes)
    assert b"vendor" in inside.data
