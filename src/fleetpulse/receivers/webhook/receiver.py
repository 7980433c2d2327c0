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
from fleetpulse.secrets import Redactor, Secret, looks_random, names_a_secret

_SHORTEST_OPAQUE: Final = 16  # of a header whose name says nothing; tokens are longer
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
        self._secrets = {  # the new one signs first, for who reads only the first signature
            "secret_file": Secret(value=settings.secret, file=settings.secret_file, redactor=redactor),
            "secret_previous_file": Secret(
                value=settings.secret_previous, file=settings.secret_previous_file, redactor=redactor
            ),
        }
        self._format = settings.format
        self._headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        for name, value in self._headers.items():
            if _is_secret(name, value):
                redactor.learn(value)
                redactor.learn(value.partition(" ")[2])  # servers echo a token without its scheme
        self._outbound = outbound
        self._redactor = redactor
        self._timeout_s = timeout_s

    def message(self, notification: Notification) -> bytes:
        """A CloudEvent, or Alertmanager's body bare. Pure."""
        return render(notification, dress=self._format, redact=self._redactor.redact)

    async def send(self, delivery_id: str, payload: bytes) -> Outcome:
        """Post once, signed with the secrets and the time of this try. Never raises but for cancellation."""
        url = self._address.current()
        for secret in self._secrets.values():
            refresh(secret)
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
        secrets = [secret.reveal() for secret in self._secrets.values() if secret]
        signature = signed(delivery_id, payload, at=clock.now(), secrets=secrets)
        return {"Content-Type": content_type(payload), **signature}

    def _problem(self, url: str) -> str:
        problem = address_problem(url, https=False)
        if problem:
            return f"what url_file holds {problem}"
        for file, secret in self._secrets.items():
            problem = secret_problem(secret.reveal()) if secret else ""
            if problem:
                return f"what {file} holds {problem}"
        return ""


def _is_secret(name: str, value: str) -> bool:
    """Whether a header's value is one to be blanked: `X-Team: edge` is a word that names are made of."""
    opaque = looks_random(value, shortest=_SHORTEST_OPAQUE) and any(map(str.isdigit, value))
    return names_a_secret(name) or opaque
