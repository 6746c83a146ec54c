"""Verifying receipts of cancellations, ours or with a public key alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from commands import running
from commands.running import BadInput, Refused
from commands.screen import AsJson, console, document
from papers import receipt as receipts


def verify_receipt(
    file: Annotated[str, typer.Argument(help="The receipt's file, or - for standard input.")],
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="ID:BASE64 of the key to verify with; else our own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt of a cancellation: whether we wrote it, and that nobody has changed it since.

    Example: evergreen verify-receipt receipt.json
    """

    async def command() -> dict[str, Any]:
        return _verified(_read(file), public_key)

    said = running.run(command)
    if as_json:
        document({"valid": True, "receipt": said})
        return
    console.print(f"[green]The receipt is genuine.[/] {escape(said['sentence'])}")
    console.print(
        f"Received {said['received_at']}, cut-off {said['cut_off_at']}: "
        f"[bold]{receipts.by_how_much(said)}[/], {said['outcome']}."
    )


def _read(file: str) -> str:
    try:
        return (
            typer.get_text_stream("stdin").read() if file == "-" else Path(file).read_text(encoding="utf-8")
        )
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadInput(f"{file} cannot be read: {wrong}") from wrong


def _verified(given: str, public_key: str | None) -> dict[str, Any]:
    if public_key is not None:
        key_id, _, encoded = public_key.partition(":")
        known = {key_id: encoded}
    else:
        keys = running.settings().receipt_signing_keys()
        if keys is None:
            raise BadInput("give --public-key ID:BASE64, or set EVERGREEN_RECEIPT_KEYS")
        known = keys.public()
    try:
        return receipts.verified(given, known)
    except receipts.ReceiptInvalid as wrong:
        raise Refused(str(wrong)) from wrong
