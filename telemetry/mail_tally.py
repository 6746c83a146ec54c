"""What the sender of the outbox counts, on the worker's Prometheus page."""

from __future__ import annotations

from temporalio.common import MetricMeter

from notices.tally import Failure


class MailTally:
    """Counts letters and failed attempts; a `notices.tally.Tally`."""

    def __init__(self, meter: MetricMeter) -> None:
        self._sent = meter.create_counter("evergreen_notices_sent", "Letters that the mail server took")
        self._failed = meter.create_counter("evergreen_notice_failures", "Attempts to send that failed")

    def sent(self, kind: str) -> None:
        """One letter more was taken by the mail server."""
        self._sent.add(1, {"kind": kind})

    def failed(self, kind: str, failure: Failure, given_up: bool) -> None:
        """One attempt more failed."""
        self._failed.add(1, {"kind": kind, "failure": failure, "given_up": str(given_up).lower()})
