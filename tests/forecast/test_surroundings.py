"""The programs of a forecast are told the rules of the business, and nothing else that is real."""

from __future__ import annotations

from config import Settings
from forecast import surroundings
from sandbox.holder import Addresses


def test_every_setting_is_either_a_rule_that_is_carried_over_or_not_the_live_one(tmp_path, monkeypatch):
    """A setting that is added later is not carried over unless somebody says that it is a rule."""
    live = Settings(
        _env_file=None,
        database_url="postgresql://live",
        secret_keys="live:" + "A" * 43 + "=",
        codec_keys="live:" + "B" * 43 + "=",
        fingerprint_pepper="live pepper, long enough",
        vendor_url="http://live.example",
        vendor_token="live",
        stripe_api_key="sk_live",
        stripe_api_base="http://live.example",
        stripe_webhook_secret="whsec_live",
        smtp_host="live.example",
        smtp_user="live",
        smtp_password="live",
        notice_days=21,
        extra_holidays="2027-06-07",
        day_ends="16:00",
        reminder_days="40,20",
    )
    monkeypatch.setenv("EVERGREEN_SMTP_HOST", "live.example")
    monkeypatch.setenv("TEMPORAL_PROFILE", "live")
    monkeypatch.setenv("https_proxy", "http://live.example")
    addresses = Addresses(
        database_url="postgresql://scratch",
        temporal_address="127.0.0.1:1",
        temporal_namespace="default",
        temporal_ui_url="http://127.0.0.1:2",
        token="scratch",
        urls={"vendor": "http://127.0.0.1:3", "payments": "http://127.0.0.1:4"},
    )

    told = surroundings.variables(tmp_path, addresses, live)

    assert {f"EVERGREEN_{name.upper()}" for name in Settings.model_fields} <= told.keys()
    assert not [name for name, value in told.items() if value and "live" in value.lower()]
    assert told["TEMPORAL_PROFILE"] is told["https_proxy"] is None
    read = surroundings.settings(told)
    assert [getattr(read, name) for name in surroundings.RULES] == [
        getattr(live, name) for name in surroundings.RULES
    ]
