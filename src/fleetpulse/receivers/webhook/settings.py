"""What a `[[receivers]]` entry of kind `webhook` holds."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, Literal

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

    file_checks: ClassVar[Mapping[str, Callable[[str], str]]] = {
        "url_file": partial(address_problem, https=False),
        "secret_file": secret_problem,
        "secret_previous_file": secret_problem,
    }

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
    secret_previous: SecretStr | None = Field(
        default=None,
        description="The secret that `secret` replaces: each request is signed with both until it is taken out.",
    )
    secret_previous_file: Path | None = Field(
        default=None, description="A file holding the previous secret, read again at each send."
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Headers sent with each request; their values are not shown, and secrets among them blanked.",
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
        previous = ("secret_previous", self.secret_previous, self.secret_previous_file)
        found = []
        for name, value, file in (("secret", self.secret, self.secret_file), previous):
            if value is not None and file is not None:
                found.append((name, f"is given twice: keep either {name} or {name}_file"))
            elif value is not None and (problem := secret_problem(value.get_secret_value())):
                found.append((name, problem))
        if any(previous[1:]) and self.secret is None and self.secret_file is None:
            found.append(("secret_previous", "is given without secret: call it secret"))
        return found

    def _header_problems(self) -> list[tuple[str, str]]:
        found = []
        for name, value in self.headers.items():
            if name.lower() in _OURS:
                found.append(("headers", f"{name} is set by fleetpulse itself: remove it"))
            elif not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value.get_secret_value()):
                found.append(("headers", f"{name!r} is not a header: names are tokens, values one line of ASCII"))
        return found
