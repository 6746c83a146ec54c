"""What is counted and shown on the Prometheus pages, by the real programs."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from sandbox import ports
from telemetry.gauges import GAUGES
from telemetry.mail_tally import MailTally
from telemetry.prometheus import runtime
from tests.api.program import program_with
from tests.architecture.source import ROOT
from tests.eventually import eventually
from tests.money.subscribed import RENEWAL_MINOR

OPERATIONS = ROOT / "deploy" / "prometheus"
NAMES = re.compile(r"\b(?:evergreen|temporal)_[a-z_]+\b")
NOT_YET = {"evergreen_notice_failures_total", "temporal_workflow_task_execution_failed_total"}
"""Shown only once it has happened, and here all is well; the first has a test of its own below."""


def expressions() -> dict[str, str]:
    """Every query of rules and dashboard, by where it stands."""
    rules = yaml.safe_load((OPERATIONS / "alerts.yml").read_text(encoding="utf-8"))
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    dashboard = json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for number, target in enumerate(panel.get("targets", ())):
            found[f"{panel['title']} {number}"] = target["expr"]
    return found


async def test_each_fate_of_a_term_is_counted_once(world, lived):
    renewals = {"renewed": 2, "lapsed": 1, "refused": 1, "expired": 1}

    async def counted():
        return renewals == {
            outcome: await world.total("evergreen_renewals_total", outcome=outcome) for outcome in renewals
        }

    await eventually(counted, "all fates are counted")


async def test_a_promise_counts_as_kept_or_as_broken(world, lived):
    """R23: the late one is done and counts as a renewal all the same, but not as kept."""
    kept = await world.total("evergreen_promises_kept_total")
    broken = await world.total("evergreen_promises_broken_total")
    assert (kept >= 1, broken) == (True, 1)


async def test_declines_are_counted_by_kind(world, lived):
    """R22: a soft one at every attempt, a hard one once."""
    assert await world.total("evergreen_payment_declines_total", kind="hard") == 1
    assert await world.total("evergreen_payment_declines_total", kind="soft") >= 5


async def test_the_gauges_show_what_waits(world, lived):
    """As it is: one renewal of £180.00 waits for money; nothing waits for a license update."""

    async def shown():
        return (
            await world.total("evergreen_money_waiting_minor", currency="GBP") == RENEWAL_MINOR
            and await world.total("evergreen_subscriptions", state="collecting") == 1
            and await world.total("evergreen_subscriptions", state="refused") == 1
            and await world.total("evergreen_updates_waiting") == 0
            and await world.total("evergreen_updates_late") == 0
            and await world.total("evergreen_starts_waiting") == 0
        )

    await eventually(shown, "the gauges show what waits, and that nothing else does")


async def test_a_gauge_falls_back_to_zero_when_nothing_waits_any_more(world, book, lived):
    await world.total("evergreen_money_waiting_minor", currency="GBP")
    euro = await book.subscription(book.customer("DE", "EUR"))
    await euro.days_before_expiry(13)

    async def waits():
        return await world.total("evergreen_money_waiting_minor", currency="EUR") > 0

    async def waits_no_more():
        return not await waits()

    await eventually(waits, "euros are waited for")
    await euro.days_before_expiry(-31)
    await euro.ending()
    await eventually(waits_no_more, "no euros are waited for")


async def test_letters_are_counted(world, lived):
    async def sent():
        return await world.total("evergreen_notices_sent_total", kind="receipt") >= 1

    await eventually(sent, "a receipt is counted")


async def test_the_portal_counts_requests_by_route(world):
    portal = world.portal
    for path in (
        "/healthz",
        "/healthz",
        "/no/such/page",
        "/webhooks/payments?token=hush",
        "/subscriptions/sub_1",
    ):
        await world.http.request("POST" if "webhooks" in path else "GET", portal + path)
    async with program_with(world) as program:
        assert (await program.get("/subscriptions/sub_1")).status_code == 404

    assert await world.total("evergreen_http_requests_total", "portal", route="/healthz", status="200") >= 2
    assert await world.total("evergreen_http_requests_total", "portal", route="none", status="404") >= 1
    assert await world.total(
        "evergreen_http_requests_total", "portal", route="/webhooks/payments", status="400"
    )
    assert await world.total("evergreen_http_request_seconds_count", "portal", route="/healthz") >= 2
    for status, place in (("404", "/api/v1"), ("303", "")):
        route = f"{place}/subscriptions/{{subscription_id}}"
        assert await world.total("evergreen_http_requests_total", "portal", route=route, status=status) >= 1
    page = (await world.http.get(world.pages["portal"])).text
    assert "hush" not in page
    assert "such" not in page


async def test_what_rules_and_dashboard_ask_for_is_really_shown(world, lived):
    """Every metric by the name under which it is asked for."""
    shown = {name for program in world.pages for name, _, _ in await world.metrics(program)}
    asked = {name for expression in expressions().values() for name in NAMES.findall(expression)}

    assert len(asked) > 15
    assert asked - shown <= NOT_YET


async def test_every_gauge_of_ours_is_on_the_page_and_asked_for(world, lived):
    shown = {name for name, _, _ in await world.metrics("worker")}
    asked = " ".join(expressions().values())

    assert set(GAUGES) <= shown
    assert [name for name in GAUGES if name not in asked] == []


async def test_no_label_is_personal(world, lived):
    for page in world.pages.values():
        text = (await world.http.get(page)).text
        assert "@" not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
        assert lived.renewed.id not in text
        assert lived.renewed.license_key not in text


def test_every_alert_says_how_bad_it_is_and_what_to_do():
    rules = yaml.safe_load((OPERATIONS / "alerts.yml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]

    assert len(alerts) >= 10
    for alert in alerts:
        assert alert.keys() >= {"alert", "expr", "labels", "annotations"}
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"].keys() >= {"summary", "do"}
        assert f"`{alert['alert']}`" in page, "the runbook lacks it"


def test_the_dashboard_is_a_dashboard():
    dashboard = json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]

    assert dashboard["uid"] == "evergreen"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        assert panel["targets"], panel["title"]
        assert panel["description"], panel["title"]
        assert panel["gridPos"].keys() == {"h", "w", "x", "y"}


@pytest.mark.parametrize("program", ["worker", "portal"])
def test_prometheus_is_told_where_the_pages_are(program):
    scraped = yaml.safe_load((OPERATIONS / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"] for job in scraped["scrape_configs"]}

    assert program in jobs
    assert scraped["rule_files"] == ["alerts.yml"]


async def test_letters_that_fail_are_counted_by_why(world):
    """Under the name for which the rules ask."""
    port = ports.free()
    serving = runtime("127.0.0.1", port)
    MailTally(serving.metric_meter).failed("receipt", "refused", given_up=True)
    page = (await world.http.get(f"http://127.0.0.1:{port}/metrics")).text

    assert re.search(r'^evergreen_notice_failures_total\{.*failure="refused".*\} 1$', page, re.MULTILINE)
