"""What a `[[receivers]]` entry of kind `webhook` holds."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr

from fleetpulse.receivers.address import address_problem
from fleetpulse.receivers.settings import ReceiverSettings
from fleetpulse.receivers.webhook.signature import secret_problem

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t -~]*")
_OURS: Final = {
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
}


class WebhookFormat(StrEnum):
    """How a notification is dressed; what is inside is the same."""

    CLOUDEVENTS = "cloudevents"
    ALERTMANAGER = "alertmanager"


class WebhookSettings(ReceiverSettings):
    """An HTTP endpoint of the user's own."""

    kind: Literal["webhook"] = Field(default="webhook", description="The kind of receiver.")
    url: SecretStr | None = Field(default=None, description="Where notifications are posted. It is kept as a secret.")
    url_file: Path | None = Field(default=None, description="A file holding the URL, read again at each send.")
    format: WebhookFormat = Field(
        default=WebhookFormat.CLOUDEVENTS,
        description='"cloudevents", or "alertmanager" for the bare body that Alertmanager would send.',
    )
    secret: SecretStr | None = Field(
        default=None,
        description="Signs each request as Standard Webhooks do: whsec_ and base64, or base64 alone.",
    )
    secret_file: Path | None = Field(default=None, description="A file holding the secret, read again at each send.")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Headers sent with each request; their values are kept as secrets.",
    )

    def problems(self) -> list[tuple[str, str]]:
        """One URL, given once; a secret that signs; headers that are ours to set and can be sent."""
        return [*self._url_problems(), *self._secret_problems(), *self._header_problems()]

    def _url_problems(self) -> list[tuple[str, str]]:
        if self.url is not None and self.url_file is not None:
            return [("url", "is given twice: keep either url or url_file")]
        if self.url is None:
            return [("url", "is missing: give url or url_file")] if self.url_file is None else []
        problem = address_problem(self.url.get_secret_value(), https=False)
        return [("url", problem)] if problem else []

    def _secret_problems(self) -> list[tuple[str, str]]:
        if self.secret is None:
            return []
        if self.secret_file is not None:
            return [("secret", "is given twice: keep either secret or secret_file")]
        problem = secret_problem(self.secret.get_secret_value())
        return [("secret", problem)] if problem else []

    def _header_problems(self) -> list[tuple[str, str]]:
        found = []
        for name, value in self.headers.items():
            if name.lower() in _OURS:
                found.append(("headers", f"{name} is set by fleetpulse itself: remove it"))
            elif not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value.get_secret_value()):
                found.append(("headers", f"{name!r} is not a header: names are tokens, values one line of ASCII"))
        return found
