"""The program itself: which commands there are."""

from __future__ import annotations

import typer

from commands import (
    accept,
    addons,
    codec,
    credits,
    database,
    demo,
    entrance,
    explain,
    forecast,
    intake,
    invoices,
    keys,
    orders,
    purchases,
    quotes,
    receipts,
    reconcile,
    refunds,
    requests,
    stack,
    subscriptions,
    tokens,
    update_news,
    updates,
    webhooks,
)

program = typer.Typer(
    name="evergreen",
    help=(
        "Evergreen renews customers' SmarterTools licenses so that a key never expires.\n\n"
        "Exit codes: 0 done; 1 refused by a rule; 2 bad input or usage; 3 a server cannot be reached.\n\n"
        "A SUBSCRIPTION is its id, or the last four characters of its license key."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)

program.command("up")(stack.up)
program.command("demo")(demo.demo)
program.command("sign-in-link")(entrance.sign_in_link)
program.command("forecast")(forecast.forecast)
program.command("migrate")(database.migrate)
program.command("codec-pass")(codec.codec_pass)
program.command("reseal")(keys.reseal)
program.command("import")(intake.import_file)
program.command("purchase")(purchases.purchase)
program.command("list")(subscriptions.list_subscriptions)
program.command("show")(subscriptions.show)
program.command("explain")(explain.explain)
program.command("verify-receipt")(receipts.verify_receipt)
program.command("cancel")(subscriptions.cancel)
program.command("resume")(subscriptions.resume)
program.command("addons")(addons.addons)
program.command("quote")(quotes.quote)
program.command("add-addons")(addons.add_addons)
program.command("drop-addon")(addons.drop_addon)
program.command("downgrade")(orders.downgrade)
program.command("pay")(orders.pay)
program.command("credits")(credits.credits)
program.command("grant")(credits.grant)
program.command("invoices")(invoices.list_invoices)
program.command("invoice")(invoices.invoice)
program.command("refund")(refunds.refund)
program.command("reconcile")(reconcile.reconcile)
program.command("updates")(updates.updates)
program.command("update-done")(update_news.update_done)
program.command("update-refused")(update_news.update_refused)
program.command("update-move")(update_news.update_move)
program.command("request")(requests.request)
program.command("requests")(requests.list_requests)
program.command("accept")(accept.accept)
program.command("decline")(requests.decline)
program.command("token-create")(tokens.token_create)
program.command("tokens")(tokens.tokens)
program.command("token-revoke")(tokens.token_revoke)
program.command("webhooks")(webhooks.webhooks)
program.command("webhook-add")(webhooks.webhook_add)
program.command("webhook-remove")(webhooks.webhook_remove)
program.command("webhook-replay")(webhooks.webhook_replay)
