"""Slack's incoming webhook as a receiver."""

from typing import Final

from fleetpulse.alerting.notification import Notification
from fleetpulse.durations import Rate
from fleetpulse.outbound import Outbound, OutboundError
from fleetpulse.receivers.address import Address, address_problem
from fleetpulse.receivers.answers import unanswered
from fleetpulse.receivers.contract import Outcome, Retry
from fleetpulse.receivers.slack.message import render
from fleetpulse.receivers.slack.settings import SlackSettings
from fleetpulse.receivers.slack.verdict import verdict
from fleetpulse.secrets import Redactor, Secret

_MOST_ANSWERED_BYTES: Final = 64 * 1024  # Slack answers one word
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class SlackReceiver:
    """One channel of Slack. It cannot tell a second delivery of the same message.

    Errors: SecretUnreadableError at construction.
    """

    dedupes = False

    def __init__(
        self, settings: SlackSettings, *, outbound: Outbound, redactor: Redactor, timeout_s: float = 10.0
    ) -> None:
        self.name: str = settings.name
        self.rate: Rate | None = settings.rate
        secret = Secret(value=settings.webhook_url, file=settings.webhook_url_file, redactor=redactor)
        self._address = Address(secret, redactor=redactor)
        self._outbound = outbound
        self._redactor = redactor
        self._timeout_s = timeout_s

    def message(self, notification: Notification) -> bytes:
        """Block Kit, within Slack's limits. Pure."""
        return render(notification, redact=self._redactor.redact)

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:  # noqa: ARG002 - Slack takes no id of ours
        """Post once. Never raises but for cancellation, which drops the connection."""
        url = self._address.current()
        problem = address_problem(url, https=True)
        if problem:  # only a file's content comes here unchecked, and a file can be mended
            return Retry("misconfigured", f"what webhook_url_file holds {problem}")
        try:
            answer = await self._outbound.request(
                "POST",
                url,
                headers=_HEADERS,
                body=payload,
                timeout_s=self._timeout_s,
                max_bytes=_MOST_ANSWERED_BYTES,
            )
        except OutboundError as error:
            return unanswered(error)
        return verdict(answer, host=self._address.host, redactor=self._redactor)
