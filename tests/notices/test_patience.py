from datetime import UTC, datetime, timedelta

from notices.patience import Patience

WRITTEN = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def minutes(attempts: int, **away: bool) -> float:
    next_attempt_at = Patience().next_attempt(attempts, WRITTEN, WRITTEN, **away)
    assert next_attempt_at is not None
    return (next_attempt_at - WRITTEN).total_seconds() / 60


def test_waits_double_from_a_minute_to_six_hours():
    assert [minutes(n) for n in range(1, 12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert minutes(10_000) == 360


def test_while_the_mail_server_is_away_no_wait_is_longer_than_ten_minutes():
    assert [minutes(n, server_away=True) for n in (1, 2, 3, 4, 5, 50)] == [1, 2, 4, 8, 10, 10]


def test_it_is_given_up_after_five_days_but_only_if_it_was_really_tried():
    patience = Patience()

    assert patience.next_attempt(28, WRITTEN, WRITTEN + 119 * HOUR) is not None
    assert patience.next_attempt(28, WRITTEN, WRITTEN + 120 * HOUR) is None
    assert patience.next_attempt(9, WRITTEN, WRITTEN + 1000 * HOUR) is not None
    assert patience.next_attempt(10, WRITTEN, WRITTEN + 1000 * HOUR) is None
