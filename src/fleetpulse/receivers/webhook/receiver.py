"""An HTTP endpoint of the user's own as a receiver."""

from typing import Final

from fleetpulse import clock
from fleetpulse.alerting.notification import Notification
from fleetpulse.durations import Rate
from fleetpulse.outbound import Outbound, OutboundError
from fleetpulse.receivers.address import Address, address_problem, refresh
from fleetpulse.receivers.answers import answered, unanswered
from fleetpulse.receivers.contract import Outcome, Retry
from fleetpulse.receivers.webhook.message import content_type, render
from fleetpulse.receivers.webhook.settings import WebhookSettings
from fleetpulse.receivers.webhook.signature import secret_problem, signed
from fleetpulse.secrets import Redactor, Secret

_MOST_ANSWERED_BYTES: Final = 1024 * 1024  # the answer is only quoted in an error, and then only its beginning


class WebhookReceiver:
    """One endpoint. `webhook-id` stays the same over tries, so it can tell a second delivery.

    Errors: SecretUnreadableError at construction.
    """

    dedupes = True

    def __init__(
        self, settings: WebhookSettings, *, outbound: Outbound, redactor: Redactor, timeout_s: float = 10.0
    ) -> None:
        self.name: str = settings.name
        self.rate: Rate | None = settings.rate
        address = Secret(value=settings.url, file=settings.url_file, redactor=redactor)
        self._address = Address(address, redactor=redactor)
        self._secret = Secret(value=settings.secret, file=settings.secret_file, redactor=redactor)
        self._format = settings.format
        self._headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        for value in self._headers.values():
            redactor.learn(value.removeprefix("Bearer ").removeprefix("Basic "))  # servers echo a token on its own
        self._outbound = outbound
        self._redactor = redactor
        self._timeout_s = timeout_s

    def message(self, notification: Notification) -> bytes:
        """A CloudEvent, or Alertmanager's body bare. Pure."""
        return render(notification, dress=self._format, redact=self._redactor.redact)

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:
        """Post once, signed with the secret and the time of this try. Never raises but for cancellation."""
        url = self._address.current()
        refresh(self._secret)
        problem = self._problem(url)
        if problem:  # only a file's content comes here unchecked, and a file can be mended
            return Retry("misconfigured", problem)
        try:
            answer = await self._outbound.request(
                "POST",
                url,
                headers={**self._headers, **self._own_headers(delivery_id, payload)},
                body=payload,
                timeout_s=self._timeout_s,
                max_bytes=_MOST_ANSWERED_BYTES,
            )
        except OutboundError as error:
            return unanswered(error)
        return answered(answer, host=self._address.host, redactor=self._redactor)

    def _own_headers(self, delivery_id: str, payload: bytes) -> dict[str, str]:
        signature = signed(delivery_id, payload, at=clock.now(), secret=self._secret.reveal())
        return {"Content-Type": content_type(payload), **signature}

    def _problem(self, url: str) -> str:
        problem = address_problem(url, https=False)
        if problem:
            return f"what url_file holds {problem}"
        problem = secret_problem(self._secret.reveal()) if self._secret else ""
        return f"what secret_file holds {problem}" if problem else ""
