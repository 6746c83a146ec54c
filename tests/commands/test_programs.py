"""Programs that use the API, and those that are told by webhook: let in and let go by command."""

from __future__ import annotations


async def test_a_token_is_shown_once_listed_and_revoked(evergreen):
    scopes = ("--scope", "read", "--scope", "money:write")
    made = await evergreen(
        "token-create", "--name", "billing", *scopes, "--expires-on", "2099-12-31", "--json"
    )
    again = await evergreen("token-create", "--name", "billing", *scopes, "--expires-on", "2099-12-31")
    listed = await evergreen("tokens", "--json")
    revoked = await evergreen("token-revoke", "billing", "--by", "support:jo")
    twice = await evergreen("token-revoke", "billing")

    assert made.json["token"].startswith("evg_")
    assert (again.code, "is in use" in again.said) == (1, True)
    (token,) = listed.json
    assert (token["name"], token["scopes"]) == ("billing", ["read", "money:write"])
    assert made.json["token"] not in listed.out
    assert (revoked.code, twice.code) == (0, 1)
    assert (await evergreen("tokens", "--json")).json == []
    (token,) = (await evergreen("tokens", "--all", "--json")).json
    assert token["revoked_at"]


async def test_a_token_without_sense_is_not_made(evergreen):
    unknown = await evergreen("token-create", "--name", "b", "--scope", "all", "--expires-on", "2099-12-31")
    over = await evergreen("token-create", "--name", "b", "--scope", "read", "--expires-on", "2020-01-01")

    assert (unknown.code, "subscriptions:write" in unknown.said) == (2, True)
    assert (over.code, "is over" in over.said) == (2, True)


async def test_an_endpoint_is_added_listed_replayed_and_removed(evergreen):
    url = "https://billing.example.com/evergreen"
    added = await evergreen("webhook-add", url, "--kind", "subscription.renewed", "--json")
    endpoint = added.json["endpoint"]
    open_to_all = await evergreen("webhook-add", "http://billing.example.com/")
    (listed,) = (await evergreen("webhooks", "--json")).json
    replayed = await evergreen("webhook-replay", endpoint, "--json")
    removed = await evergreen("webhook-remove", endpoint, "--by", "support:jo")

    assert added.json["secret"].startswith("whsec_")
    assert (open_to_all.code, "https" in open_to_all.said) == (2, True)
    assert (listed["url"], listed["kinds"], listed["disabled_at"]) == (url, ["subscription.renewed"], None)
    assert replayed.json["events"] == 0
    assert removed.code == 0
    assert (await evergreen("webhook-replay", endpoint)).code == 1
    assert (await evergreen("webhooks", "--json")).json == []
